// Tests of reaching into volumes: what is inside is found or made, what leads out is refused.
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openInside } from './inside.ts';
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
