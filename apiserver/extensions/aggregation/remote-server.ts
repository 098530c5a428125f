// Requests to a server behind an APIService: what answers at its Service's port, asked in the name of who asks here.
// Invariants: a request goes over a kept connection unless it upgrades or is this server's own, which must tell whether a new one can
// be made; it is sent a second time only where the first never counts; it ends with its signal; an answer that is kept has a limit.
import { SUPERUSERS } from '../../../api/rbac/evaluate.ts';
import { StatusError } from '../../../api/status.ts';
import type { UserInfo } from '../../../api/wire/exchange.ts';
import type { PassedReply, PassedRequest } from '../../handlers/node-dialer.ts';
import { passRequest, StaleConnection } from '../../http/pass-request.ts';
import { connectionFailure } from '../../webhooks/call-error.ts';
import type { RemoteApiService } from './api-service-table.ts';
import { remoteUserHeaders } from './front-proxy-headers.ts';
import { hostOf, RemoteConnections, type RemoteParts, TIMED_OUT } from './remote-connections.ts';

/** Who asks when the server asks for itself, as upstream. */
const AGGREGATOR: UserInfo = { username: 'system:kube-aggregator', groups: [SUPERUSERS] };

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
  readonly #connections: RemoteConnections;

  constructor(parts: RemoteParts) {
    this.#parts = parts;
    this.#connections = new RemoteConnections(parts);
  }

  /** Passes a request on in a user's name. Rejects with an Error in the words of upstream's clients. */
  async pass(
    remote: RemoteApiService,
    user: UserInfo,
    request: PassedRequest,
  ): Promise<PassedReply> {
    const named = inNameOf(remote, user, request);
    try {
      if ('upgrade' in request.headers) return await this.#passAlone(remote, named);
      const kept = { agent: this.#connections, remote };
      return await passRequest(kept, named).catch((error: unknown) => {
        // The server closed it just now. Whether it has done what it was asked is not known.
        if (!(error instanceof StaleConnection) || !isRepeatable(request)) throw error;
        return this.#passAlone(remote, named);
      });
    } catch (error) {
      throw new Error(wordsFor(error as Error, remote, request.signal), { cause: error });
    }
  }

  /** What is behind a Service has changed: no further request goes over a connection from before. */
  forget(service: { readonly namespace: string; readonly name: string }): void {
    this.#connections.forget(service);
  }

  /** Ends every connection. */
  close(): void {
    this.#connections.close();
  }

  async #passAlone(remote: RemoteApiService, request: PassedRequest): Promise<PassedReply> {
    const connection = await this.#connections.connect(remote, request.signal);
    return passRequest({ createConnection: () => connection }, request);
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

  /** Asks as this server itself, over a connection of its own that ends with what `use` answers. */
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
      const own = inNameOf(remote, AGGREGATOR, { ...request, signal: ending.signal });
      const reply = await this.#passAlone(remote, own);
      if (reply.kind === 'answer') return await use(reply);
      reply.socket.destroy();
      throw new Error('the answer is an upgrade that nobody asked for');
    } catch (error) {
      const { signal: ended } = ending;
      throw ended.aborted ? TIMED_OUT : new Error(wordsFor(error as Error, remote, ended));
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', stop);
      stop();
    }
  }
}

function inNameOf(remote: RemoteApiService, user: UserInfo, request: PassedRequest): PassedRequest {
  const { port } = remote.service;
  const host = hostOf(remote) + (port === 443 ? '' : `:${port}`);
  return { ...request, headers: { ...request.headers, ...remoteUserHeaders(user), host } };
}

/** Is it the same whether a server heard it once or twice? And is it still here to be sent again? */
const isRepeatable = ({ method, body }: PassedRequest): boolean =>
  body === undefined && ['GET', 'HEAD', 'OPTIONS'].includes(method);

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
