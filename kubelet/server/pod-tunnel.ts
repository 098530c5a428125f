// Connections of the API server to ports of this node's pods: what proxied requests go through, wherever the node is.
// Asked as an upgrade to `tcp` at /podConnection/NAMESPACE/POD/UID/PORT; after the 101 the pod's bytes follow.
// Invariants: nothing but a pod of this node is connected to, by its own address; bytes pass unchanged and no faster than
// the slower side takes them; connections end with the agent.
import { table } from '../../base/table.ts';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { joinDuplexes } from '../../streams/joined.ts';
import type { NodePods } from './node-pods.ts';
import { RequestFailure } from './request-failure.ts';
import type { UpgradeRequest } from './spdy-upgrade.ts';

/** How long a pod may take to accept. */
const CONNECT_TIMEOUT_MS = 30_000;
const ACCEPTED = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: tcp\r\n\r\n';

/** Failures in the words that upstream's clients know. */
const WORDS: Readonly<Record<string, string>> = table({
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
});

/** All such connections of this node. */
export class PodTunnels {
  readonly #connections = new Set<Duplex>();

  /** Takes the connection over once the pod has accepted. Rejects with RequestFailure before. */
  async serve(
    { request, socket, head }: UpgradeRequest,
    pods: NodePods,
    path: readonly string[],
  ): Promise<void> {
    if (request.headers.upgrade?.toLowerCase() !== 'tcp')
      throw new RequestFailure(400, 'a connection to a pod is an upgrade to tcp');
    const target = targetOf(pods, path);
    // The pod's side may end its half first, and the caller's then still be heard.
    const pod = connect({ ...target, allowHalfOpen: true });
    const abandon = () => pod.destroy(new Error('the caller is gone'));
    socket.once('close', abandon);
    await accepted(pod, target);
    socket.off('close', abandon);
    socket.write(ACCEPTED);
    if (head.length > 0) pod.write(head);
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
    joinDuplexes(socket, pod);
  }

  /** Ends all connections. */
  close(): void {
    for (const connection of this.#connections) connection.destroy();
  }
}

interface Target {
  readonly host: string;
  readonly port: number;
}

function targetOf(
  pods: NodePods,
  [, ns = '', name = '', uid, text = '']: readonly string[],
): Target {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new RequestFailure(400, `invalid port "${text}"`);
  const found = pods.find(ns, name);
  if (found?.pod.metadata.uid !== uid)
    throw new RequestFailure(404, `pod "${ns}/${name}" is not on this node`);
  const host = found?.podIp;
  if (!host) throw new RequestFailure(503, `pod "${ns}/${name}" has no address yet`);
  return { host, port };
}

/** Resolves once the pod has accepted; rejects with RequestFailure. */
function accepted(pod: Socket, { host, port }: Target): Promise<void> {
  return new Promise((resolve, reject) => {
    const timeout = Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' });
    pod.setTimeout(CONNECT_TIMEOUT_MS, () => pod.destroy(timeout));
    const refused = (error: NodeJS.ErrnoException) => {
      const why = WORDS[error.code ?? ''] ?? error.message;
      reject(new RequestFailure(502, `dial tcp ${host}:${port}: ${why}`));
    };
    pod.once('error', refused);
    pod.once('connect', () => {
      pod.setTimeout(0);
      pod.off('error', refused);
      resolve();
    });
  });
}
