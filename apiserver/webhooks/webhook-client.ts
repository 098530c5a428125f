// Calls webhooks: posts JSON to the URL or Service of a WebhookClientConfig over HTTPS, and reads a JSON answer.
// For admission and for conversion alike. Invariants: a call ends with its time, with its caller's signal, or with the
// limit of its answer; redirects are not followed; connections are kept between calls and hold no process alive.
import { parseExactJson } from '../../base/exact-json.ts';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, type AgentOptions, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { AdmissionregistrationWebhookClientConfig as WebhookClientConfig } from '../../api/generated/types.ts';
import { StatusError } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import { StaleConnection, staleOr } from '../http/pass-request.ts';
import { connectionFailure, refusal, WebhookCallError } from './call-error.ts';
import {
  type ConnectionParts,
  connectWebhook,
  DEFAULT_PORT,
  type WebhookPeer,
} from './webhook-connection.ts';
import { identityFor, type WebhookIdentities } from './webhook-identity.ts';

/** Bytes of an answer: a patch that brings a whole object of 3 MiB, in base64, and its envelope. */
export const MAX_ANSWER_BYTES = 4.5 * 1024 * 1024;
/** Idle connections kept to each webhook. */
export const MAX_FREE_CONNECTIONS = 8;
/** Connections to one webhook; calls beyond wait for one, within their time. */
export const MAX_CONNECTIONS = 256;
/** How long an idle connection is kept. */
const IDLE_MS = 60_000;

/** One call. */
export interface WebhookCall {
  readonly config: WebhookClientConfig;
  /** JSON text to post. */
  readonly body: string;
  /** How long the whole call may take; the webhook is told. */
  readonly timeoutMs: number;
  /** Ends the call at once. */
  readonly signal: AbortSignal;
  /** Largest answer; MAX_ANSWER_BYTES unless given. */
  readonly maxAnswerBytes?: number;
  /** As whom the webhook is called; as nobody without. */
  readonly identities?: WebhookIdentities | undefined;
}

/** What a client is made from. */
export interface WebhookClientParts extends ConnectionParts {
  readonly clock: Clock;
  /** To one webhook; MAX_CONNECTIONS unless given. */
  readonly maxConnections?: number;
}

/** Calls webhooks; one for the whole server. */
export class WebhookClient {
  readonly #clock: Clock;
  readonly #kept: WebhookAgent;
  /** Makes a connection for each call. */
  readonly #single: WebhookAgent;

  constructor(parts: WebhookClientParts) {
    this.#clock = parts.clock;
    this.#kept = new WebhookAgent(parts, true);
    this.#single = new WebhookAgent(parts, false);
  }

  /** The answer, parsed. Throws WebhookCallError, whose message begins with what was called: `Post "https://…": …`. */
  async post(call: WebhookCall): Promise<unknown> {
    const target = targetOf(call);
    const due = this.#clock.monotonic() + call.timeoutMs;
    try {
      target.authorization = await target.peer.identity?.authorization?.();
      return await this.#attempt(call, target, this.#kept).catch((error: unknown) => {
        // A kept connection may have been closed by the other side just now; one of its own tells whether it is there.
        if (!(error instanceof StaleConnection)) throw error;
        const timeoutMs = Math.max(0, due - this.#clock.monotonic());
        return this.#attempt({ ...call, timeoutMs }, target, this.#single);
      });
    } catch (error) {
      throw callError(error, target);
    }
  }

  /** Ends kept connections; calls after it fail or connect anew. */
  close(): void {
    this.#kept.destroy();
    this.#single.destroy();
  }

  #attempt(call: WebhookCall, target: Target, agent: WebhookAgent): Promise<unknown> {
    const { peer, path, authorization } = target;
    const { body, signal, timeoutMs, maxAnswerBytes = MAX_ANSWER_BYTES } = call;
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest({
        ...agentOptions(peer),
        method: 'POST',
        path,
        agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          accept: 'application/json',
          'user-agent': 'kube-apiserver-admission',
          ...(authorization !== undefined && { authorization }),
        },
      });
      let ended: CallEnded | undefined;
      const end = (why: CallEnded) => {
        ended = why;
        // A request that still waits for its connection tells of its end only once it has one.
        reject(why);
        outgoing.destroy(why);
      };
      const stop = () => end(new CallEnded('context canceled'));
      const late = () => end(new CallEnded('context deadline exceeded', true));
      const timer = this.#clock.timer(timeoutMs, late);
      signal.addEventListener('abort', stop, { once: true });
      outgoing.once('close', () => {
        timer.cancel();
        signal.removeEventListener('abort', stop);
      });
      const failed = (error: Error) => reject(ended ?? error);
      outgoing.on('error', (error) => failed(staleOr(outgoing, error)));
      outgoing.once('response', (answer) => {
        readAnswer(outgoing, answer, maxAnswerBytes).then(resolve, failed);
      });
      if (signal.aborted) stop();
      else outgoing.end(body);
    });
  }
}

