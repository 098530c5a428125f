// Unpacks one tar (plain, gzip or zstd, told by its first bytes) into a fresh directory with GNU tar, and hashes it on the way.
// GNU tar keeps owners, modes, devices, xattrs and hard links, refuses `..`, strips leading slashes and makes doubtful symbolic links
// only at the end, so nothing is written outside the directory. Invariant: when this rejects, the caller throws the directory away.
import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Duplex, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { System } from '../../system/system.ts';
import { BadImageError } from './image-config.ts';

/** Most bytes that one archive may unpack to: stops archives made to fill the disk. */
const MAX_UNPACKED_BYTES = 64 * 1024 ** 3;
const MAX_ERROR_BYTES = 4096;

/** What unpacking told. */
export interface Unpacked {
  /** Digest of the file as it lies there. */
  readonly digest: string;
  /** Digest of the tar inside. */
  readonly diffId: string;
  /** Bytes of the tar inside. */
  readonly sizeBytes: number;
}

/** `layer` keeps owners and attributes; `archive` only holds files that we read, so it keeps none. */
export type UnpackMode = 'layer' | 'archive';

const TAR_ARGS: Readonly<Record<UnpackMode, readonly string[]>> = {
  layer: ['--xattrs', '--xattrs-include=*', '--numeric-owner', '--same-owner', '-p'],
  archive: ['--no-same-owner', '--no-same-permissions'],
};

/** Unpacks `file` into `directory`. Throws BadImageError with tar's own words when it is broken. */
export async function unpackTar(
  system: System,
  source: { file: string; directory: string },
  mode: UnpackMode,
): Promise<Unpacked> {
  const child = system.spawn('tar', ['-x', '-f', '-', ...TAR_ARGS[mode], '-C', source.directory], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    if (said.length < MAX_ERROR_BYTES) said += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const outer = meter();
  const inner = meter(MAX_UNPACKED_BYTES);
  const decoder = decoderFor(source.file);
  const input = child.stdin;
  if (!input) throw new Error('tar was started without its input');
  const stages = decoder ? [outer.stream, decoder, inner.stream] : [outer.stream, inner.stream];
  const fed = pipeline([createReadStream(source.file), ...stages, input]).catch(
    (error: unknown) => error as Error,
  );
  const [failure, exitCode] = await Promise.all([fed, ended]);
  if (exitCode !== 0) throw new BadImageError(`the archive is broken: ${firstLine(said)}`);
  if (failure) throw new BadImageError(`the archive is broken: ${failure.message}`);
  return { digest: outer.digest(), diffId: inner.digest(), sizeBytes: inner.size() };
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] || 'tar could not read it';
}

function decoderFor(file: string): Duplex | undefined {
  const magic = Buffer.alloc(4);
  const fd = openSync(file, 'r');
  try {
    readSync(fd, magic, 0, 4, 0);
  } finally {
    closeSync(fd);
  }
  if (magic[0] === 0x1f && magic[1] === 0x8b) return createGunzip();
  if (magic.readUInt32LE() === 0xfd2fb528) return createZstdDecompress();
  return undefined;
}

interface Meter {
  readonly stream: Transform;
  digest(): string;
  size(): number;
}

/** Passes bytes on, counting and hashing them. */
function meter(limit = Number.POSITIVE_INFINITY): Meter {
  const hash: Hash = createHash('sha256');
  let size = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      if (size > limit) done(new Error(`it unpacks to more than ${limit} bytes`));
      else done(undefined, chunk);
    },
  });
  return { stream, digest: () => `sha256:${hash.digest('hex')}`, size: () => size };
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** Turns the whiteout files of layer archives into what overlayfs understands. */
export function convertWhiteouts(system: System, directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      convertWhiteouts(system, path);
    } else if (entry.name === OPAQUE) {
      rmSync(path);
      system.setOverlayOpaque(directory);
    } else if (entry.name.startsWith(WHITEOUT)) {
      rmSync(path);
      const hidden = join(directory, entry.name.slice(WHITEOUT.length));
      if (!isThere(hidden)) system.makeWhiteout(hidden);
    }
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
