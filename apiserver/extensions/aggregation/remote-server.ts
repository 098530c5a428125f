// The way to a server behind an APIService: what answers at its Service's port, over TLS, shown the front-proxy certificate.
// Invariants: the server's certificate is verified for `SERVICE.NAMESPACE.svc` unless the APIService says otherwise; a request
// goes over a connection of its own and ends with its signal; an answer that is kept has a limit of size and time.
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { StatusError } from '../../../api/status.ts';
import type { UserInfo } from '../../../api/wire/exchange.ts';
import type { Clock } from '../../../base/clock.ts';
import type { PassedReply, PassedRequest } from '../../handlers/node-dialer.ts';
import { passRequest } from '../../http/pass-request.ts';
import { connectionFailure } from '../../webhooks/call-error.ts';
import { type ConnectionParts, connectService } from '../../webhooks/webhook-connection.ts';
import type { RemoteApiService } from './api-service-table.ts';
import { remoteUserHeaders } from './front-proxy-headers.ts';

/** How long a connection may take to be made. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Who asks when the server asks for itself, as upstream. */
const AGGREGATOR: UserInfo = { username: 'system:kube-aggregator', groups: ['system:masters'] };

/** What this server shows to those behind it; PEM. */
export interface FrontProxyIdentity {
  readonly cert: string;
  readonly key: string;
}

/** What connections are made with. */
export interface RemoteParts extends ConnectionParts {
  readonly clock: Clock;
  readonly identity: FrontProxyIdentity | undefined;
}

/** A request of this server's own. */
export interface Asked {
  readonly path: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A document to read whole. */
export interface DocumentRequest extends Asked {
  readonly accept: string;
  /** The digest of the copy that is here already. */
  readonly etag?: string | undefined;
  readonly maxBytes: number;
}

/** An answer, wholly read. */
export interface RemoteDocument {
  readonly status: number;
  readonly etag: string | undefined;
  readonly text: string;
}

/** Reaches servers behind APIServices; one for the whole server. */
export class RemoteServers {
  readonly #parts: RemoteParts;

  constructor(parts: RemoteParts) {
    this.#parts = parts;
  }

  /** Passes a request on in a user's name. Rejects with an Error in the words of upstream's clients. */
  async pass(
    remote: RemoteApiService,
    user: UserInfo,
    request: PassedRequest,
  ): Promise<PassedReply> {
    const { signal } = request;
    try {
      const connection = await this.#connect(remote, signal);
      const { port } = remote.service;
      const host = hostOf(remote) + (port === 443 ? '' : `:${port}`);
      const headers = { ...request.headers, ...remoteUserHeaders(user), host };
      return await passRequest(connection, { ...request, headers });
    } catch (error) {
      throw new Error(wordsFor(error as Error, remote, signal), { cause: error });
    }
  }

  /** Reads a document as this server itself. Rejects as `pass`, and when a limit is passed. */
  read(remote: RemoteApiService, asked: DocumentRequest): Promise<RemoteDocument> {
    const { accept, etag, maxBytes } = asked;
    const headers = { accept, ...(etag !== undefined && { 'if-none-match': etag }) };
    return this.#ask(remote, { ...asked, headers }, async (answer) => {
      const found = answer.headers['etag'];
      const text = await textOf(answer.body, maxBytes);
      return { status: answer.status, etag: typeof found === 'string' ? found : undefined, text };
    });
  }

  /** The status of an answer whose body nobody reads. Rejects as `pass`, and when the time is over. */
  status(remote: RemoteApiService, asked: Asked): Promise<number> {
    const headers = { accept: 'application/json' };
    return this.#ask(remote, { ...asked, headers }, ({ status }) => Promise.resolve(status));
  }

  /** Asks as this server itself; the connection ends with what `use` answers. */
  async #ask<T>(
    remote: RemoteApiService,
    { path, timeoutMs, signal, headers }: Asked & Pick<PassedRequest, 'headers'>,
    use: (answer: Extract<PassedReply, { kind: 'answer' }>) => Promise<T>,
  ): Promise<T> {
    const ending = new AbortController();
    const stop = () => ending.abort(TIMED_OUT);
    const timer = this.#parts.clock.timer(timeoutMs, stop);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const request = { method: 'GET', target: path, headers, body: undefined };
      const reply = await this.pass(remote, AGGREGATOR, { ...request, signal: ending.signal });
      if (reply.kind === 'answer') return await use(reply);
      reply.socket.destroy();
      throw new Error('the answer is an upgrade that nobody asked for');
    } catch (error) {
      throw ending.signal.aborted ? TIMED_OUT : error;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', stop);
      stop();
    }
  }

  /** A connection with its handshake made. */
  async #connect(remote: RemoteApiService, signal: AbortSignal): Promise<TLSSocket> {
    signal.throwIfAborted();
    const { identity, clock } = this.#parts;
    const { caBundle, insecureSkipTLSVerify = false } = remote.object.spec ?? {};
    const made = Promise.withResolvers<TLSSocket>();
    const giveUp = () => made.reject(signal.aborted ? (signal.reason as Error) : TIMED_OUT);
    const timer = clock.timer(CONNECT_TIMEOUT_MS, giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    const secure = (socket: Duplex) => {
      const secured = connectTls({
        socket,
        servername: hostOf(remote),
        host: hostOf(remote),
        rejectUnauthorized: !insecureSkipTLSVerify,
        ALPNProtocols: ['http/1.1'],
        ...(caBundle && { ca: Buffer.from(caBundle, 'base64').toString() }),
        ...(identity && { cert: identity.cert, key: identity.key }),
      });
      // For as long as they live: an error that nobody hears would end the process.
      socket.on('error', (error) => secured.destroy(error));
      secured.on('error', made.reject);
      secured.once('close', () => made.reject(new Error('EOF')));
      secured.once('secureConnect', () => made.resolve(secured));
      made.promise.catch(() => secured.destroy());
    };
    connectService(this.#parts, remote.service).then(secure, made.reject);
    try {
      return await made.promise;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', giveUp);
    }
  }
}

const TIMED_OUT = new Error('context deadline exceeded');

/** The name that the server's certificate is for. */
function hostOf({ service: { name, namespace } }: RemoteApiService): string {
  return `${name}.${namespace}.svc`;
}

function wordsFor(error: Error, remote: RemoteApiService, signal: AbortSignal): string {
  if (signal.aborted) return (signal.reason as Error).message;
  if (error instanceof StatusError) return error.message;
  return connectionFailure(error, hostOf(remote));
}

async function textOf(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
