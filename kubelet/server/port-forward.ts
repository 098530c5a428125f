// Connections into pods: `kubectl port-forward` and its like, over SPDY, over SPDY inside a WebSocket, and over WebSocket channels.
// Invariants: bytes pass unchanged and no faster than the slower side takes them; a connection that cannot be made is told
// on its own error stream and disturbs no other; all connections end with their client.
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.ts';
import { frame, pieces } from '../../streams/channels.ts';
import { SpdySession, type SpdyStream } from '../../streams/spdy/session.ts';
import { RequestFailure } from './request-failure.ts';
import { acceptSpdy, asksForSpdy, type UpgradeRequest } from './spdy-upgrade.ts';
import {
  asByteStream,
  CLOSE_NORMAL,
  CLOSE_PROTOCOL,
  offeredProtocols,
  type WebSocket,
  WebSocketAcceptor,
} from './web-sockets.ts';

const SPDY_PROTOCOL = 'portforward.k8s.io';
const TUNNEL_PROTOCOL = `SPDY/3.1+${SPDY_PROTOCOL}`;
const CHANNEL_PROTOCOL = 'v4.channel.k8s.io';
/** A pair of streams must be complete within this time. */
const PAIR_CEILING_MS = 30_000;
/** Ports of one WebSocket with channels: two channels each, numbered by a byte. */
const MAX_PORTS = 64;
/** Where to: one pod. */
export interface ForwardTarget {
  /** For messages: `pod NAME, uid UID`. */
  readonly name: string;
  /** Connects to a port of the pod's own loopback. Rejects with a message for people. */
  connect(port: number): Promise<Duplex>;
}

/** All forwarded connections of this node. */
export class PortForwards {
  readonly #clock: Clock;
  readonly #sockets: WebSocketAcceptor;
  readonly #connections = new Set<Duplex>();

  /** `idleMs`: how long nothing may go over a connection; 0 for ever. */
  constructor(clock: Clock, idleMs: number) {
    this.#sockets = new WebSocketAcceptor(idleMs);
    this.#clock = clock;
  }

  /** Takes the connection over; resolves when it has ended. Rejects with RequestFailure before, never after. */
  async serve(upgrade: UpgradeRequest, ports: readonly string[], to: ForwardTarget): Promise<void> {
    if (asksForSpdy(upgrade.request)) {
      await this.#serveSpdy(acceptSpdy(upgrade, SPDY_PROTOCOL), to);
      return;
    }
    const offered = offeredProtocols(upgrade);
    if (offered.includes(TUNNEL_PROTOCOL)) {
      const tunnel = asByteStream(await this.#sockets.accept(upgrade, TUNNEL_PROTOCOL));
      await this.#serveSpdy(tunnel, to);
    } else if (offered.includes(CHANNEL_PROTOCOL)) {
      const numbers = portNumbers(ports);
      const socket = await this.#sockets.accept(upgrade, CHANNEL_PROTOCOL);
      await serveChannels(socket, numbers, to);
    } else
      throw new RequestFailure(
        400,
        `port-forward is spoken over SPDY/3.1 and, in a WebSocket, as ${TUNNEL_PROTOCOL} or ${CHANNEL_PROTOCOL}`,
      );
  }

  /** Ends all connections. */
  close(): void {
    this.#sockets.close();
    for (const connection of this.#connections) connection.destroy();
  }

  async #serveSpdy(connection: Duplex, to: ForwardTarget): Promise<void> {
    this.#connections.add(connection);
    const pairs = new Pairs(this.#clock, (pair) => {
      // Its outcome is told on its own error stream.
      void forward(pair, to);
    });
    await new SpdySession(connection, pairs, this.#clock).run();
    pairs.close();
    this.#connections.delete(connection);
  }
}

function portNumbers(ports: readonly string[]): number[] {
  const numbers = ports.flatMap((each) => each.split(',')).map(Number);
  if (numbers.length === 0) throw new RequestFailure(400, 'query parameter "ports" is required');
  if (numbers.length > MAX_PORTS)
    throw new RequestFailure(400, `at most ${MAX_PORTS} ports can be forwarded at once`);
  if (!numbers.every(isPort)) throw new RequestFailure(400, 'invalid ports: 1 to 65535 are');
  return numbers;
}

const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536;

interface Pair {
  readonly port: number;
  readonly data: SpdyStream;
  readonly error: SpdyStream;
}

/** Streams that belong together, by the request id that both name. */
class Pairs {
  readonly #clock: Clock;
  readonly #complete: (pair: Pair) => void;
  readonly #halves = new Map<string, { stream: SpdyStream; timer: Timer }>();

