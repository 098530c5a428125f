// Connections to what proxied requests are for: a node's agent, a pod through that agent, a node's own port.
// Invariant: agents are verified and asked with the server's certificate; pods and nodes' ports get no credential of it.
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { NodeDialer, ProxyTarget } from '../handlers/node-dialer.ts';

/** How long a connection may take to be made. */
const CONNECT_TIMEOUT_MS = 30_000;

/** The server's identity towards agents, and who signs theirs; PEM. */
export interface AgentIdentity {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

/** Opens a connection. Rejects with what went wrong, in words for people. */
export async function connectTo(
  target: ProxyTarget,
  { identity, upgrade }: { identity: AgentIdentity; upgrade: NodeDialer['upgrade'] },
): Promise<Duplex> {
  switch (target.kind) {
    case 'agent':
      return secured({ ...identity, ...target.agent });
    case 'node':
      return target.secure
        ? secured({ host: target.host, port: target.port, rejectUnauthorized: false })
        : ready(connectTcp({ host: target.host, port: target.port }), 'connect');
    case 'pod': {
      const socket = await podConnection(target, upgrade);
      if (!target.secure) return socket;
      return secured({ socket, rejectUnauthorized: false }).catch((error: unknown) => {
        socket.destroy();
        throw error;
      });
    }
  }
}

/** Bytes to and from a port of a pod, through its node's agent. Rejects with what went wrong. */
export async function podConnection(
  { agent, namespace, name, uid, port }: ProxyTarget & { readonly kind: 'pod' },
  upgrade: NodeDialer['upgrade'],
): Promise<Duplex> {
  const path = ['podConnection', namespace, name, uid, String(port)].map(encodeURIComponent);
  const { socket, head } = await upgrade(agent, `/${path.join('/')}`, { upgrade: 'tcp' });
  if (head.length > 0) socket.unshift(Buffer.from(head));
  return socket;
}

function secured(options: ConnectionOptions): Promise<Duplex> {
  return ready(connectTls({ ALPNProtocols: ['http/1.1'], ...options }), 'secureConnect');
}

type Socket = ReturnType<typeof connectTcp>;

function ready(socket: Socket, event: 'connect' | 'secureConnect'): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('i/o timeout')));
    socket.once('error', reject);
    socket.once(event, () => {
      socket.setTimeout(0);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
