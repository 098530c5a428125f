// The serving side of a SPDY/3.1 connection as Kubernetes clients use it: they open streams, this side takes or refuses them.
// Invariants: a stream's bytes come out in order and once; the connection is read no faster than its streams are; streams
// end with the connection. There is no flow control per stream, since those clients (moby/spdystream) have none.
import { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../base/clock.ts';
import {
  dataFrame,
  type Frame,
  FrameReader,
  goAwayFrame,
  MAX_DATA_BYTES,
  pingFrame,
  RST_STATUS,
  rstStreamFrame,
  SpdyError,
  synReplyFrame,
} from './frames.ts';
import { HeaderReader, type SpdyHeaders, HeaderWriter } from './header-blocks.ts';

/** Streams open at once on a connection; two for each forwarded connection. */
export const MAX_STREAMS = 1024;
/** How often a peer is pinged while a stream is full. */
const STALL_PING_MS = 10_000;
/** How long a peer may take to end a connection that is over. */
const CLOSE_CEILING_MS = 5_000;

/** What a session tells its owner. */
export interface SessionOwner {
  /** Takes a stream that the peer opens, or says no; nothing has been read from it yet. */
  accept(stream: SpdyStream): boolean;
}

/** One stream of a connection. Ending it ends this side's direction; destroying it resets both. */
export class SpdyStream extends Duplex {
  readonly streamId: number;
  readonly headers: SpdyHeaders;
  readonly #send: (frame: Uint8Array) => Promise<void>;
  readonly #gone: () => void;
  #wanted: (() => void) | undefined;

  /** Made by the session only. */
  constructor(
    opened: { streamId: number; headers: SpdyHeaders },
    doors: { send: (frame: Uint8Array) => Promise<void>; gone: () => void },
  ) {
    super({ allowHalfOpen: true });
    this.streamId = opened.streamId;
    this.headers = opened.headers;
    this.#send = doors.send;
    this.#gone = doors.gone;
    // A reset is no error of whoever happens to hold the other direction; pipelines hear of it by themselves.
    this.on('error', () => undefined);
  }

  /** Gives the reader what came; where that is more than it takes, a promise that resolves when it may be given more. */
  deliver(data: Uint8Array): Promise<void> | undefined {
    if (data.length === 0 || this.destroyed || this.readableEnded || this.push(data))
      return undefined;
    return new Promise((resolve) => {
      this.#wanted = resolve;
    });
  }

  /** The peer sends no more. */
  endOfInput(): void {
    if (!this.destroyed) this.push(null);
  }

  override _read(): void {
    this.#wanted?.();
    this.#wanted = undefined;
  }

  override _write(data: Buffer, _encoding: unknown, done: (error?: Error) => void): void {
    void settle(this.#write(data), done);
  }

  async #write(data: Buffer): Promise<void> {
    for (let at = 0; at < data.length; at += MAX_DATA_BYTES)
      await this.#send(dataFrame(this.streamId, data.subarray(at, at + MAX_DATA_BYTES), false));
  }

  override _final(done: (error?: Error) => void): void {
    void settle(this.#send(dataFrame(this.streamId, new Uint8Array(0), true)), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this._read();
    const whole = this.readableEnded && this.writableFinished;
    const reset = whole
      ? Promise.resolve()
      : this.#send(rstStreamFrame(this.streamId, RST_STATUS.cancel));
    // Where the connection is gone there is nobody to reset it for.
    void settle(
      reset.catch(() => undefined),
      () => done(error),
    );
    this.#gone();
  }
}

/** Calls back once the work is done, or has failed. */
async function settle(work: Promise<void>, done: (error?: Error) => void): Promise<void> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error as Error,
  );
  done(failure);
}

/** A connection. */
export class SpdySession {
  readonly #connection: Duplex;
  readonly #owner: SessionOwner;
  readonly #clock: Clock;
  readonly #frames = new FrameReader();
  readonly #headers = new HeaderReader();
  readonly #out = new HeaderWriter();
  readonly #streams = new Map<number, SpdyStream>();
  #lastId = 0;
  /** The id of this side's last ping; its ids are even. */
  #pings = 0;
  #closing = false;

