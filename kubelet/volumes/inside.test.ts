// Tests of reaching into volumes: what is inside is found or made, what leads out is refused.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath, pid, umask } from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_LEVELS, openInside } from './inside.ts';
import { ConfigError } from './volume-error.ts';

let folder: string;
let root: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-sub-'));
  root = join(folder, 'volume');
  mkdirSync(root);
  writeFileSync(join(folder, 'outside'), 'secret');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What is there; `refused` where there is nothing to be read, or not safely. */
function outcomeOf(inside: string): string {
  try {
    return read(inside);
  } catch (error) {
    // Missing for a moment, it is made as a folder.
    const isFolder = (error as NodeJS.ErrnoException).code === 'EISDIR';
    if (error instanceof ConfigError || isFolder) return 'refused';
    throw error;
  }
}

function read(inside: string): string {
  const place = openInside(root, inside);
  try {
    return readFileSync(`/proc/${pid}/fd/${place}`, 'utf8');
  } finally {
    closeSync(place);
  }
}

describe('a subPath', () => {
  it('leads to what is there, through links that stay inside', () => {
    mkdirSync(join(root, '..2026'));
    writeFileSync(join(root, '..2026', 'a.conf'), 'one');
    symlinkSync('..2026', join(root, '..data'));
    symlinkSync('..data/a.conf', join(root, 'a.conf'));
    expect(read('a.conf')).toBe('one');
  });

  it('makes the folders that are missing', () => {
    closeSync(openInside(root, 'new/deep'));
    expect(existsSync(join(root, 'new', 'deep'))).toBe(true);
  });

  it('gives folders that it makes the rights of the volume, whatever this process masks', () => {
    chmodSync(root, 0o2777);
    chownSync(root, 0, 4321);
    const before = umask(0o077);
    try {
      closeSync(openInside(root, 'new/deep'));
    } finally {
      umask(before);
    }
    for (const path of ['new', 'new/deep']) {
      const { mode, gid } = statSync(join(root, path));
      expect([mode & 0o7777, gid]).toEqual([0o2777, 4321]);
    }
  });

  it('goes up and down within the volume where a link says so, and by its whole path', () => {
    mkdirSync(join(root, 'a/b'), { recursive: true });
    writeFileSync(join(root, 'file'), 'one');
    symlinkSync('../../file', join(root, 'a/b/up'));
    symlinkSync(join(root, 'a'), join(root, 'whole'));
    expect(read('a/b/up')).toBe('one');
    expect(read('whole/b/up')).toBe('one');
    symlinkSync('../../../outside', join(root, 'a/b/over'));
    expect(() => openInside(root, 'a/b/over')).toThrow(/leads out of its volume/);
    expect(() => openInside(root, `${'d/'.repeat(MAX_LEVELS)}d`)).toThrow(/too deep/);
  });

  it('never leaves the volume while somebody swaps folders for links', async () => {
    mkdirSync(join(folder, 'elsewhere/deep'), { recursive: true });
    writeFileSync(join(folder, 'elsewhere/deep/file'), 'secret');
    mkdirSync(join(root, 'a/deep'), { recursive: true });
    writeFileSync(join(root, 'a/deep/file'), 'well');
    const swap = `const fs = require('node:fs'); process.chdir(process.argv[1]);
      const move = (from, to) => {
        for (;;) try { return fs.renameSync(from, to) } catch { try { fs.rmSync(to, { recursive: true, force: true }) } catch {} }
      };
      fs.symlinkSync('../elsewhere', 'link'); console.log('begun');
      for (;;) { move('a', 'b'); move('link', 'a'); move('a', 'link'); move('b', 'a'); }`;
    const swapper = spawn(execPath, ['-e', swap, root], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(swapper.stdout, 'data');
      const seen = new Set<string>();
      const enough = () => seen.has('well') && seen.has('refused');
      for (let i = 0; i < 3_000 || !enough(); i += 1) seen.add(outcomeOf('a/deep/file'));
      expect([...seen].filter((each) => each !== 'well' && each !== 'refused')).toEqual([]);
    } finally {
      swapper.kill('SIGKILL');
      await once(swapper, 'exit');
    }
  });

  it.each(['../outside', 'a/../../outside', '..'])('refuses %s', (inside) => {
    expect(() => openInside(root, inside)).toThrow(ConfigError);
  });

  it('refuses links that lead out, wherever they stand on the way', () => {
    symlinkSync('../outside', join(root, 'link'));
    symlinkSync(folder, join(root, 'up'));
    symlinkSync('/etc', join(root, 'etc'));
    for (const inside of ['link', 'up/outside', 'etc/passwd', 'up/volume-two/x'])
      expect(() => openInside(root, inside)).toThrow(ConfigError);
    expect(existsSync(join(folder, 'volume-two'))).toBe(false);
  });

  it('says what is wrong with a place that no volume can have, and holds nothing open', () => {
    writeFileSync(join(root, 'file'), '');
    symlinkSync('circle', join(root, 'circle'));
    const open = () => readdirSync(`/proc/${pid}/fd`).length;
    const before = open();
    expect(() => openInside(root, 'file/below')).toThrow(/"file\/below": a part of it is a file/);
    expect(() => openInside(root, 'circle')).toThrow(/its links lead in a circle/);
    expect(() => openInside(root, 'x'.repeat(300))).toThrow(/a name in it is too long/);
    expect(() => openInside(root, 'file/below')).toThrow(ConfigError);
    expect(open()).toBe(before);
  });
});
