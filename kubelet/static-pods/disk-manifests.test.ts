// The directory of static pods on this host: what is read, and that each change of it is heard of.
import { mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../../test/support/until.ts';
import { diskManifests } from './disk-manifests.ts';
import { MAX_MANIFEST_BYTES, MAX_MANIFESTS } from './manifest-files.ts';

let root: string;
let directory: string;
let ending: AbortController;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pinnace-manifests-'));
  directory = join(root, 'etc', 'manifests');
  ending = new AbortController();
});
afterEach(() => {
  ending.abort();
  rmSync(root, { recursive: true, force: true });
});

it('reads files, and neither hidden ones nor directories', async () => {
  expect(await diskManifests.read(directory)).toEqual(new Map());
  mkdirSync(join(directory, 'below'), { recursive: true });
  writeFileSync(join(directory, 'a.yaml'), 'a');
  writeFileSync(join(directory, '.a.yaml.swp'), 'b');
  expect(await diskManifests.read(directory)).toEqual(new Map([['a.yaml', { text: 'a' }]]));
});

it('reads no file that is too large, and no more files than it may', async () => {
  mkdirSync(directory, { recursive: true });
  for (let i = 0; i < MAX_MANIFESTS + 2; i++)
    writeFileSync(join(directory, String(i).padStart(4, '0')), 'x');
  truncateSync(join(directory, '0000'), MAX_MANIFEST_BYTES + 1);
  const read = await diskManifests.read(directory);
  expect(read.size).toBe(MAX_MANIFESTS);
  expect(read.get('0000')).toEqual({
    problem: `it has ${MAX_MANIFEST_BYTES + 1} bytes, and ${MAX_MANIFEST_BYTES} are read at most`,
  });
});

it('hears of files, of a directory that comes late, and of one that goes and comes again', async () => {
  let changes = 0;
  diskManifests.watch(directory, () => (changes += 1), ending.signal);
  const heard = async (what: () => void) => {
    const before = changes;
    what();
    await until(() => changes > before);
  };
  await heard(() => mkdirSync(directory, { recursive: true }));
  await heard(() => writeFileSync(join(directory, 'a.yaml'), 'a'));
  await heard(() => rmSync(join(directory, 'a.yaml')));
  await heard(() => rmSync(directory, { recursive: true }));
  await heard(() => mkdirSync(directory));
  await heard(() => writeFileSync(join(directory, 'b.yaml'), 'b'));
});

it('hears of files in a directory that was put in the place of another in one go', async () => {
  mkdirSync(directory, { recursive: true });
  let changes = 0;
  diskManifests.watch(directory, () => (changes += 1), ending.signal);
  const fresh = join(root, 'fresh');
  mkdirSync(fresh);
  renameSync(directory, join(root, 'old'));
  renameSync(fresh, directory);
  await until(() => changes > 0);
  changes = 0;
  writeFileSync(join(directory, 'a.yaml'), 'a');
  await until(() => changes > 0);
});
