// Connections to servers behind APIServices: over TLS, shown the front-proxy certificate, and kept for the next request.
// Invariants: the server's certificate is verified for `SERVICE.NAMESPACE.svc` unless the APIService says otherwise; a kept
// connection serves only who would make the same one anew; nothing idle outlives its limits, a change behind its Service, or close().
import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Clock } from '../../../base/clock.ts';
import { type ConnectionParts, connectService } from '../../webhooks/webhook-connection.ts';
import type { RemoteApiService } from './api-service-table.ts';

/** How long a connection may take to be made. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Idle connections kept to each server. */
export const MAX_IDLE_CONNECTIONS = 25;
/** Idle connections kept to all of them. */
export const MAX_ALL_IDLE_CONNECTIONS = 100;
/** How long an idle connection is kept, where its server does not ask for less. */
export const IDLE_MS = 60_000;

/** What this server shows to those behind it; PEM. */
export interface FrontProxyIdentity {
  readonly cert: string;
  readonly key: string;
}

/** What connections are made with. */
export interface RemoteParts extends ConnectionParts {
  readonly clock: Clock;
  readonly identity: FrontProxyIdentity | undefined;
  /** IDLE_MS unless given. */
  readonly idleMs?: number;
}

/** Why something was given up at its time, in the words of upstream's clients. */
export const TIMED_OUT = new Error('context deadline exceeded');

/** The name that the server's certificate is for. */
export function hostOf({ service: { name, namespace } }: RemoteApiService): string {
  return `${name}.${namespace}.svc`;
}

/** Keeps connections; a request of node:http takes one by `agent` and `remote` among its options. */
export class RemoteConnections extends Agent {
  readonly #parts: RemoteParts;
  readonly #lastUse = new WeakSet<Duplex>();
  #changes = 0;
  #closed = false;

  constructor(parts: RemoteParts) {
    const { idleMs = IDLE_MS } = parts;
    super({ keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS, timeout: idleMs });
    this.#parts = parts;
  }

  /** A connection of one's own, with its handshake made. Rejects when there is no way, and when the signal or the time ends it. */
  async connect(remote: RemoteApiService, signal?: AbortSignal): Promise<TLSSocket> {
    signal?.throwIfAborted();
    const made = Promise.withResolvers<TLSSocket>();
    const giveUp = () => made.reject(signal?.aborted ? (signal.reason as Error) : TIMED_OUT);
    const timer = this.#parts.clock.timer(CONNECT_TIMEOUT_MS, giveUp);
    signal?.addEventListener('abort', giveUp, { once: true });
    const secure = (socket: Duplex) => {
      const secured = connectTls({ socket, ...this.#tlsOptions(remote) });
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
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** What is behind a Service has changed: its idle connections end, those in use with their request. */
  forget(service: { readonly namespace: string; readonly name: string }): void {
    this.#changes++;
    const ofService = (name: string) =>
      name.startsWith(`${service.name}.${service.namespace}.svc:`);
    for (const [name, sockets = []] of Object.entries(this.freeSockets))
      if (ofService(name)) for (const socket of sockets) socket.destroy();
    for (const [name, sockets = []] of Object.entries(this.sockets))
      if (ofService(name)) for (const socket of sockets) this.#lastUse.add(socket);
  }

  /** Ends every connection, in use or not; none is kept from then on. */
  close(): void {
    this.#closed = true;
    this.destroy();
  }

  override getName(options?: object): string {
    const { remote } = options as RemoteOptions;
    const { caBundle = '', insecureSkipTLSVerify = false } = remote.object.spec ?? {};
    const { port } = remote.service;
    return `${hostOf(remote)}:${port} ${insecureSkipTLSVerify ? 'unverified' : caBundle}`;
  }

  override createConnection(
    options: object,
    made?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const changes = this.#changes;
    this.connect((options as RemoteOptions).remote).then(
      (socket) => {
        if (changes !== this.#changes) this.#lastUse.add(socket);
        made?.(null, socket);
      },
      // A failure comes without a socket; Node's own type does not say so.
      (error: Error) => (made as ((error: Error) => void) | undefined)?.(error),
    );
  }

  /** May a connection whose request is over be kept? */
  override keepSocketAlive(socket: Duplex): boolean {
    const idle = Object.values(this.freeSockets).reduce(
      (sum, each) => sum + (each?.length ?? 0),
      0,
    );
    const full = this.#closed || idle >= MAX_ALL_IDLE_CONNECTIONS;
    return !full && !this.#lastUse.has(socket) && keeps(super.keepSocketAlive(socket));
  }

  #tlsOptions(remote: RemoteApiService) {
    const { identity } = this.#parts;
    const { caBundle, insecureSkipTLSVerify = false } = remote.object.spec ?? {};
    return {
      servername: hostOf(remote),
      host: hostOf(remote),
      rejectUnauthorized: !insecureSkipTLSVerify,
      ALPNProtocols: ['http/1.1'],
      ...(caBundle && { ca: Buffer.from(caBundle, 'base64').toString() }),
      ...(identity && { cert: identity.cert, key: identity.key }),
    };
  }
}

/** By which connections are told apart, and new ones are made. */
interface RemoteOptions {
  readonly remote: RemoteApiService;
}

/** Node's own type does not say that it answers. */
const keeps = (answer: unknown): boolean => answer === true;
