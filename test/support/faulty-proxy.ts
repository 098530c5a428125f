// A TCP proxy on loopback that does to connections what networks do, at the moment a test asks for.
// Invariant: without a fault asked for, bytes pass unchanged and with back-pressure; close() leaves no socket.
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { systemClock } from '../../base/clock.ts';
import type { Timer } from '../../base/clock.ts';

/** A proxy to whatever port `target` answers at the moment of each connection. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #links = new Set<Link>();
  /** While true, connections are closed as they come. */
  down = false;

  private constructor(target: () => number | undefined) {
    this.#server = createServer({ allowHalfOpen: true }, (near) => {
      const port = this.down ? undefined : target();
      if (port === undefined) near.resetAndDestroy();
      else this.#join(near, port);
    });
  }

  /** Opens one; connections are closed as they come while there is no target. */
  static async open(target: () => number | undefined): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that stand. */
  get connections(): number {
    return this.#links.size;
  }

  /** Resets each connection that stands. */
  cut(): void {
    for (const link of this.#links) link.reset();
  }

  /** Lets each connection's answers go on for so many bytes, and resets it then. */
  truncate(bytes: number): void {
    for (const link of this.#links) link.truncate(bytes);
  }

  /** Holds answers of each connection back for so long; they come in order afterwards. */
  delay(ms: number): void {
    for (const link of this.#links) link.delay(ms);
  }

  /** From now on nothing passes on connections that stand, either way, and none of them is closed: no byte and no FIN. */
  swallow(): void {
    for (const link of this.#links) link.swallow();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const link of this.#links) link.reset();
    await closed;
  }

  #join(near: Socket, port: number): void {
    const far = createConnection({ host: '127.0.0.1', port, allowHalfOpen: true });
    const link = new Link(near, far);
    this.#links.add(link);
    let open = 2;
    for (const socket of [near, far])
      socket.once('close', () => {
        if (--open === 0) this.#links.delete(link);
      });
  }
}

/** One connection through the proxy. */
class Link {
  readonly #near: Socket;
  readonly #far: Socket;
  #swallows = false;
  /** Bytes that may still pass to the client. */
  #left = Number.POSITIVE_INFINITY;
  #held: Timer | undefined;

  constructor(near: Socket, far: Socket) {
    this.#near = near;
    this.#far = far;
    this.#pass(near, far);
    this.#pass(far, near);
  }

  reset(): void {
    this.#held?.cancel();
    this.#near.resetAndDestroy();
    this.#far.resetAndDestroy();
  }

  truncate(bytes: number): void {
    this.#left = bytes;
  }

  delay(ms: number): void {
    if (this.#held) return;
    this.#far.pause();
    this.#held = systemClock.timer(ms, () => {
      this.#held = undefined;
      this.#far.resume();
    });
  }

  swallow(): void {
    this.#swallows = true;
  }

  #pass(from: Socket, to: Socket): void {
    from.on('data', (chunk: Buffer) => {
      if (this.#swallows) return;
      const part = from === this.#far ? this.#shortened(chunk) : chunk;
      if (!to.write(part)) {
        from.pause();
        to.once('drain', () => {
          if (from !== this.#far || !this.#held) from.resume();
        });
      }
      if (part.length < chunk.length) this.reset();
    });
    from.on('end', () => {
      if (!this.#swallows) to.end();
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      if (!this.#swallows) to.destroy();
      else if (from === this.#near) this.#far.destroy();
    });
  }

  #shortened(chunk: Buffer): Buffer {
    const part = chunk.subarray(0, this.#left);
    this.#left -= part.length;
    return part;
  }
}
