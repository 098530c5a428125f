// An API server in front, a node's agent, and API servers behind Services: the example's kitchen, or whatever a test listens with.
// Invariant: real certificates all the way; each call is a cluster of its own; close() leaves no file and no socket behind.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKitchen } from '../../examples/02-aggregated-api/server.ts';
import { API_VERSION, GROUP, Recipes, VERSION } from '../../examples/02-aggregated-api/recipes.ts';
import type { APIService, APIServiceSpec, Pod } from '../../api/generated/types.ts';
import type { ApiServerOptions } from '../../apiserver/options.ts';
import { systemClock } from '../../base/clock.ts';
import { FRONT_PROXY_NAME } from '../../cli/serve/certificates.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';
import { aProxiedNode, type ProxiedNode } from './proxied-node.ts';
import { startTestServer, type TestServer } from './server.ts';
import { until } from './until.ts';

/** The paths of the kitchen. */
export const KITCHEN = `/apis/${API_VERSION}`;
export const RECIPES = `${KITCHEN}/namespaces/default/recipes`;
/** The kitchen's APIService. */
export const API_SERVICE = `${VERSION}.${GROUP}`;

/** Key and certificate, PEM. */
export interface Pair {
  readonly key: string;
  readonly cert: string;
}

/** A cluster with API servers behind it. */
export interface AggregatedApi {
  readonly server: TestServer;
  /** Who signs the certificates of servers behind Services; base64, as caBundle has it. */
  readonly caBundle: string;
  /** The front proxy's authority, PEM. */
  readonly frontProxyCa: string;
  readonly recipes: Recipes;
  /** A certificate for a Service in the namespace `default`, or for several of them. */
  pairFor(service: string, all?: readonly string[]): Promise<Pair>;
  /** Has a pod and a Service of that name lead to a server, which listens from then on at a free port. */
  putBehind(service: string, server: Server): Promise<void>;
  /** Registers another server for a group and version; the spec is the kitchen's unless changed. */
  register(change?: Partial<APIServiceSpec>): Promise<void>;
  /** The condition Available of an APIService, as `reason: message`. */
  condition(name?: string): Promise<string>;
  /** Resolves once an APIService, the kitchen's unless named, has a condition with that reason. */
  becomes(reason: string, name?: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts one, with the kitchen behind the Service `kitchen`, not registered yet. */
export async function anAggregatedApi(
  options: Partial<ApiServerOptions> = {},
): Promise<AggregatedApi> {
  const folder = mkdtempSync(join(tmpdir(), 'aggregated-'));
  const node = await aProxiedNode();
  const front = await CertificateAuthority.open(folder, systemClock, 'front-proxy-ca');
  const authority = await CertificateAuthority.open(folder, systemClock);
  const shown = await front.issue({
    file: 'front',
    commonName: FRONT_PROXY_NAME,
    usage: 'client',
  });
  const ca = readFileSync(join(folder, 'ca.crt'), 'utf8');
  const frontProxyCa = readFileSync(join(folder, 'front-proxy-ca.crt'), 'utf8');
  const server = await startTestServer({
    nodeDialer: node.dialer,
    frontProxy: { ...shown, name: FRONT_PROXY_NAME, ca: frontProxyCa, clientCa: ca },
    ...options,
  });
  const behind: Server[] = [];
  await aNode(server, node);
  const pairFor = (service: string, all: readonly string[] = [service]) =>
    authority.issue({
      file: service,
      commonName: service,
      usage: 'server',
      names: all.map((each) => ({ type: 'dns', value: `${each}.default.svc` })),
    });
  const recipes = new Recipes();
  const putBehind: AggregatedApi['putBehind'] = async (service, each) => {
    const port = await listening(each);
    behind.push(each);
    await aService(server, node, { service, port });
  };
  const pair = await pairFor('kitchen');
  const frontProxyNames = [FRONT_PROXY_NAME];
  await putBehind('kitchen', createKitchen({ ...pair, frontProxyCa, frontProxyNames }, recipes));
  const condition = async (name = API_SERVICE) => {
    const path = `/apis/apiregistration.k8s.io/v1/apiservices/${name}`;
    const { status } = (await server.call('GET', path)).json() as APIService;
    const found = status?.conditions?.find(({ type }) => type === 'Available');
    return `${found?.reason}: ${found?.message}`;
  };
  const caBundle = Buffer.from(ca).toString('base64');
  return {
    server,
    caBundle,
    frontProxyCa,
    recipes,
    pairFor,
    putBehind,
    register: (change = {}) => register(server, { caBundle, ...change }),
    condition,
    becomes: (reason, name) => until(async () => (await condition(name)).startsWith(`${reason}:`)),
    async close() {
      await server.close();
      for (const each of behind) each.closeAllConnections();
      await Promise.all(behind.map((each) => new Promise((resolve) => each.close(resolve))));
      await node.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

async function create(server: TestServer, path: string, body: object): Promise<Pod> {
  const answer = await server.call('POST', path, { body });
  if (answer.status !== 201) throw new Error(`${path}: ${answer.text}`);
  return answer.json() as Pod;
}

async function setStatus(server: TestServer, path: string, status: object): Promise<Pod> {
  const headers = { 'content-type': 'application/merge-patch+json' };
  const answer = await server.call('PATCH', `${path}/status`, { body: { status }, headers });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.text}`);
  return answer.json() as Pod;
}

async function aNode(server: TestServer, { port }: ProxiedNode): Promise<void> {
  await create(server, '/api/v1/nodes', { metadata: { name: 'n1' } });
  await setStatus(server, '/api/v1/nodes/n1', {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  });
  const accounts = '/api/v1/namespaces/default/serviceaccounts';
  await create(server, accounts, { metadata: { name: 'default' } });
}

let pods = 0;

async function aService(
  server: TestServer,
  node: ProxiedNode,
  { service, port }: { service: string; port: number },
): Promise<void> {
  const core = '/api/v1/namespaces/default';
  const ip = `10.77.0.${++pods}`;
  await create(server, `${core}/pods`, {
    metadata: { name: service },
    spec: { nodeName: 'n1', containers: [{ name: 'a', image: 'a' }] },
  });
  const pod = await setStatus(server, `${core}/pods/${service}`, { podIP: ip, podIPs: [{ ip }] });
  node.pods.set(`default/${service}`, { ...pod, status: { podIP: '127.0.0.1' } });
  await create(server, `${core}/services`, {
    metadata: { name: service },
    spec: { ports: [{ port: 443, targetPort: port }] },
  });
  const targetRef = { kind: 'Pod', namespace: 'default', name: service };
  await create(server, `${core}/endpoints`, {
    metadata: { name: service },
    subsets: [{ addresses: [{ ip, targetRef }], ports: [{ port }] }],
  });
}

async function register(server: TestServer, change: Partial<APIServiceSpec>): Promise<void> {
  const spec: APIServiceSpec = {
    group: GROUP,
    version: VERSION,
    groupPriorityMinimum: 2000,
    versionPriority: 10,
    service: { namespace: 'default', name: 'kitchen' },
    ...change,
  };
  await create(server, '/apis/apiregistration.k8s.io/v1/apiservices', {
    metadata: { name: `${spec.version}.${spec.group}` },
    spec,
  });
}
