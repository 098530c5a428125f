// The way to node agents over HTTPS with the server's client certificate: logs as streams, exec as upgrades, proxied requests.
// Invariant: a body or socket that nobody reads is destroyed, and no answer is waited for without a limit.
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { StatusError } from '../../api/status.ts';
import type {
  NodeAddress,
  NodeDialer,
  NodeReply,
  NodeUpgrade,
  ProxyTarget,
} from '../handlers/node-dialer.ts';
import { passRequest } from './pass-request.ts';
import { type AgentIdentity, connectTo } from './proxy-connection.ts';

/** How long an agent may take to answer. */
const ANSWER_TIMEOUT_MS = 30_000;
/** Connections kept open to each agent. */
const MAX_FREE_SOCKETS = 8;
/** Bytes read of an agent's refusal. */
const MAX_REFUSAL_BYTES = 4096;

/** A dialer. Agents' certificates are verified against `ca`. */
export function createHttpNodeDialer(options: AgentIdentity): NodeDialer {
  const agent = new Agent({ ...options, keepAlive: true, maxFreeSockets: MAX_FREE_SOCKETS });
  const start = (address: NodeAddress, path: string, headers: Readonly<Record<string, string>>) =>
    httpsRequest({ ...address, path, agent, headers, timeout: ANSWER_TIMEOUT_MS });
  const upgrade: NodeDialer['upgrade'] = (address, path, headers) =>
    new Promise<NodeUpgrade>((resolve, reject) => {
      const asked = { ...headers, connection: 'Upgrade' };
      const outgoing = start(address, path, asked);
      outgoing.on('timeout', () => outgoing.destroy());
      outgoing.on('error', (error) => reject(unreachable(address, error)));
      outgoing.on('response', (answer) => {
        refusalOf(answer).then(reject, reject);
      });
      outgoing.on('upgrade', (answer, socket, head) => {
        socket.setTimeout(0);
        resolve({ headers: flat(answer), socket, head });
      });
      outgoing.end();
    });
  return {
    request: (address, path, signal) =>
      new Promise<NodeReply>((resolve, reject) => {
        const outgoing = start(address, path, {});
        const stop = () => outgoing.destroy();
        signal.addEventListener('abort', stop, { once: true });
        outgoing.on('close', () => signal.removeEventListener('abort', stop));
        outgoing.on('timeout', stop);
        outgoing.on('error', (error) => reject(unreachable(address, error)));
        outgoing.on('response', (answer) => {
          outgoing.setTimeout(0);
          resolve(replyOf(answer));
        });
        if (signal.aborted) stop();
        outgoing.end();
      }),
    upgrade,
    async pass(target, request) {
      try {
        const doors = { identity: options, upgrade };
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

function unreachable({ host, port }: NodeAddress, cause: Error): StatusError {
  const message = `error dialing the node's agent at ${host}:${port}: ${cause.message}`;
  return new StatusError('ServiceUnavailable', message, { cause });
}
