// zstd streams of several frames, in any chunks: what is plain comes out whole, and what is cut off or asks for too much is refused.
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decoderFor } from './compression.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-zstd-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a decoder makes of the bytes, given in chunks of a size. */
async function plain(bytes: Buffer, chunkBytes = bytes.length): Promise<Buffer> {
  const file = join(folder, 'x');
  writeFileSync(file, bytes);
  const decoder = await decoderFor(file);
  if (!decoder) return bytes;
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes)
    chunks.push(bytes.subarray(at, at + chunkBytes));
  const out: Buffer[] = [];
  for await (const chunk of Readable.from(chunks).pipe(decoder)) out.push(chunk as Buffer);
  return Buffer.concat(out);
}

const skippable = (content: Buffer) => {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a53, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
};
const checked = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const noise = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i * 31) % 251));

describe('compressed bytes', () => {
  it('are told by how they begin', async () => {
    expect((await plain(gzipSync('abc'))).toString()).toBe('abc');
    expect((await plain(zstdCompressSync(Buffer.from('abc')))).toString()).toBe('abc');
    expect((await plain(Buffer.from('abc'))).toString()).toBe('abc');
  });

  it.each([1, 7, 4096, 1_000_000])(
    'of several zstd frames come out whole, in chunks of %i',
    async (size) => {
      const frames = [
        skippable(Buffer.from('what this tool keeps for itself')),
        zstdCompressSync(Buffer.from('one')),
        zstdCompressSync(Buffer.alloc(0)),
        zstdCompressSync(noise, checked),
        skippable(Buffer.alloc(0)),
        zstdCompressSync(Buffer.alloc(500_000)),
      ];
      const whole = await plain(Buffer.concat(frames), size);
      expect(whole.equals(Buffer.concat([Buffer.from('one'), noise, Buffer.alloc(500_000)]))).toBe(
        true,
      );
    },
  );

  it('that are cut off or spoilt are refused', async () => {
    const frame = zstdCompressSync(noise, checked);
    await expect(plain(frame.subarray(0, frame.length - 3))).rejects.toThrow('unexpected end');
    await expect(plain(Buffer.concat([frame, Buffer.from('rubbish')]))).rejects.toThrow(
      'not a zstd',
    );
    const spoilt = Buffer.from(frame);
    spoilt.fill(0xff, 20, 200);
    await expect(plain(spoilt)).rejects.toThrow();
  });

  it('that ask for a larger window than is given are refused', async () => {
    const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_compressionLevel]: 1 };
    const wide = zstdCompressSync(Buffer.alloc(40 * 1024 ** 2), { params });
    await expect(plain(wide)).rejects.toThrow();
  });
});