/** A call that this side ended. */
class CallEnded extends Error {
  readonly timedOut: boolean;

  constructor(message: string, timedOut = false) {
    super(message);
    this.timedOut = timedOut;
  }
}

async function readAnswer(
  outgoing: ClientRequest,
  answer: IncomingMessage,
  limit: number,
): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) {
      outgoing.destroy();
      throw new CallEnded(`the answer is larger than ${limit} bytes`);
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  const { statusCode = 0 } = answer;
  if (statusCode < 200 || statusCode > 206) throw new Refused(refusal(statusCode, text));
  try {
    return parseExactJson(text);
  } catch {
    throw new CallEnded('the answer is not JSON');
  }
}

/** An answer that says no by its status. */
class Refused extends Error {}

function callError(error: unknown, { url, peer }: Target): WebhookCallError {
  const cause = error as Error;
  // Answers speak for themselves, as upstream has it.
  if (cause instanceof Refused) return new WebhookCallError(cause.message, { cause });
  const ours = cause instanceof CallEnded || cause instanceof StatusError;
  const why = ours ? cause.message : connectionFailure(cause, peer.host);
  const timedOut = cause instanceof CallEnded && cause.timedOut;
  return new WebhookCallError(`Post "${url}": ${why}`, { cause, timedOut });
}

interface Target {
  readonly peer: WebhookPeer;
  readonly path: string;
  readonly url: string;
  /** The header of this call. */
  authorization?: string | undefined;
}

function targetOf({ config, timeoutMs, identities }: WebhookCall): Target {
  const { service, url: text } = config;
  const ca = config.caBundle ? Buffer.from(config.caBundle, 'base64').toString() : undefined;
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----'))
    throw new WebhookCallError(
      'unable to load root certificates: unable to parse bytes as PEM block',
    );
  const as = (host: string, port: number) => identities && identityFor(identities, { host, port });
  const query = `timeout=${Math.ceil(timeoutMs / 1000)}s`;
  if (service) {
    const { name, namespace, port = DEFAULT_PORT, path: wanted = '/' } = service;
    const host = `${name}.${namespace}.svc`;
    const path = `${wanted.startsWith('/') ? '' : '/'}${wanted}?${query}`;
    return {
      peer: { service, host, port, ca, identity: as(host, port) },
      path,
      url: `https://${host}:${port}${path}`,
    };
  }
  const url = new URL(text ?? '');
  url.search = query;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || DEFAULT_PORT);
  return {
    peer: { service: undefined, host, port, ca, identity: as(host, port) },
    path: `${url.pathname}${url.search}`,
    url: url.href,
  };
}

/** By which the agent tells connections apart, and makes new ones. */
interface PeerOptions extends AgentOptions {
  readonly peer: WebhookPeer;
}

const agentOptions = (peer: WebhookPeer): PeerOptions => ({
  host: peer.host,
  port: peer.port,
  peer,
});

/** Keeps connections by peer. */
class WebhookAgent extends Agent {
  readonly #parts: ConnectionParts;

  constructor(parts: WebhookClientParts, keepAlive: boolean) {
    super({
      keepAlive,
      maxSockets: parts.maxConnections ?? MAX_CONNECTIONS,
      maxFreeSockets: MAX_FREE_CONNECTIONS,
      timeout: IDLE_MS,
    });
    this.#parts = parts;
  }

  override getName(options?: AgentOptions): string {
    const { host, port, service, ca = '', identity } = (options as PeerOptions).peer;
    return `${service ? 'service' : 'host'} ${host}:${port} ${ca} ${identity?.cert ?? ''}`;
  }

  override createConnection(
    options: object,
    made?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    connectWebhook(this.#parts, (options as PeerOptions).peer).then(
      (socket) => made?.(null, socket),
      // A failure comes without a socket; Node's own type does not say so.
      (error: Error) => (made as ((error: Error) => void) | undefined)?.(error),
    );
  }
}
