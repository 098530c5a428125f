// SPDY/3.1 frames (draft-mbelshe-httpbis-spdy-00, section 2.2), as bytes and as values. Pure framing, no sockets.
// Invariant: however a stream of bytes is cut, the same frames come out; data is passed on as it comes and never gathered.

const VERSION = 3;
const HEADER_BYTES = 8;
const CONTROL_BIT = 0x80;
const FLAG_FIN = 0x01;

/** The largest payload of a control frame; those of Kubernetes clients stay under 1 KiB. */
export const MAX_CONTROL_BYTES = 64 * 1024;
/** The largest payload of a data frame that this side writes. */
export const MAX_DATA_BYTES = 32 * 1024;

/** Control frames that this side acts on. */
const TYPES = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7 } as const;

/** Why a stream is refused or broken off. */
export const RST_STATUS = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  streamAlreadyClosed: 9,
} as const;

/** What came from the peer. Kinds that need no answer (SETTINGS, WINDOW_UPDATE, HEADERS, …) are `other`. */
export type Frame =
  | {
      readonly kind: 'synStream';
      readonly streamId: number;
      readonly fin: boolean;
      /** Compressed. */
      readonly headers: Uint8Array;
    }
  | { readonly kind: 'synReply'; readonly streamId: number; readonly fin: boolean }
  | { readonly kind: 'rstStream'; readonly streamId: number; readonly status: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'goAway'; readonly status: number }
  | { readonly kind: 'other'; readonly type: number }
  /** A part of a data frame's payload; `fin` with its last part. */
  | {
      readonly kind: 'data';
      readonly streamId: number;
      readonly fin: boolean;
      readonly data: Uint8Array;
    };

/** The peer broke the protocol; the connection cannot go on. */
export class SpdyError extends Error {
  override readonly name = 'SpdyError';
}

interface Open {
  readonly streamId: number;
  readonly fin: boolean;
  left: number;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  #held: Uint8Array = new Uint8Array(0);
  /** The data frame whose payload is coming in. */
  #open: Open | undefined;

  /** Takes the next bytes; answers the frames that they complete. Throws SpdyError. */
  *push(bytes: Uint8Array): Generator<Frame> {
    let at = 0;
    let input = bytes;
    if (this.#held.length > 0) {
      input = Buffer.concat([this.#held, bytes]);
      this.#held = new Uint8Array(0);
    }
    for (;;) {
      if (this.#open) {
        const data = input.subarray(at, at + this.#open.left);
        if (data.length === 0 && this.#open.left > 0) return;
        at += data.length;
        yield this.#part(this.#open, data);
        continue;
      }
      const frame = readHead(input.subarray(at));
      if (frame === undefined) {
        this.#held = input.subarray(at);
        return;
      }
      at += frame.length;
      if ('open' in frame) this.#open = frame.open;
      else yield frame.control;
    }
  }

  #part(open: Open, data: Uint8Array): Frame {
    open.left -= data.length;
    const last = open.left === 0;
    if (last) this.#open = undefined;
    return { kind: 'data', streamId: open.streamId, fin: open.fin && last, data };
  }
}

type Head =
  | { readonly length: number; readonly open: Open }
  | { readonly length: number; readonly control: Frame };

/** A whole control frame, or the head of a data frame; undefined where bytes are missing. */
function readHead(bytes: Uint8Array): Head | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(4);
  const size = view.getUint32(4) & 0xffffff;
  const fin = (flags & FLAG_FIN) !== 0;
  if ((view.getUint8(0) & CONTROL_BIT) === 0)
    return { length: HEADER_BYTES, open: { streamId: view.getUint32(0), fin, left: size } };
  const version = view.getUint16(0) & 0x7fff;
  if (version !== VERSION) throw new SpdyError(`SPDY version ${version} is not spoken here`);
  if (size > MAX_CONTROL_BYTES)
    throw new SpdyError(`a control frame of ${size} bytes is over ${MAX_CONTROL_BYTES}`);
  if (bytes.length < HEADER_BYTES + size) return undefined;
  const type = view.getUint16(2);
  const payload = bytes.subarray(HEADER_BYTES, HEADER_BYTES + size);
  return { length: HEADER_BYTES + size, control: controlFrame(type, payload, fin) };
}

function controlFrame(type: number, payload: Uint8Array, fin: boolean): Frame {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const word = (at: number) => {
    if (payload.length < at + 4) throw new SpdyError(`a control frame of type ${type} is cut off`);
    return view.getUint32(at);
  };
  const streamId = () => word(0) & 0x7fffffff;
  switch (type) {
    case TYPES.synStream:
      // The associated stream and the priority, six bytes, mean nothing to Kubernetes.
      word(4);
      return { kind: 'synStream', streamId: streamId(), fin, headers: payload.subarray(10) };
    case TYPES.synReply:
      return { kind: 'synReply', streamId: streamId(), fin };
    case TYPES.rstStream:
      return { kind: 'rstStream', streamId: streamId(), status: word(4) };
    case TYPES.ping:
      return { kind: 'ping', id: word(0) };
    case TYPES.goAway:
      return { kind: 'goAway', status: word(4) };
    default:
      return { kind: 'other', type };
  }
}

function control(type: number, payload: readonly Uint8Array[]): Uint8Array {
  const size = payload.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([words((CONTROL_BIT << 24) | (VERSION << 16) | type, size), ...payload]);
}

function words(...values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32BE(value >>> 0, 4 * i));
  return bytes;
}

/** Opens a stream, as a client does. `headers` are compressed. */
export function synStreamFrame(streamId: number, headers: Uint8Array): Uint8Array {
  return control(TYPES.synStream, [words(streamId, 0), Buffer.alloc(2), headers]);
}

/** Accepts a stream. `headers` are compressed. */
export function synReplyFrame(streamId: number, headers: Uint8Array): Uint8Array {
  return control(TYPES.synReply, [words(streamId), headers]);
}

/** Refuses a stream or breaks it off; `status` is one of RST_STATUS. */
export function rstStreamFrame(streamId: number, status: number): Uint8Array {
  return control(TYPES.rstStream, [words(streamId, status)]);
}

/** A ping; its answer has the same id. */
export function pingFrame(id: number): Uint8Array {
  return control(TYPES.ping, [words(id)]);
}

/** The last frame of a connection: streams over `lastStreamId` were not taken up. Status 0 is a normal end. */
export function goAwayFrame(lastStreamId: number, status: number): Uint8Array {
  return control(TYPES.goAway, [words(lastStreamId, status)]);
}

/** One data frame; `fin` ends this direction of the stream. */
export function dataFrame(streamId: number, data: Uint8Array, fin: boolean): Uint8Array {
  return Buffer.concat([words(streamId, ((fin ? FLAG_FIN : 0) << 24) | data.length), data]);
}
