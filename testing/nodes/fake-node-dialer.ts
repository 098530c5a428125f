// The API server's way to fake nodes: their agents are asked by a call, and commands go over a pair of streams.
// Invariant: a node that is cut off, or not there, is told of as one that cannot be reached.
import { createServer, type IncomingMessage, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { StatusError } from '../../api/status.ts';
import type {
  NodeAddress,
  NodeDialer,
  NodeReply,
  NodeUpgrade,
  PassedReply,
} from '../../apiserver/handlers/node-dialer.ts';
import {
  answerNodeRequest,
  JSON_TYPE,
  type NodeRequestParts,
  type ServeNode,
} from '../../kubelet/server/node-requests.ts';
import { NodeUpgrades } from '../../kubelet/server/node-upgrades.ts';
import { RequestFailure } from '../../kubelet/server/request-failure.ts';
import { connectedPair } from '../../streams/connected-pair.ts';

/** The port that agents of fake nodes say they listen on; none does. */
export const AGENT_PORT = 10_250;

interface Agent {
  readonly parts: NodeRequestParts;
  readonly upgrades: NodeUpgrades;
  readonly reachable: () => boolean;
}

/** The way; given to the API server when it is made, and to nodes as they come. */
export class FakeNodeDialer implements NodeDialer {
  readonly #agents = new Map<string, Agent>();

  /** What a node's agent serves by; `reachable` is asked at each request. */
  serving(host: string, reachable: () => boolean): ServeNode {
    return async (parts) => {
      const agent = { parts, upgrades: new NodeUpgrades(parts), reachable };
      this.#agents.set(host, agent);
      const close = async () => {
        agent.upgrades.close();
        // Another agent may serve the node by now.
        if (this.#agents.get(host) === agent) this.#agents.delete(host);
      };
      return { port: AGENT_PORT, close };
    };
  }

  async request(address: NodeAddress, path: string, signal: AbortSignal): Promise<NodeReply> {
    const { parts } = this.#agentAt(address);
    try {
      const { contentType, body } = await answerNodeRequest(parts, path, signal);
      return { status: 200, contentType, body: typeof body === 'string' ? chunks(body) : body };
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      const { code, message } = error;
      const status = StatusError.fromStatus({ code, message }).toStatus();
      return { status: code, contentType: JSON_TYPE, body: chunks(JSON.stringify(status)) };
    }
  }

  async upgrade(
    address: NodeAddress,
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<NodeUpgrade> {
    const { upgrades } = this.#agentAt(address);
    const [near, far] = connectedPair();
    const server = createServer();
    server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      upgrades.serve({ request, socket, head }).catch((error: unknown) => refuse(error, socket));
    });
    server.emit('connection', far);
    return await upgraded(near, path, headers);
  }

  async pass(): Promise<PassedReply> {
    const why = 'the containers of this node are played: nothing listens in them';
    throw new StatusError('ServiceUnavailable', `error trying to reach service: ${why}`);
  }

  #agentAt({ host, port }: NodeAddress): Agent {
    const agent = port === AGENT_PORT ? this.#agents.get(host) : undefined;
    if (agent?.reachable()) return agent;
    const message = `error dialing the node's agent at ${host}:${port}: it cannot be reached`;
    throw new StatusError('ServiceUnavailable', message);
  }
}

// oxlint-disable-next-line typescript/require-await -- an async generator is what gives the iterable
async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

function upgraded(
  connection: Duplex,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<NodeUpgrade> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      createConnection: () => connection,
      path,
      headers: { ...headers, connection: 'Upgrade' },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (answer) => {
      refusalOf(answer).then(reject, reject);
    });
    outgoing.on('upgrade', (answer, socket, head) =>
      resolve({ headers: flat(answer), socket, head }),
    );
    outgoing.end();
  });
}

function refuse(error: unknown, socket: Duplex): void {
  const { message } = error as Error;
  const code = error instanceof RequestFailure ? error.code : 500;
  const head = `HTTP/1.1 ${code} Refused\r\ncontent-length: ${Buffer.byteLength(message)}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${message}`);
}

async function refusalOf(answer: IncomingMessage): Promise<StatusError> {
  const parts: string[] = [];
  for await (const part of answer) parts.push(String(part));
  const code = answer.statusCode ?? 502;
  return StatusError.fromStatus({ code, message: parts.join('').trim() }, code);
}

function flat(answer: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  return headers;
}
