// Finds where zstd frames begin and end in a stream (RFC 8878, section 3.1), from the sizes that frames and blocks tell. Pure.
// Invariant: every byte belongs to exactly one frame; bytes that begin no frame are refused.

const ZSTD_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;
/** Bytes of the dictionary id and of the content size, by their flags in the frame's descriptor. */
const DICTIONARY_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];

/** A piece of the stream that lies in one frame. */
export interface FramePart {
  readonly bytes: Buffer;
  /** Where it ends in the chunk. */
  readonly end: number;
  /** The frame ends with it. */
  readonly frameOver: boolean;
}

type Field = 'magic' | 'skipSize' | 'descriptor' | 'header' | 'blockHeader';

/** Follows one stream. */
export class FrameBorders {
  #field: Field = 'magic';
  /** Bytes of the current field that came so far, and how many it has. */
  #gathered: number[] = [];
  #wanted = 4;
  /** Bytes to pass before the next field; what comes then. */
  #passing = 0;
  #afterPassing: 'blockHeader' | 'over' = 'over';
  #hasChecksum = false;

  /** Does no frame go on here? */
  get atBorder(): boolean {
    return this.#field === 'magic' && this.#gathered.length === 0 && this.#passing === 0;
  }

  /** The piece from `from` on that lies in one frame. Throws on bytes that begin none. */
  next(chunk: Buffer, from: number): FramePart {
    let at = from;
    while (at < chunk.length) {
      if (this.#passing > 0) {
        const taken = Math.min(this.#passing, chunk.length - at);
        this.#passing -= taken;
        at += taken;
      } else {
        this.#gathered.push(chunk[at++] ?? 0);
        if (this.#gathered.length === this.#wanted) this.#read();
      }
      if (this.#isOver()) return this.#part(chunk, { from, at, frameOver: true });
    }
    return this.#part(chunk, { from, at, frameOver: false });
  }

  #part(chunk: Buffer, piece: { from: number; at: number; frameOver: boolean }): FramePart {
    const { from, at, frameOver } = piece;
    if (frameOver) this.#expect('magic', 4);
    return { bytes: chunk.subarray(from, at), end: at, frameOver };
  }

  #isOver(): boolean {
    return this.#passing === 0 && this.#afterPassing === 'over' && this.#wanted === 0;
  }

  #expect(field: Field, bytes: number): void {
    this.#field = field;
    this.#wanted = bytes;
    this.#gathered = [];
  }

  #pass(bytes: number, then: 'blockHeader' | 'over'): void {
    this.#passing = bytes;
    this.#afterPassing = then;
    if (then === 'over') this.#wanted = 0;
    else this.#expect('blockHeader', 3);
  }

  #read(): void {
    const bytes = Buffer.from(this.#gathered);
    switch (this.#field) {
      case 'magic':
        return this.#readMagic(bytes.readUInt32LE());
      case 'skipSize':
        return this.#pass(bytes.readUInt32LE(), 'over');
      case 'descriptor':
        return this.#readDescriptor(bytes[0] ?? 0);
      case 'header':
        return this.#expect('blockHeader', 3);
      case 'blockHeader':
        return this.#readBlock(bytes.readUIntLE(0, 3));
    }
  }

  #readMagic(magic: number): void {
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) this.#expect('skipSize', 4);
    else if (magic === ZSTD_MAGIC) this.#expect('descriptor', 1);
    else throw new Error('not a zstd frame');
  }

  #readDescriptor(flags: number): void {
    const isSingle = (flags & 0x20) !== 0;
    this.#hasChecksum = (flags & 0x04) !== 0;
    const sizeFlag = flags >> 6;
    const contentSize = sizeFlag === 0 && isSingle ? 1 : (CONTENT_SIZE_BYTES[sizeFlag] ?? 0);
    const window = isSingle ? 0 : 1;
    const rest = window + (DICTIONARY_BYTES[flags & 3] ?? 0) + contentSize;
    this.#expect('header', rest);
  }

  #readBlock(header: number): void {
    const isLast = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    if (type === RESERVED_BLOCK) throw new Error('not a zstd block');
    const size = type === RLE_BLOCK ? 1 : header >> 3;
    if (isLast) this.#pass(size + (this.#hasChecksum ? 4 : 0), 'over');
    else this.#pass(size, 'blockHeader');
  }
}