  constructor(connection: Duplex, owner: SessionOwner, clock: Clock) {
    this.#connection = connection;
    this.#owner = owner;
    this.#clock = clock;
    // The loop in run() hears of it too, and ends.
    connection.on('error', () => undefined);
    // Also while the loop waits for a stream that nobody reads.
    connection.once('close', () => this.#endStreams());
  }

  /** Reads until the connection ends, by either side. Never rejects; every stream is over then. */
  async run(): Promise<void> {
    let status = 0;
    try {
      // Left open at a failure, so that the peer can be told.
      for await (const bytes of this.#connection.iterator({ destroyOnReturn: false }))
        for (const frame of this.#frames.push(bytes as Uint8Array)) await this.#take(frame);
    } catch (error) {
      if (error instanceof SpdyError) status = 1;
    }
    await this.#say(goAwayFrame(this.#lastId, status)).catch(() => undefined);
    this.#connection.destroy();
    this.#headers.close();
    this.#endStreams();
  }

  #endStreams(): void {
    for (const stream of this.#streams.values()) stream.destroy();
  }

  /** Says goodbye once what was written has left, and ends the connection; a peer that does not end its side is cut off. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#say(goAwayFrame(this.#lastId, 0)).catch(() => undefined);
    this.#connection.end();
    const cutOff = this.#clock.timer(CLOSE_CEILING_MS, () => this.#connection.destroy());
    this.#connection.once('close', () => cutOff.cancel());
  }

  async #take(frame: Frame): Promise<void> {
    switch (frame.kind) {
      case 'synStream':
        return this.#open(frame);
      case 'data': {
        const stream = this.#streams.get(frame.streamId);
        // One that was reset here may still be written to by a peer that does not know yet.
        if (!stream) return undefined;
        const full = stream.deliver(frame.data);
        if (full) await this.#stalled(full);
        if (frame.fin) stream.endOfInput();
        return undefined;
      }
      case 'rstStream':
        this.#streams.get(frame.streamId)?.destroy(new Error('the peer broke the stream off'));
        return undefined;
      case 'ping':
        // Even ones answer this side's.
        if (frame.id % 2 === 1) await this.#say(pingFrame(frame.id));
        return undefined;
      default:
        return undefined;
    }
  }

  /** While a stream is full nothing is read, the end of the connection neither: that a peer is gone shows in writing to it. */
  async #stalled(full: Promise<void>): Promise<void> {
    const probe = (): Timer =>
      this.#clock.timer(STALL_PING_MS, () => {
        this.#pings += 2;
        this.#say(pingFrame(this.#pings)).catch(() => undefined);
        timer = probe();
      });
    let timer = probe();
    await full;
    timer.cancel();
  }

  async #open(frame: Frame & { kind: 'synStream' }): Promise<void> {
    const { streamId } = frame;
    // Read even if refused: the blocks of a connection are one compressed stream.
    const headers = await this.#headers.read(frame.headers);
    if (streamId % 2 === 0 || streamId <= this.#lastId)
      throw new SpdyError(`stream ${streamId} may not be opened after ${this.#lastId}`);
    this.#lastId = streamId;
    const stream = new SpdyStream(
      { streamId, headers },
      { send: (bytes) => this.#say(bytes), gone: () => this.#streams.delete(streamId) },
    );
    const room = this.#streams.size < MAX_STREAMS && !this.#closing;
    if (!room || !this.#owner.accept(stream)) {
      await this.#say(rstStreamFrame(streamId, RST_STATUS.refusedStream));
      return;
    }
    this.#streams.set(streamId, stream);
    if (frame.fin) stream.endOfInput();
    await this.#say(synReplyFrame(streamId, this.#out.write(new Map())));
  }

  /** Resolves when the connection takes more; rejects when it is gone. */
  #say(frame: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#connection.writableEnded || this.#connection.destroyed)
        reject(new Error('the connection is gone'));
      else this.#connection.write(frame, (error) => (error ? reject(error) : resolve()));
    });
  }
}