  constructor(clock: Clock, complete: (pair: Pair) => void) {
    this.#clock = clock;
    this.#complete = complete;
  }

  accept(stream: SpdyStream): boolean {
    const { headers, streamId } = stream;
    const type = headers.get('streamtype') ?? '';
    const port = Number(headers.get('port'));
    if ((type !== 'data' && type !== 'error') || !isPort(port)) return false;
    // Old clients name no request: the data stream is the one after its error stream.
    const id = headers.get('requestid') ?? String(type === 'error' ? streamId : streamId - 2);
    const half = this.#halves.get(id);
    if (!half) {
      const timer = this.#clock.timer(PAIR_CEILING_MS, () => {
        this.#halves.delete(id);
        stream.destroy();
      });
      this.#halves.set(id, { stream, timer });
      return true;
    }
    if (half.stream.headers.get('streamtype') === type) return false;
    half.timer.cancel();
    this.#halves.delete(id);
    const [data, error] = type === 'data' ? [stream, half.stream] : [half.stream, stream];
    this.#complete({ port, data, error });
    return true;
  }

  close(): void {
    for (const { timer } of this.#halves.values()) timer.cancel();
    this.#halves.clear();
  }
}

const failureText = (port: number, to: ForwardTarget, error: unknown): string =>
  `error forwarding port ${port} to ${to.name}: ${(error as Error).message}`;

/** Never rejects. */
async function forward({ port, data, error }: Pair, to: ForwardTarget): Promise<void> {
  // Clients say nothing on it.
  error.resume();
  try {
    await join(data, await to.connect(port));
    error.end();
  } catch (failure) {
    error.end(failureText(port, to, failure));
    data.resume();
    data.end();
  }
}

/** Passes bytes both ways, half closes too. Resolves when the pod's side is over, or the client's is gone; rejects when the pod's fails. */
function join(client: Duplex, pod: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    client.pipe(pod).pipe(client);
    client.once('close', () => pod.destroy());
    pod.once('error', reject);
    pod.once('close', () => {
      // What the client still says has nowhere to go; what the pod said is on its way.
      client.unpipe(pod);
      client.resume();
      client.end();
      resolve();
    });
  });
}

/** Channels 2i and 2i + 1 carry port i and its failure; each begins with the number of its port, two bytes, low first. */
async function serveChannels(
  socket: WebSocket,
  ports: readonly number[],
  to: ForwardTarget,
): Promise<void> {
  // What the client says waits in the connection until the pod is there to hear it.
  socket.pause();
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const say = (channel: number, data: Uint8Array) =>
    new Promise<void>((resolve) => {
      if (socket.readyState === socket.OPEN) socket.send(frame(channel, data), () => resolve());
      else resolve();
    });
  const failed = (i: number, port: number) => async (error: unknown) => {
    await say(2 * i + 1, Buffer.from(failureText(port, to, error)));
    return undefined;
  };
  const pods = await Promise.all(
    ports.map(async (port, i) => {
      for (const channel of [2 * i, 2 * i + 1])
        await say(channel, Uint8Array.of(port & 0xff, port >> 8));
      return to.connect(port).catch(failed(i, port));
    }),
  );
  gone.then(() => pods.forEach((pod) => pod?.destroy())).catch(() => undefined);
  readChannels(socket, pods);
  const pump = async (pod: Duplex, i: number) => {
    for await (const data of pod)
      for (const part of pieces(data as Uint8Array)) await say(2 * i, part);
  };
  await Promise.all(
    ports.map(async (port, i) => {
      const pod = pods[i];
      if (pod) await pump(pod, i).catch(failed(i, port));
    }),
  );
  socket.close(CLOSE_NORMAL);
  await gone;
}

function readChannels(socket: WebSocket, pods: readonly (Duplex | undefined)[]): void {
  for (const pod of pods) pod?.on('drain', () => socket.resume());
  socket.on('message', (message: Buffer) => {
    const [channel = 0] = message;
    if (channel % 2 !== 0 || channel >= 2 * pods.length) {
      socket.close(CLOSE_PROTOCOL, `channel ${channel} is not for input`);
      return;
    }
    const pod = pods[channel / 2];
    if (pod?.writable && message.length > 1 && !pod.write(message.subarray(1))) socket.pause();
  });
  socket.resume();
}
