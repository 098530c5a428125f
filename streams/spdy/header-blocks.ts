// Header blocks of SPDY/3: names and values, compressed over the whole connection (section 2.6.10).
// Invariant: a block never inflates to more than its limit, and blocks are read in the order in which they came.
import { createInflate, type Inflate } from 'node:zlib';
import { HEADER_DICTIONARY } from './dictionary.ts';
import { SpdyError } from './frames.ts';

/** The largest block, inflated. */
export const MAX_HEADER_BYTES = 16 * 1024;

/** An empty stored block, as after a sync flush: Go's inflater hands out what came before only when it sees one. */
const FLUSH = Buffer.of(0, 0, 0, 0xff, 0xff);

/** Headers by name, in lower case. A name that came with several values has the first. */
export type SpdyHeaders = ReadonlyMap<string, string>;

/** Reads the peer's blocks. One per connection. */
export class HeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary: Buffer.from(HEADER_DICTIONARY) });
  #parts: Buffer[] = [];
  #size = 0;
  #failure: Error | undefined;

  constructor() {
    this.#inflate.on('error', (error) => (this.#failure ??= error));
    this.#inflate.on('data', (part: Buffer) => {
      this.#size += part.length;
      if (this.#size <= MAX_HEADER_BYTES) this.#parts.push(part);
      else this.#failure ??= new Error(`over ${MAX_HEADER_BYTES} bytes`);
    });
  }

  /** Inflates and reads the next block; call after the one before has settled. Rejects with SpdyError. */
  async read(block: Uint8Array): Promise<SpdyHeaders> {
    this.#parts = [];
    this.#size = 0;
    await new Promise<void>((resolve) => {
      const inflate = this.#inflate;
      // Neither callback comes for a stream that has failed.
      if (this.#failure) return resolve();
      inflate.once('error', resolve);
      inflate.write(block, () => {
        inflate.off('error', resolve);
        resolve();
      });
    });
    if (this.#failure)
      throw new SpdyError(`a header block does not inflate: ${this.#failure.message}`);
    return parseHeaders(Buffer.concat(this.#parts));
  }

  /** Frees what zlib holds. */
  close(): void {
    this.#inflate.destroy();
  }
}

function parseHeaders(block: Buffer): SpdyHeaders {
  let at = 0;
  const number = () => {
    if (at + 4 > block.length) throw new SpdyError('a header block is cut off');
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = () => {
    const length = number();
    if (length > block.length - at) throw new SpdyError('a header block is cut off');
    at += length;
    return block.toString('utf8', at - length, at);
  };
  const headers = new Map<string, string>();
  for (let left = number(); left > 0; left -= 1) {
    const name = text().toLowerCase();
    const [value = ''] = text().split('\0');
    if (name === '' || headers.has(name)) throw new SpdyError('a header block has a bad name');
    headers.set(name, value);
  }
  return headers;
}

/**
 * Writes this side's blocks, which are few and small: stored rather than compressed, in a zlib stream without preset
 * dictionary, which every inflater reads.
 */
export class HeaderWriter {
  #begun = false;

  /** The next block on the wire. Throws RangeError above what one stored block holds. */
  write(headers: SpdyHeaders): Uint8Array {
    const parts = [...headers].flatMap(([name, value]) => [counted(name), counted(value)]);
    const block = Buffer.concat([count(headers.size), ...parts]);
    if (block.length > 0xffff) throw new RangeError('a header block holds 65535 bytes');
    const head = Buffer.alloc(5);
    head.writeUInt16LE(block.length, 1);
    head.writeUInt16LE(block.length ^ 0xffff, 3);
    const start = this.#begun ? [] : [Buffer.from([0x78, 0x01])];
    this.#begun = true;
    return Buffer.concat([...start, head, block, FLUSH]);
  }
}

function count(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([count(bytes.length), bytes]);
}
