// Tests of the notes of who may use which image: their bound, and what becomes of broken and needless ones.
import { expect, it } from 'vitest';
import { FakeImageStore } from '../runtime/fake/fake-images.ts';
import { fingerprintOf, MAX_KEPT_CREDENTIALS, notesInMemory, PullAccess } from './pull-access.ts';

const IMAGE = 'reg.test/app:1';
const image = new FakeImageStore().add(IMAGE);

it('so many credentials are remembered for one image; who brings the oldest asks again', () => {
  const access = new PullAccess(notesInMemory());
  const prints = Array.from({ length: MAX_KEPT_CREDENTIALS + 1 }, (_, i) =>
    fingerprintOf([{ username: `u${i}` }]),
  );
  for (const print of prints) access.pulled(IMAGE, image, print);
  expect(prints.map((print) => access.mayUse(IMAGE, image, print)).indexOf(true)).toBe(1);
});

it('credentials count as a whole, and differ in each of their parts', () => {
  const all = [
    [],
    [{ username: 'a' }],
    [{ password: 'a' }],
    [{ username: 'a' }, { username: 'b' }],
    [{ username: 'b' }, { username: 'a' }],
  ].map(fingerprintOf);
  expect(new Set(all).size).toBe(all.length);
});

it('another repository of the same image is asked for by itself', () => {
  const access = new PullAccess(notesInMemory());
  access.pulled(IMAGE, image, '');
  expect(access.mayUse(IMAGE, image, '')).toBe(true);
  expect(access.mayUse('other.test/app:1', image, '')).toBe(false);
});

it.each(['{"pulled":', '', 'null', '{"pulled":null,"intents":[]}'])(
  'where notes are broken (%s) what came from a registry is asked for, and what was loaded is free',
  (text) => {
    const notes = notesInMemory();
    notes.write(text);
    const pulled = { ...image, repoDigests: [`reg.test/app@sha256:${'0'.repeat(64)}`] };
    const loaded = { ...image, repoDigests: [] };
    new PullAccess(notes).begun('reg.test/other:1');
    const access = new PullAccess(notes);
    expect([pulled, loaded].map((each) => access.mayUse(IMAGE, each, ''))).toEqual([false, true]);
    access.pulled(IMAGE, pulled, '');
    expect(access.mayUse(IMAGE, pulled, '')).toBe(true);
  },
);

it('a name that was given by hand is free, whoever pulled the same image by another', () => {
  const access = new PullAccess(notesInMemory());
  const digest = `other.test/app@sha256:${'0'.repeat(64)}`;
  const both = { ...image, names: [IMAGE, 'other.test/app:2'], repoDigests: [digest] };
  access.pulled('other.test/app:2', both, fingerprintOf([{ username: 'a' }]));
  expect(access.mayUse(IMAGE, both, '')).toBe(true);
  expect(access.mayUse('other.test/app:2', both, '')).toBe(false);
  expect(access.mayUse(digest, both, '')).toBe(false);
  expect(access.mayUse('third.test/app:1', both, '')).toBe(false);
  const pulled = { ...both, repoDigests: [digest, `reg.test/app@sha256:${'0'.repeat(64)}`] };
  expect(access.mayUse(IMAGE, pulled, '')).toBe(false);
});

it('notes of images that are gone are dropped', () => {
  const notes = notesInMemory();
  const access = new PullAccess(notes);
  access.pulled(IMAGE, image, fingerprintOf([{ username: 'a' }]));
  expect(new PullAccess(notes).isGuarded(IMAGE, image)).toBe(true);
  access.keepOnly(new Set());
  expect(new PullAccess(notes).isGuarded(IMAGE, image)).toBe(false);
});

it('a pull that failed leaves no note', () => {
  const notes = notesInMemory();
  const access = new PullAccess(notes);
  access.begun(IMAGE);
  expect(new PullAccess(notes).isGuarded(IMAGE, image)).toBe(true);
  access.failed(IMAGE);
  expect(new PullAccess(notes).isGuarded(IMAGE, image)).toBe(false);
});
