// What a tar says of its members, read as a stream in chunks of any size; and tars that lie are refused.
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tarHeader } from './tar-header.ts';
import { type TarMember, TarScanner } from './tar-scan.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-tar-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function scan(tar: Buffer, chunkBytes = tar.length): TarMember[] {
  const members: TarMember[] = [];
  const scanner = new TarScanner((member) => members.push(member));
  for (let at = 0; at < tar.length; at += chunkBytes)
    scanner.push(tar.subarray(at, at + chunkBytes));
  scanner.end();
  return members;
}

const LONG = `${'d'.repeat(120)}/${'e'.repeat(120)}/${'f'.repeat(200)}`;

function tree(): void {
  const at = (name: string) => join(folder, name);
  mkdirSync(at(LONG), { recursive: true });
  writeFileSync(at(`${LONG}/name`), 'x'.repeat(1000));
  symlinkSync(`/${'t'.repeat(300)}`, at('link'));
  linkSync(at(`${LONG}/name`), at('hard'));
  writeFileSync(at('sparse'), 'head');
  truncateSync(at('sparse'), 50_000_000);
  execFileSync('mkfifo', [at('fifo')]);
}

describe('a tar of GNU tar', () => {
  it.each(['gnu', 'posix'])(
    'in %s format tells its members, in whatever chunks it comes',
    (format) => {
      tree();
      const args = ['-c', '--sparse', `--format=${format}`, '--sort=name', '-C', folder, '.'];
      const tar = execFileSync('tar', args, { maxBuffer: 64 * 1024 ** 2 });
      const members = scan(tar);
      const byPath = new Map(members.map((member) => [member.path, member]));
      expect(members.find(({ sizeBytes }) => sizeBytes === 1000)).toMatchObject({ kind: 'file' });
      const second = members.find(({ kind }) => kind === 'hardlink');
      expect(new Set([second?.path, second?.linkTarget])).toEqual(
        new Set([`./${LONG}/name`, './hard']),
      );
      expect(byPath.get('./link')).toMatchObject({
        kind: 'symlink',
        linkTarget: `/${'t'.repeat(300)}`,
      });
      expect(byPath.get('./sparse')).toMatchObject({ kind: 'file', sizeBytes: 50_000_000 });
      expect(byPath.get('./fifo')).toMatchObject({ kind: 'fifo', sizeBytes: 0 });
      expect(byPath.get(`./${LONG}/`)).toMatchObject({ kind: 'directory' });
      for (const size of [1, 511, 513]) expect(scan(tar, size)).toEqual(members);
    },
  );
});

const header = (type: string, sizeBytes: number, path = 'a') => {
  const block = tarHeader({ path, kind: 'file', mode: 0o644, sizeBytes });
  block.write(type, 156, 'latin1');
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
};
const pax = (type: string, text: string) =>
  Buffer.concat([header(type, text.length), Buffer.from(text.padEnd(512, '\0'))]);

describe('a tar that lies', () => {
  it.each([
    ['in its checksum', () => header('0', 0).fill('y', 0, 1), 'wrong checksum'],
    ['of a member of a type nobody knows', () => header('Z', 0), 'unknown type "Z"'],
    ['in a length of a pax record', () => pax('x', '99 path=b\n'), 'malformed'],
    ['with a pax record without end', () => pax('x', '10 path=bb'), 'malformed'],
    ['with a pax size that is no number', () => pax('x', '12 size=-5a\n'), 'wrong size'],
    ['with names for all files', () => pax('g', '11 path=bb\n'), 'global header'],
    ['with a header without end', () => header('x', 2 ** 30), 'header of 1073741824 bytes'],
    ['with a file that never comes', () => header('0', 100), 'middle of a file'],
  ])('%s is refused', (_, make, message) => {
    expect(() => scan(make())).toThrow(message);
  });

  it('keeps no more of a file than its header', () => {
    const scanner = new TarScanner(() => undefined);
    scanner.push(header('0', 2 ** 32));
    const chunk = Buffer.alloc(2 ** 20);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 2 ** 12; i++) scanner.push(chunk);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
    scanner.end();
  });
});
