// Writes ustar headers (POSIX.1-1988 pax Interchange, "ustar"), so that a layer made from host files has the digest of the tar it stands for.
// Pure. Invariant: equal entries give equal bytes: owner root, time zero.

/** One member of a tar. */
export interface TarEntry {
  /** Without leading slash. */
  readonly path: string;
  readonly mode: number;
  readonly kind: 'file' | 'directory' | 'link';
  readonly sizeBytes: number;
  /** Target of a symbolic link. */
  readonly target?: string;
}

const BLOCK_BYTES = 512;
const TYPE_FLAGS = { file: '0', link: '2', directory: '5' } as const;

/** The 512 bytes before a member's content. Throws when the path does not fit. */
export function tarHeader(entry: TarEntry): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const path = entry.kind === 'directory' ? `${entry.path}/` : entry.path;
  const { prefix, name } = splitPath(path);
  if (Buffer.byteLength(entry.target ?? '') > 100)
    throw new Error(`link target is longer than 100 bytes: ${entry.target}`);
  block.write(name, 0);
  block.write(octal(entry.mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(entry.sizeBytes, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(' '.repeat(8), 148);
  block.write(TYPE_FLAGS[entry.kind], 156);
  block.write(entry.target ?? '', 157);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return block;
}

/** Zero bytes that fill a member's content up to a whole block. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** Two empty blocks. */
export const TAR_END = Buffer.alloc(2 * BLOCK_BYTES);

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** A name has 100 bytes, and 155 more in front of one of its slashes. */
function splitPath(path: string): { prefix: string; name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: '', name: path };
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
    const prefix = path.slice(0, slash);
    const name = path.slice(slash + 1);
    if (name !== '' && Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100)
      return { prefix, name };
  }
  throw new Error(`path is too long for a tar: ${path}`);
}
