// GNU tar ends at the mark of a tar's end, and what ends first, it or the stream to it, is the kernel's to say: neither may matter.
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLinuxSystem } from '../../system/linux.ts';
import { runCommand } from '../../system/run-command.ts';
import { unpackTar } from './unpack.ts';

const TEXT = 'rope\n'.repeat(50_000);
/** More than lies between two processes: tar has ended long before it was handed on. */
const PADDING_BYTES = 8 * 1024 * 1024;
let folder: string;
let file: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-unpack-'));
  for (const name of ['from', 'to']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'from', 'rope'), TEXT);
  file = join(folder, 'a.tar');
  await runCommand('tar', ['-cf', file, '-C', join(folder, 'from'), '.']);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const unpacked = () =>
  unpackTar(
    createLinuxSystem(),
    { file, sizeBytes: PADDING_BYTES, directory: join(folder, 'to') },
    { mode: 'layer' },
  );

it('an archive is unpacked and measured to its end when tar ends before it', async () => {
  appendFileSync(file, Buffer.alloc(PADDING_BYTES));
  const { diffId, members } = await unpacked();
  expect(members).toBe(2);
  expect(readFileSync(join(folder, 'to', 'rope'), 'utf8')).toBe(TEXT);
  const bytes = readFileSync(file);
  expect(diffId).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
});

it('an archive that tar breaks off at is broken in its words', async () => {
  rmSync(join(folder, 'to'), { recursive: true });
  appendFileSync(file, Buffer.alloc(PADDING_BYTES));
  await expect(unpacked()).rejects.toThrow(/the archive is broken: .*No such file/);
});

it('an archive that is cut short is broken', async () => {
  truncateSync(file, 100_000);
  await expect(unpacked()).rejects.toThrow('the tar ends in the middle of a file');
});
