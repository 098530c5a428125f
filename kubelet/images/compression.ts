// How a layer's or an archive's bytes are compressed, told by their first ones, and the stream that undoes it.
// Invariant: memory is bounded whatever a stream asks for.
import { open } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import { MAX_ZSTD_WINDOW_LOG } from './limits.ts';
import { ZstdFrames } from './zstd-frames.ts';

const OUTPUT_BYTES = 64 * 1024;
const ZSTD_MAGIC = 0xfd2fb528;
/** Frames of other content that may stand before and between zstd frames. */
const SKIPPABLE_MAGIC = 0x184d2a50;

/** How a file is compressed; undefined where it is not. */
export async function compressionOf(file: string): Promise<'gzip' | 'zstd' | undefined> {
  const magic = Buffer.alloc(4);
  const handle = await open(file, 'r');
  try {
    await handle.read(magic, 0, magic.length, 0);
  } finally {
    await handle.close();
  }
  if (magic[0] === 0x1f && magic[1] === 0x8b) return 'gzip';
  const word = magic.readUInt32LE();
  const isZstd = word === ZSTD_MAGIC || (word & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC;
  return isZstd ? 'zstd' : undefined;
}

/** What undoes the compression of a file; undefined where there is none. */
export async function decoderFor(file: string): Promise<Duplex | undefined> {
  const compression = await compressionOf(file);
  if (compression === 'gzip') return createGunzip({ chunkSize: OUTPUT_BYTES });
  if (compression === undefined) return undefined;
  return new ZstdFrames({
    chunkSize: OUTPUT_BYTES,
    params: { [constants.ZSTD_d_windowLogMax]: MAX_ZSTD_WINDOW_LOG },
  });
}
