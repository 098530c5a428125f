// A kept-alive TLS connection that speaks just enough HTTP/1.1 for a load generator: requests framed beforehand, answers
// of a known length, bodies counted and not kept. Node's own client costs several times as much CPU as this.
// Invariant: one request at a time; an answer whose status is not the expected one is an error, never a figure.
import type { OnReadOpts } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

/** A server, and who asks it; PEM. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const HEAD_END = Buffer.from('\r\n\r\n');
/** Where the status stands in `HTTP/1.1 200 OK`. */
const STATUS_AT = 9;
const STATUS_DIGITS = 3;
/** Bytes of a refusal's body that its error quotes. */
const QUOTED_BYTES = 1_000;

interface Waiting {
  readonly status: number;
  resolve(bytes: number): void;
  reject(error: Error): void;
}

/**
 * A socket that is connected; rejects when the handshake fails. Resolves with the ticket that a server gives out once it has looked at
 * the client's certificate (TLS 1.3): its half of 64 handshakes takes it 45 ms, which are no part of what is asked afterwards.
 * `onread` takes what comes in place of `data` events (node:net).
 */
export function connected(
  { host, port, ca, cert, key }: Target,
  onread?: OnReadOpts,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const versions = { minVersion: 'TLSv1.3', ALPNProtocols: ['http/1.1'] } as const;
    const socket = connect({ host, port, ca, cert, key, ...versions, ...(onread && { onread }) });
    const ended = () => reject(new Error('the server ended the connection'));
    socket.once('error', reject).once('close', ended);
    socket.once('session', () => {
      socket.off('error', reject).off('close', ended);
      // Not in this turn: OpenSSL is still reading, and a write from within that is never sent.
      setImmediate(() => resolve(socket));
    });
  });
}

/** A connection. */
export class HttpConnection {
  readonly #socket: TLSSocket;
  /** The start of a head whose end has not come yet. */
  #partial: Buffer | undefined;
  /** Bytes of the body still to come; -1 between heads. */
  #left = -1;
  #length = 0;
  #waiting: Waiting | undefined;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server ended the connection')));
  }

  /** Connects; rejects when the handshake fails. */
  static async open(target: Target): Promise<HttpConnection> {
    return new HttpConnection(await connected(target));
  }

  /** Sends one framed request; resolves with the length of the answer's body once all of it is read. */
  exchange(request: string | Buffer, status: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting = { status, resolve, reject };
      if (typeof request === 'string') this.#socket.write(request, 'latin1');
      else this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#left < 0) {
      const whole = this.#partial ? Buffer.concat([this.#partial, chunk]) : chunk;
      const end = whole.indexOf(HEAD_END);
      if (end < 0) {
        this.#partial = whole;
        return;
      }
      this.#partial = undefined;
      this.#begin(whole, end);
      this.#left -= whole.length - end - HEAD_END.length;
    } else this.#left -= chunk.length;
    if (this.#left > 0) return;
    this.#left = -1;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(this.#length);
  }

  #begin(whole: Buffer, end: number): void {
    const head = whole.toString('latin1', 0, end);
    const status = Number(head.slice(STATUS_AT, STATUS_AT + STATUS_DIGITS));
    const length = /content-length: (\d+)/i.exec(head)?.[1];
    if (status !== this.#waiting?.status || length === undefined)
      this.#fail(
        new Error(whole.toString('latin1', 0, end + QUOTED_BYTES).replaceAll(/\s+/g, ' ')),
      );
    this.#length = Number(length);
    this.#left = this.#length;
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

/** Frames a request, its head and body as they go on the wire. */
export function framed(
  method: string,
  path: string,
  sent?: { readonly body: string; readonly type: string },
): Buffer {
  const body = sent?.body ?? '';
  const about = sent
    ? `content-type: ${sent.type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
    : '';
  const head = `${method} ${path} HTTP/1.1\r\nhost: bench\r\nuser-agent: bench/1\r\naccept: application/json\r\n${about}\r\n`;
  return Buffer.from(head + body);
}
