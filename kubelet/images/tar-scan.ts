// Reads the headers of a tar as it streams by: ustar, GNU and pax, with long names, sparse files and sizes beyond 8 GiB. Pure.
// Invariant: memory is bounded whatever the tar holds; each member is told before the bytes after its header are passed on.
import { BadImageError } from './image-config.ts';
import { type PaxRecords, parsePax } from './tar-pax.ts';

/** A member of a tar. */
export interface TarMember {
  readonly path: string;
  readonly kind: 'file' | 'hardlink' | 'symlink' | 'device' | 'directory' | 'fifo';
  readonly linkTarget: string;
  /** Bytes of the file when it is unpacked; a sparse one has fewer in the tar. */
  readonly sizeBytes: number;
}

const BLOCK = 512;
/** Extended headers hold names and attributes; one that is larger is an attack. */
const MAX_EXTENDED_BYTES = 1024 ** 2;

const KINDS: Readonly<Record<string, TarMember['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'device',
  '4': 'device',
  '5': 'directory',
  '6': 'fifo',
  S: 'file',
};

/** What the next bytes are. */
type Stage =
  | { readonly kind: 'header' }
  | { readonly kind: 'body'; left: number }
  | { readonly kind: 'extended'; left: number; readonly flag: string; readonly size: number }
  | { readonly kind: 'sparse'; readonly bodyBytes: number }
  | { readonly kind: 'end' };

/** Follows one tar. */
export class TarScanner {
  readonly #tell: (member: TarMember) => void;
  readonly #block = Buffer.alloc(BLOCK);
  #filled = 0;
  #stage: Stage = { kind: 'header' };
  #extended: Buffer[] = [];
  #pending: PaxRecords = {};

  /** `tell` is called for each member in turn; what it throws ends the scan. */
  constructor(tell: (member: TarMember) => void) {
    this.#tell = tell;
  }

  /** Takes the next bytes. Throws BadImageError when they are no tar. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      const stage = this.#stage;
      if (stage.kind === 'end') return;
      if (stage.kind === 'body') at += this.#skip(stage, chunk.length - at);
      else if (stage.kind === 'extended') at += this.#collect(stage, chunk.subarray(at));
      else at += this.#fill(stage, chunk.subarray(at));
    }
  }

  /** The stream is over. Throws BadImageError when it ended inside a member. */
  end(): void {
    const between = this.#stage.kind === 'header' && this.#filled === 0;
    if (!between && this.#stage.kind !== 'end')
      throw new BadImageError('the tar ends in the middle of a file');
  }

  #skip(stage: Extract<Stage, { kind: 'body' }>, available: number): number {
    const taken = Math.min(stage.left, available);
    stage.left -= taken;
    if (stage.left === 0) this.#stage = { kind: 'header' };
    return taken;
  }

  #collect(stage: Extract<Stage, { kind: 'extended' }>, bytes: Buffer): number {
    const taken = Math.min(stage.left, bytes.length);
    this.#extended.push(Buffer.from(bytes.subarray(0, taken)));
    stage.left -= taken;
    if (stage.left > 0) return taken;
    const content = Buffer.concat(this.#extended).subarray(0, stage.size);
    this.#extended = [];
    this.#stage = { kind: 'header' };
    this.#apply(stage.flag, content);
    return taken;
  }

  #apply(flag: string, content: Buffer): void {
    const text = () => content.toString().replace(/\0.*$/s, '');
    if (flag === 'L') this.#pending = { ...this.#pending, path: text() };
    else if (flag === 'K') this.#pending = { ...this.#pending, linkpath: text() };
    else if (flag === 'x') this.#pending = { ...this.#pending, ...parsePax(content) };
    else if (Object.keys(parsePax(content)).length > 0)
      throw new BadImageError('the tar has a global header that renames or resizes all files');
  }

  #fill(stage: Extract<Stage, { kind: 'header' | 'sparse' }>, bytes: Buffer): number {
    const taken = bytes.copy(this.#block, this.#filled, 0, BLOCK - this.#filled);
    this.#filled += taken;
    if (this.#filled < BLOCK) return taken;
    this.#filled = 0;
    if (stage.kind === 'header') this.#readHeader();
    // More places of an old GNU sparse file follow while the block says so.
    else if (this.#block[504] === 0) this.#enterBody(stage.bodyBytes);
    return taken;
  }

  #readHeader(): void {
    const block = this.#block;
    if (block.every((byte) => byte === 0)) {
      this.#stage = { kind: 'end' };
      return;
    }
    checkSum(block);
    const size = numberAt(block, 124, 12);
    const flag = String.fromCharCode(block[156] ?? 0);
    if ('xgLK'.includes(flag)) {
      if (size > MAX_EXTENDED_BYTES)
        throw new BadImageError(`the tar has a header of ${size} bytes`);
      this.#stage = { kind: 'extended', left: padded(size), flag, size };
      if (size === 0) this.#stage = { kind: 'header' };
      return;
    }
    this.#member(flag, size);
  }

  #member(flag: string, headerSize: number): void {
    const block = this.#block;
    const pending = this.#pending;
    this.#pending = {};
    const kind = KINDS[flag];
    if (!kind) throw new BadImageError(`the tar has a member of the unknown type "${flag}"`);
    const stored = pending.size ?? headerSize;
    const real = flag === 'S' ? numberAt(block, 483, 12) : (pending.realSize ?? stored);
    const isFile = kind === 'file';
    const path = pending.sparsePath ?? pending.path ?? nameIn(block);
    this.#tell({
      path,
      // A name that ends in a slash was a directory before directories had a type.
      kind: isFile && path.endsWith('/') ? 'directory' : kind,
      linkTarget: pending.linkpath ?? textAt(block, 157, 100),
      sizeBytes: isFile ? Math.max(real, stored) : 0,
    });
    const bodyBytes = isFile ? padded(stored) : 0;
    if (flag === 'S' && block[482] !== 0) this.#stage = { kind: 'sparse', bodyBytes };
    else this.#enterBody(bodyBytes);
  }

  #enterBody(bytes: number): void {
    this.#stage = bytes === 0 ? { kind: 'header' } : { kind: 'body', left: bytes };
  }
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function checkSum(block: Buffer): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : (block[i] ?? 0);
  if (sum !== numberAt(block, 148, 8))
    throw new BadImageError('the tar has a header with a wrong checksum');
}

/** Octal text, or a number of 256s where the first bit is set (GNU). */
function numberAt(block: Buffer, from: number, length: number): number {
  if (((block[from] ?? 0) & 0x80) === 0) {
    const text = textAt(block, from, length).trim();
    if (!/^[0-7]*$/.test(text)) throw new BadImageError('the tar has a header with a wrong number');
    return text === '' ? 0 : Number.parseInt(text, 8);
  }
  let value = BigInt((block[from] ?? 0) & 0x7f);
  for (let i = from + 1; i < from + length; i++) value = (value << 8n) | BigInt(block[i] ?? 0);
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new BadImageError('the tar has a file that is larger than any can be');
  return Number(value);
}

function textAt(block: Buffer, from: number, length: number): string {
  const end = block.indexOf(0, from);
  return block.toString('utf8', from, end === -1 || end > from + length ? from + length : end);
}

function nameIn(block: Buffer): string {
  const name = textAt(block, 0, 100);
  // Only POSIX headers have a prefix; GNU's keep times there.
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isPosix ? textAt(block, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}
