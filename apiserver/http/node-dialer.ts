// The way to node agents over HTTPS with the server's client certificate: logs as streams, exec as upgrades, proxied requests.
// Invariants: a body or socket that nobody reads is destroyed, and no answer is waited for without a limit; only a read is made a
// second time, and only where it took a kept connection that its agent had closed.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { StatusError } from '../../api/status.ts';
import type {
  NodeAddress,
  NodeDialer,
  NodeReply,
  NodeUpgrade,
  ProxyTarget,
} from '../handlers/node-dialer.ts';
import { passRequest, StaleConnection, staleOr } from './pass-request.ts';
import { type AgentIdentity, connectTo } from './proxy-connection.ts';

/** How long an agent may take to answer. */
const ANSWER_TIMEOUT_MS = 30_000;
/** Idle connections kept to each agent. */
export const MAX_FREE_SOCKETS = 8;
/** How long an idle connection is kept, where its agent does not ask for less; Node heeds that only where there is a limit here. */
const IDLE_MS = 60_000;
/** Bytes read of an agent's refusal. */
const MAX_REFUSAL_BYTES = 4096;

/** As whom agents are asked, and how patiently. */
export interface AgentWay extends AgentIdentity {
  /** ANSWER_TIMEOUT_MS unless given. */
  readonly answerTimeoutMs?: number;
  /** IDLE_MS unless given. */
  readonly idleMs?: number;
}

/** A dialer. Agents' certificates are verified against `ca`. */
export function createHttpNodeDialer(options: AgentWay): NodeDialer {
  const { answerTimeoutMs = ANSWER_TIMEOUT_MS, idleMs = IDLE_MS, ...identity } = options;
  const limits = { maxFreeSockets: MAX_FREE_SOCKETS, timeout: idleMs };
  const kept = new Agent({ ...identity, keepAlive: true, ...limits });
  /** A connection for each request. What is upgraded ends its own anyway, and must not be asked for twice. */
  const single = new Agent({ ...identity, keepAlive: false });
  const start = (agent: Agent, { host, port }: NodeAddress, asked: object) => {
    const outgoing = httpsRequest({ host, port, agent, timeout: answerTimeoutMs, ...asked });
    const late = () => outgoing.destroy(new Error(`no answer within ${answerTimeoutMs} ms`));
    return outgoing.on('timeout', late);
  };
  const upgrade: NodeDialer['upgrade'] = (address, path, headers) => {
    const asked = { path, headers: { ...headers, connection: 'Upgrade' } };
    return upgraded(start(single, address, asked)).catch((error: Error) => {
      throw unreachable(address, error);
    });
  };
  return {
    async request(address, path, signal) {
      const read = (agent: Agent) => answered(start(agent, address, { path }), signal);
      try {
        return await read(kept).catch((error: unknown) => {
          // The agent closed it just now; a new one tells whether it is there.
          if (!(error instanceof StaleConnection)) throw error;
          return read(single);
        });
      } catch (error) {
        throw unreachable(address, error as Error);
      }
    },
    upgrade,
    async pass(target, request) {
      try {
        const doors = { identity, upgrade };
        const connection = await connectTo(target, doors);
        return await passRequest({ createConnection: () => connection }, request);
      } catch (cause) {
        const message = `error trying to reach service: ${reasonOf(target, cause as Error)}`;
        throw new StatusError('ServiceUnavailable', message, { cause });
      }
    },
  };
}

/** As upstream's clients read it, where the failure is one that they know. */
function reasonOf(target: ProxyTarget, error: NodeJS.ErrnoException): string {
  if (target.kind === 'pod' || error.code !== 'ECONNREFUSED') return error.message;
  const { host, port } = target.kind === 'node' ? target : target.agent;
  return `dial tcp ${host}:${port}: connect: connection refused`;
}

/** The answer, once it begins. Rejects with StaleConnection where a kept connection turned out to be closed. */
function answered(outgoing: ClientRequest, signal: AbortSignal): Promise<NodeReply> {
  return new Promise((resolve, reject) => {
    const stop = () => outgoing.destroy(new Error('the caller is gone'));
    signal.addEventListener('abort', stop, { once: true });
    outgoing.on('close', () => signal.removeEventListener('abort', stop));
    outgoing.on('error', (error) => reject(staleOr(outgoing, error)));
    outgoing.on('response', (answer) => {
      outgoing.setTimeout(0);
      resolve(replyOf(answer));
    });
    if (signal.aborted) stop();
    outgoing.end();
  });
}

/** The connection, once it is switched. Rejects with what the agent said in place of that. */
function upgraded(outgoing: ClientRequest): Promise<NodeUpgrade> {
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (answer) => {
      refusalOf(answer).then(reject, reject);
    });
    outgoing.on('upgrade', (answer, socket, head) => {
      socket.setTimeout(0);
      resolve({ headers: flat(answer), socket, head });
    });
    outgoing.end();
  });
}

function replyOf(answer: IncomingMessage): NodeReply {
  return {
    status: answer.statusCode ?? 502,
    contentType: answer.headers['content-type'] ?? 'text/plain',
    body: answer,
  };
}

function flat(answer: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  return headers;
}

async function refusalOf(answer: IncomingMessage): Promise<StatusError> {
  let text = '';
  for await (const chunk of answer) {
    text += String(chunk);
    if (text.length >= MAX_REFUSAL_BYTES) break;
  }
  const code = answer.statusCode ?? 502;
  return StatusError.fromStatus({ code, message: text.slice(0, MAX_REFUSAL_BYTES).trim() }, code);
}

/** What the agent itself said stays as it is. */
function unreachable({ host, port }: NodeAddress, cause: Error): StatusError {
  if (cause instanceof StatusError) return cause;
  const message = `error dialing the node's agent at ${host}:${port}: ${cause.message}`;
  return new StatusError('ServiceUnavailable', message, { cause });
}
