// One side of a SPDY/3.1 connection as Kubernetes uses it: clients open streams, the serving side takes or refuses them.
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
  synStreamFrame,
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
  /** This side is the client, whose streams and pings have odd numbers; the server unless given. */
  readonly opens?: boolean;
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

  /** Nothing comes or goes any more; what came already can still be read. */
  cutOff(): void {
    if (this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
    this.endOfInput();
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
  /** The ids of this side's last stream and last ping: odd on the client, even on the server. */
  #opened: number;
  #pings: number;
  #closing = false;

  constructor(connection: Duplex, owner: SessionOwner, clock: Clock) {
    this.#connection = connection;
    this.#owner = owner;
    this.#clock = clock;
    this.#opened = owner.opens ? -1 : 0;
    this.#pings = this.#opened;
    // The loop in run() hears of it too, and ends.
    connection.on('error', () => undefined);
    // Also while the loop waits for a stream that nobody reads; but what a server said in full before it closed is still read.
    connection.once('close', () => {
      if (!owner.opens || !connection.readableEnded) this.#endStreams();
    });
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

  /** Opens a stream. It may be written to at once; a peer that refuses it breaks it off. Throws SpdyError past MAX_STREAMS. */
  open(headers: SpdyHeaders): SpdyStream {
    if (this.#streams.size >= MAX_STREAMS) throw new SpdyError(`${MAX_STREAMS} streams are open`);
    this.#opened += 2;
    const stream = this.#streamOf(this.#opened, headers);
    // Where it cannot be said the connection is gone, and with it the stream.
    this.#say(synStreamFrame(stream.streamId, this.#out.write(headers))).catch(() =>
      stream.destroy(),
    );
    return stream;
  }

  #streamOf(streamId: number, headers: SpdyHeaders): SpdyStream {
    const stream = new SpdyStream(
      { streamId, headers },
      { send: (bytes) => this.#say(bytes), gone: () => this.#streams.delete(streamId) },
    );
    this.#streams.set(streamId, stream);
    return stream;
  }

  #endStreams(): void {
    for (const stream of this.#streams.values()) this.#breakOff(stream);
  }

  /** Servers end a session by breaking its streams off, so that a client takes it for their end. */
  #breakOff(stream: SpdyStream | undefined, why?: Error): void {
    if (this.#owner.opens) stream?.cutOff();
    else stream?.destroy(why);
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
        this.#breakOff(
          this.#streams.get(frame.streamId),
          new Error('the peer broke the stream off'),
        );
        return undefined;
      case 'ping':
        // The others answer this side's.
        if (this.#isPeers(frame.id)) await this.#say(pingFrame(frame.id));
        return undefined;
      default:
        return undefined;
    }
  }

  /** The client's numbers are odd. */
  #isPeers(id: number): boolean {
    return (id % 2 === 1) !== (this.#owner.opens ?? false);
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
    if (!this.#isPeers(streamId) || streamId <= this.#lastId)
      throw new SpdyError(`stream ${streamId} may not be opened after ${this.#lastId}`);
    this.#lastId = streamId;
    const room = this.#streams.size < MAX_STREAMS && !this.#closing;
    const stream = this.#streamOf(streamId, headers);
    if (!room || !this.#owner.accept(stream)) {
      this.#streams.delete(streamId);
      await this.#say(rstStreamFrame(streamId, RST_STATUS.refusedStream));
      return;
    }
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
