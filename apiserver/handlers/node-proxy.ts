// Logs, commands and port-forwarding of pods: passed through to the agent of the pod's node.
// Invariant: bytes go through untouched and unbuffered; the agent is asked as the server, after the caller was authorized.
import { table } from '../../base/table.ts';
import type { Pod } from '../../api/generated/types.ts';
import { badRequest, StatusError } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import { agentAddress } from './agent-address.ts';
import { admittedQuery } from './connect-options.ts';
import { joinedConnection } from './joined-connection.ts';
import type { NodeAddress, NodeDialer } from './node-dialer.ts';

/** Query parameters of logs that the agent knows. */
const LOG_PARAMETERS = [
  'follow',
  'previous',
  'tailLines',
  'sinceSeconds',
  'sinceTime',
  'timestamps',
  'limitBytes',
  'stream',
];
/** Headers of an upgrade that must reach the agent as they are. */
const UPGRADE_HEADERS = [
  'upgrade',
  'x-stream-protocol-version',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
];

/** What the agent calls a subresource. */
const AGENT_VERBS: Readonly<Record<string, string>> = table({
  exec: 'exec',
  attach: 'attach',
  portforward: 'portForward',
});

/** GET pods/NAME/log. */
export async function log(exchange: Exchange): Promise<Reply> {
  const { request } = exchange;
  const container = request.query.get('container');
  const target = await targetOf(exchange, { container });
  const query = new URLSearchParams();
  for (const name of LOG_PARAMETERS) {
    const value = request.query.get(name);
    if (value !== null) query.set(name, value);
  }
  const path = `/containerLogs/${target.path}?${query.toString()}`;
  const reply = await target.dialer.request(target.address, path, request.signal);
  return {
    kind: 'stream',
    status: reply.status,
    headers: { 'content-type': reply.contentType },
    body: reply.body,
  };
}

/** pods/NAME/exec, attach and portforward: an upgraded connection, agent to caller. */
export async function stream(exchange: Exchange): Promise<Reply> {
  const { request, info } = exchange;
  const verb = AGENT_VERBS[info.subresource ?? ''];
  const query = new URLSearchParams(await admittedQuery(exchange));
  const container = query.get('container');
  const target = await targetOf(exchange, verb === 'portForward' ? 'pod' : { container });
  const headers: Record<string, string> = {};
  for (const name of UPGRADE_HEADERS) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  if (headers['upgrade'] === undefined) throw badRequest('Upgrade request required');
  query.delete('container');
  const path = `/${verb}/${target.path}?${query.toString()}`;
  const upgrade = await target.dialer.upgrade(target.address, path, headers);
  return { kind: 'upgrade', connection: joinedConnection(upgrade) };
}

interface Target {
  readonly dialer: NodeDialer;
  readonly address: NodeAddress;
  /** `namespace/pod`, and `/container` for what is about one. */
  readonly path: string;
}

async function targetOf(
  { definition, info, server }: Exchange,
  about: 'pod' | { readonly container: string | null },
): Promise<Target> {
  const { nodeDialer } = server;
  if (!nodeDialer) throw new StatusError('ServiceUnavailable', 'this server has no way to nodes');
  const name = info.name ?? '';
  await server.store.barrier();
  const at = { definition, namespace: info.namespace, name };
  const pod = server.registry.get(at).object() as unknown as Pod;
  const container = about === 'pod' ? [] : [containerOf(pod, about.container)];
  const node = pod.spec?.nodeName;
  if (!node) throw badRequest(`pod ${name} does not have a host assigned`);
  const address = agentAddress(server.store, node);
  const path = [info.namespace, name, ...container].map(encodeURIComponent).join('/');
  return { dialer: nodeDialer, address, path };
}

function containerOf(pod: Pod, asked: string | null): string {
  const name = pod.metadata.name ?? '';
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const all = [...initContainers, ...containers, ...ephemeralContainers].map((c) => c.name);
  if (asked) {
    if (all.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  const own = containers.map((c) => c.name);
  if (own.length === 1) return own[0] ?? '';
  throw badRequest(
    `a container name must be specified for pod ${name}, choose one of: [${own.join(' ')}]`,
  );
}
