// Connections to ports of pods through the API server: one as a stream, or as many as come to a local port.
// Protocol: port-forward over v4.channel.k8s.io, a WebSocket for each connection; data on channel 0, failures on channel 1, each
// beginning with the port's number in two bytes.
// Invariants: bytes pass unchanged and no faster than the slower side takes them; a connection ends with its WebSocket.
// A half close cannot be said in this protocol: once this side has ended, the pod may go on until it is quiet for LINGER_MS.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type Clock, systemClock, type Timer } from '../../base/clock.ts';
import { resourcePath } from '../../api/kind-ref.ts';
import { Pods } from '../../api/kinds.ts';
import { frames } from '../../streams/channels.ts';
import { joinDuplexes } from '../../streams/joined.ts';
import type { CallOptions, Client, ObjectRef } from '../rest/client.ts';
import { ConnectionError } from '../transport/connection-error.ts';
import { lostConnection, type MessageSocket, openMessageSocket } from './message-socket.ts';

/** Forwarded connections at once; further ones are closed as they come. */
export const MAX_FORWARDED_CONNECTIONS = 256;

/** A connection whose local side has ended is closed once the pod has said nothing for this long. */
export const LINGER_MS = 10_000;

const DATA = 0;
const ERROR = 1;
const PROTOCOL = 'v4.channel.k8s.io';
const PORT_BYTES = 2;

/** Which port of which pod. */
export interface PodPort extends ObjectRef {
  readonly port: number;
}

/** How a connection is made. */
export interface ConnectOptions extends CallOptions {
  /** Measures LINGER_MS; the host's unless given. */
  readonly clock?: Clock | undefined;
}

/**
 * A connection to a port of a running pod. Throws StatusError where the server refuses; where nobody listens on the port, the
 * stream fails with ConnectionError.
 */
export async function connectToPod(
  client: Client,
  { port, ...ref }: PodPort,
  { signal, clock = systemClock }: ConnectOptions = {},
): Promise<Duplex> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new RangeError(`${port} is no port: ports are whole numbers from 1 to 65535`);
  const path = resourcePath(Pods, { ...ref, subresource: 'portforward' });
  const request = { method: 'GET' as const, path, query: { ports: String(port) }, signal };
  const socket = await openMessageSocket(client.transport, request, [PROTOCOL]);
  return new PodConnection(socket, `port ${port} of pod ${ref.name}`, clock);
}

class PodConnection extends Duplex {
  readonly #socket: MessageSocket;
  readonly #what: string;
  readonly #clock: Clock;
  #linger: Timer | undefined;
  #wanted: () => void = () => undefined;

  constructor(socket: MessageSocket, what: string, clock: Clock) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#what = what;
    this.#clock = clock;
    this.#receive().then(
      () => this.push(null),
      (error: unknown) => this.destroy(error as Error),
    );
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    void this.#send(chunk, done);
  }

  override _read(): void {
    this.#wanted();
  }

  override _final(done: () => void): void {
    this.#lingerOn();
    done();
  }

  #lingerOn(): void {
    this.#linger?.cancel();
    this.#linger = this.#clock.timer(LINGER_MS, () => this.#socket.close());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#wanted();
    this.#linger?.cancel();
    this.#socket.close();
    done(error);
  }

  /** Never rejects: that the connection is gone is told where it is read. */
  async #send(chunk: Buffer, done: () => void): Promise<void> {
    for (const message of frames(DATA, chunk)) await this.#socket.send(message);
    done();
  }

  async #receive(): Promise<void> {
    const begun = new Set<number>();
    for await (const message of this.#socket.messages) {
      const [channel = DATA] = message;
      const data = message.subarray(1 + (begun.has(channel) ? 0 : PORT_BYTES));
      begun.add(channel);
      if (this.#linger) this.#lingerOn();
      if (data.length === 0) continue;
      if (channel === ERROR) throw new ConnectionError('lost', Buffer.from(data).toString('utf8'));
      await this.#give(data);
      if (this.destroyed) return;
    }
    if (begun.size === 0) throw lostConnection(this.#what);
  }

  /** Resolves when the reader wants more. */
  #give(data: Uint8Array): Promise<void> | void {
    if (this.destroyed || this.push(data)) return;
    return new Promise((resolve) => {
      this.#wanted = resolve;
    });
  }
}

/** Where a pod's port is offered. */
export interface ForwardOptions extends ConnectOptions {
  /** A free one unless given. */
  readonly localPort?: number | undefined;
  /** 127.0.0.1 unless given. */
  readonly host?: string | undefined;
  /** Told of each connection that failed; the others go on. */
  readonly onError?: ((error: Error) => void) | undefined;
}

/** A local port that leads to a pod's. */
export interface ForwardedPort extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Ends it and its connections; so does the signal. */
  readonly close: () => Promise<void>;
}

/** Offers a pod's port on this host. Throws StatusError where there is no such pod, and the system's error where the local port is taken. */
export async function forwardPort(
  client: Client,
  target: PodPort,
  options: ForwardOptions = {},
): Promise<ForwardedPort> {
  const { signal, clock, host = '127.0.0.1', localPort = 0 } = options;
  await client.resource(Pods).get(target, { signal });
  const over = new AbortController();
  const connections = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => connections.delete(socket));
    join(socket, connectToPod(client, target, { signal: over.signal, clock }), options.onError);
  });
  server.maxConnections = MAX_FORWARDED_CONNECTIONS;
  await listen(server, { host, port: localPort });
  // Node ends the process for a connection that it cannot take where nobody hears of it.
  server.on('error', (error) => options.onError?.(error));
  const close = async () => {
    signal?.removeEventListener('abort', onAbort);
    over.abort(new Error('the forwarding is over'));
    for (const socket of connections) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const onAbort = () => void close();
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) await close();
  signal?.throwIfAborted();
  const { port } = server.address() as AddressInfo;
  return { host, port, close, [Symbol.asyncDispose]: close };
}

function join(
  socket: Socket,
  connecting: Promise<Duplex>,
  onError: ForwardOptions['onError'],
): void {
  // What comes before the pod is there waits in the socket.
  socket.pause();
  connecting.then(
    (pod) => {
      pod.on('error', (error) => onError?.(error));
      joinDuplexes(socket, pod);
    },
    (error: unknown) => {
      if (!socket.destroyed) onError?.(error as Error);
      socket.destroy();
    },
  );
}

function listen(server: Server, at: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
