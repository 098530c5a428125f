// The node agent: turns the pods that are assigned to this node into containers, and tells the API what became of them.
// Invariants: ends without touching a container; started again, it goes on with what runs.
import { Pods, Services } from '../api/kinds.ts';
import { ClientEventRecorder } from '../client/events/recorder.ts';
import { type KubeletConfiguration, resolveConfiguration } from './configuration.ts';
import { keepLogsSmall, rotationLimits } from './logs/rotation.ts';
import { nodeFactsOf } from './node/node-capacity.ts';
import { keepNodeLease } from './node/node-lease.ts';
import { type NodeObjectFacts, nodeLabels } from './node/node-object.ts';
import { NodeReporter } from './node/node-reporter.ts';
import { MAX_PARALLEL_STARTS, type NodeAgentOptions } from './options.ts';
import { refusalOf } from './pods/node-admission.ts';
import { PodManager } from './pods/pod-manager.ts';
import { StartSlots } from './pods/start-slots.ts';
import { StatusWriter } from './pods/status-writer.ts';
import type { NodeFacts, WorkerParts } from './pods/worker-parts.ts';
import { Prober } from './probes/prober.ts';
import type { ImageCollector } from './pulling/image-collector.ts';
import { nodeImages } from './pulling/node-images.ts';
import type { NodeServer } from './server/node-requests.ts';
import { Sampler } from './stats/sampler.ts';
import { ObjectSources } from './volumes/object-sources.ts';
import { PodTokens } from './volumes/pod-tokens.ts';
import { PodVolumes } from './volumes/pod-volumes.ts';

/** The API level that this agent serves, as nodes show it. */
const AGENT_VERSION = 'v1.36.0+pinnace';

/** A node agent. */
export interface NodeAgent {
  /** Begins; resolves once the server listens and the work has begun. Rejects when the port is taken. */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves once the API has the Node as this agent tells it; never when that never comes. */
  readonly registered: Promise<void>;
  /** Resolves when everything has come to rest after the signal; containers run on. */
  readonly done: Promise<void>;
  /** Where the server listens; undefined without one. */
  readonly port: number | undefined;
}

/** Makes an agent; nothing happens before `start`, which throws ConfigurationError for a configuration that cannot be honoured. */
export function createNodeAgent(options: NodeAgentOptions): NodeAgent {
  return new Agent(options);
}

class Agent implements NodeAgent {
  readonly #options: NodeAgentOptions;
  readonly #done = Promise.withResolvers<void>();
  readonly #registered = Promise.withResolvers<void>();
  #server: NodeServer | undefined;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
    // Whoever starts an agent hears of failures; `done` may be listened to or not.
    this.#done.promise.catch(() => undefined);
  }

  get registered(): Promise<void> {
    return this.#registered.promise;
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  get port(): number | undefined {
    return this.#server?.port;
  }

  async start(signal: AbortSignal): Promise<void> {
    const options = this.#options;
    const host = options.host.prepare();
    const configuration = resolveConfiguration(options.configuration);
    const node = nodeFactsOf(host, configuration);
    const events = new ClientEventRecorder({
      ...options,
      component: 'kubelet',
      host: options.nodeName,
    });
    const makeFacts = async (): Promise<NodeObjectFacts> => ({
      name: options.nodeName,
      ip: options.nodeIp,
      labels: options.labels ?? {},
      taints: options.taints ?? [],
      podCidr: options.podCidr,
      serverPort: this.#server?.port,
      host,
      node,
      runtimeVersion: `${options.runtime.info.name}://${options.runtime.info.version}`,
      agentVersion: AGENT_VERSION,
      images: await options.images.list(),
      problem: undefined,
      nowMs: options.clock.now(),
    });
    const labels = nodeLabels(await makeFacts());
    const { manager, statuses, collector } = makePods(options, {
      configuration,
      node,
      events,
      labels,
      ending: signal,
    });
    const sampler = new Sampler(options, (uid) => {
      const metadata = manager.get(uid)?.metadata;
      return metadata && { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
    });
    this.#server = await options.serve?.({
      ...options,
      logs: options.host.logs,
      connect: (pod, port) => options.host.connect(pod, port),
      pods: {
        list: () => manager.list(),
        find: (namespace, name) => manager.find(namespace, name),
        stats: () => sampler.newest,
      },
    });
    signal.addEventListener('abort', () => statuses.close(), { once: true });
    const reporter = new NodeReporter(options, { facts: makeFacts, events });
    const running = Promise.all([
      manager.run(),
      events.run(signal),
      reporter.run(signal, () => {
        options.logger.info('the node is registered');
        this.#registered.resolve();
      }),
      keepNodeLease(options, signal),
      sampler.run(signal),
      collector.run(signal),
      keepLogsSmall(options, rotationLimits(configuration), signal),
    ]);
    running.then(() => this.#server?.close()).then(() => this.#done.resolve(), this.#done.reject);
  }
}

interface PodsContext {
  readonly configuration: KubeletConfiguration;
  readonly node: NodeFacts;
  readonly events: ClientEventRecorder;
  readonly labels: Readonly<Record<string, string>>;
  readonly ending: AbortSignal;
}

function makePods(
  options: NodeAgentOptions,
  context: PodsContext,
): { manager: PodManager; statuses: StatusWriter; collector: ImageCollector } {
  const { informers, nodeName } = options;
  const pods = informers.informer(Pods, { fieldSelector: `spec.nodeName=${nodeName}` });
  const statuses = new StatusWriter({
    ...options,
    onWritten: (pod) => pods.observeWrite(pod),
  });
  const sources = new ObjectSources(options);
  const prober = new Prober({ ...options, door: options.host.probes });
  const onEnd = () => {
    sources.close();
    prober.close();
  };
  context.ending.addEventListener('abort', onEnd, { once: true });
  const tokens = new PodTokens(options);
  const volumes = new PodVolumes({ files: options.host.volumes, sources, tokens });
  const { events, configuration } = context;
  const { puller, collector } = nodeImages(options, { events, sources, configuration });
  const parts: WorkerParts = {
    options,
    configuration,
    node: context.node,
    events,
    statuses,
    prober,
    volumes,
    sources,
    services: informers.informer(Services),
    slots: new StartSlots(MAX_PARALLEL_STARTS),
    puller,
    ending: context.ending,
    admit: (pod) =>
      refusalOf(pod, {
        node: context.node,
        nodeName,
        nodeLabels: context.labels,
        others: manager.takingRoom(pod.metadata.uid),
      }),
    roomFreed: () => manager.roomFreed(),
    gone: (uid) => {
      puller.forget(uid);
      manager.forget(uid);
    },
  };
  const manager = new PodManager(parts, pods);
  return { manager, statuses, collector };
}
