// The node agent as one process: pods on runc or a runtime behind CRI, Services in nftables, DNS.
// Runs as a program of its own: `node.ts DATA_DIRECTORY`. Ends without touching containers; clean-up.ts removes them.
// Invariant: speaks to the API server over HTTPS with its own certificate, as a node on another machine would.
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { ClientFigures } from '../../client/transport/counted.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import type { Transport } from '../../client/transport/transport.ts';
import { createNodeAgent } from '../../kubelet/agent.ts';
import { createLinuxHost } from '../../kubelet/host/linux-host.ts';
import { overHttps } from '../../kubelet/server/node-server.ts';
import { AgentFigures } from '../../kubelet/stats/agent-figures.ts';
import { DnsServer } from '../../network/dns/dns-server.ts';
import { setUpNodeNetwork } from '../../network/node-network.ts';
import { ServiceProxy } from '../../network/services/service-proxy.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { KUBELET_CLIENT_NAME, loadCa, loadPair } from './certificates.ts';
import { type ChildContext, runChild } from './child-process.ts';
import { CLUSTER_DOMAIN, layoutOf, serverUrl } from './cluster.ts';
import { nodeRuntime } from './container-runtime.ts';
import {
  type ClusterFacts,
  type DataPaths,
  dataPaths,
  readFacts,
  UsageError,
} from './data-directory.ts';
import { keptKubeletConfig, shutdownMsOf } from './kubelet-config.ts';
import { NODE_AGENT } from './user-agents.ts';

/** The body of the process. */
export async function node(dataDir: string, context: ChildContext): Promise<void> {
  const { logger, signal } = context;
  const paths = dataPaths(dataDir);
  const facts = readFacts(paths);
  if (!facts) throw new UsageError(`there is no cluster in ${paths.root}`);
  const system = createLinuxSystem({ manyChildren: true });
  const doors = { system, clock: systemClock, random: systemRandom, logger };
  const layout = layoutOf(facts);
  const configuration = keptKubeletConfig(paths);
  const figures = new AgentFigures(systemClock);
  const transport = countedTransport({ paths, facts }, figures);
  const client = createClient(transport);
  const network = await setUpNodeNetwork({
    system,
    layout,
    stateDir: join(paths.node, 'network'),
  });
  const addressOf = (podUid: string) => network.addressOf(podUid);
  const { runtime, images } = await nodeRuntime({ paths, facts }, { ...doors, addressOf });
  await runtime.recover();
  const informers = createInformerFactory({ ...doors, client });
  const proxy = new ServiceProxy({ ...doors, informers, layout, nodeName: facts.nodeName });
  const dns = new DnsServer({
    ...doors,
    informers,
    host: facts.nodeIp,
    port: layout.dnsPort,
    domain: CLUSTER_DOMAIN,
    hostResolvConf: system.read('/etc/resolv.conf') ?? '',
  });
  const agent = createNodeAgent({
    ...doors,
    client,
    informers,
    nodeName: facts.nodeName,
    nodeIp: facts.nodeIp,
    runtime,
    images,
    network,
    host: createLinuxHost({ ...doors, network, dataDir: paths.node }),
    clusterDns: facts.dnsIp,
    clusterDomain: CLUSTER_DOMAIN,
    podCidr: layout.nodePodCidr,
    configuration,
    figures,
    serve: overHttps({
      host: facts.nodeIp,
      port: facts.kubeletPort,
      tls: { ...loadPair(paths.pki, 'kubelet'), clientCa: loadCa(paths.pki) },
      allowedClientCommonNames: [KUBELET_CLIENT_NAME],
    }),
  });
  // Traffic leaves a container that died at once, not only when the API has told everybody.
  runtime.subscribe(({ kind, podUid }) => {
    const ip = kind === 'exited' ? network.addressOf(podUid) : undefined;
    if (ip !== undefined) proxy.suspend(ip);
  }, signal);
  informers.start(signal);
  const running = agent.start(signal);
  const shutdownMs = shutdownMsOf(configuration);
  if (shutdownMs > 0) context.farewell(() => agent.shutDown(), shutdownMs);
  context.ready();
  await Promise.all([running, agent.done, proxy.run(signal), dns.run(signal)]);
  transport.close();
}

/** The way to the API server, in the node's own name, counted. */
function countedTransport(
  { paths, facts }: { readonly paths: DataPaths; readonly facts: ClusterFacts },
  { figures }: AgentFigures,
): Transport {
  // From the certificate itself rather than its kubeconfig: a YAML reader would cost the agent 10 MB.
  const { cert, key } = loadPair(paths.pki, 'node');
  const server = serverUrl(facts);
  const ca = loadCa(paths.pki);
  const identity = { ca, clientCert: cert, clientKey: key, userAgent: NODE_AGENT };
  const transport = createHttpTransport({ server, ...identity });
  return new ClientFigures(figures).counted(transport, new URL(server).host, systemClock);
}

/** The body of `pinnace node`. */
export async function runComponent(dataDir: string): Promise<void> {
  // Whoever starts the agent may keep its own files to itself: a container's root and /etc/hosts are for users of any kind.
  process.umask(0o022);
  await runChild('node', (context) => node(dataDir, context));
}

if (import.meta.main) {
  const dataDir = process.argv[2];
  if (dataDir === undefined) throw new Error('usage: node.ts DATA_DIRECTORY');
  await runComponent(dataDir);
}
