// Tests of volumes that change in one step.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type VolumeFile, writeVolume } from './atomic-directory.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-volume-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

let generation = 0;
const write = (files: Record<string, string>, mode = 0o644, group?: number) => {
  const list: VolumeFile[] = Object.entries(files).map(([path, text]) => ({
    path,
    content: Buffer.from(text),
    mode,
  }));
  return writeVolume(folder, list, { group, generation: `g${++generation}` });
};
const shown = () => readdirSync(folder).filter((name) => !name.startsWith('..'));

describe('a volume of files', () => {
  it('shows its files, in folders too, with their modes', () => {
    write({ 'a.conf': 'one', 'deep/b.conf': 'two' }, 0o600);
    expect(readFileSync(join(folder, 'a.conf'), 'utf8')).toBe('one');
    expect(readFileSync(join(folder, 'deep/b.conf'), 'utf8')).toBe('two');
    expect(statSync(join(folder, 'a.conf')).mode & 0o777).toBe(0o600);
  });

  it('changes all files at once, by one link, and drops the old ones', () => {
    write({ a: '1', b: '1' });
    const open = readFileSync(join(folder, 'a'), 'utf8');
    expect(write({ a: '2', c: '2' })).toBe(true);
    expect(open).toBe('1');
    expect(shown().sort()).toEqual(['a', 'c']);
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('2');
    expect(readdirSync(folder).filter((name) => name.startsWith('..g'))).toHaveLength(1);
  });

  it('does nothing when nothing has changed', () => {
    write({ a: '1' });
    const before = readdirSync(folder);
    expect(write({ a: '1' })).toBe(false);
    expect(readdirSync(folder)).toEqual(before);
  });

  it('is made whole where an agent died between the change and the names that come and go with it', () => {
    write({ a: '1', b: '1' });
    rmSync(join(folder, 'b'));
    symlinkSync('..data/gone', join(folder, 'gone'));
    expect(write({ a: '1', b: '1' })).toBe(false);
    expect(shown().sort()).toEqual(['a', 'b']);
  });

  it('lets the group read where the owner may', () => {
    write({ a: '1' }, 0o400, 1234);
    const { mode, gid } = statSync(join(folder, 'a'));
    expect([mode & 0o777, gid]).toEqual([0o440, 1234]);
  });

  it('can be empty', () => {
    write({});
    expect(shown()).toEqual([]);
  });
});
