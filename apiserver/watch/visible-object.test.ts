// What readers of a visible object and watchers of its changes share, and for how long.
import { describe, expect, it } from 'vitest';
import { isKept } from '../../test/support/garbage.ts';
import { asPut } from './object-store.ts';
import { MAX_KEPT_BYTES, VisibleObject } from './visible-object.ts';
import { frameFor } from './watch-frames.ts';

const visible = (textLength: number) => {
  const object = { metadata: { name: 'a' }, text: 'x'.repeat(textLength) };
  const bytes = Buffer.from(JSON.stringify(object));
  return new VisibleObject({ key: '/a', revision: 1n, bytes, revisionAt: 0 });
};

describe('the value of a visible object', () => {
  it('is parsed once for all who hold it, and frozen', () => {
    for (const stored of [visible(10), visible(MAX_KEPT_BYTES)]) {
      const value = stored.object();
      expect(stored.object()).toBe(value);
      expect(Object.isFrozen(value.metadata)).toBe(true);
    }
  });

  it('is kept where it is small', async () => {
    const stored = visible(10);
    expect(await isKept(() => stored.object())).toBe(true);
  });

  it('is not kept for who replaces it, but shared with who has read it', async () => {
    const stored = visible(10);
    expect(await isKept(() => stored.objectToReplace())).toBe(false);
    expect(Object.isFrozen(stored.objectToReplace().metadata)).toBe(true);
    const value = stored.object();
    expect(stored.objectToReplace()).toBe(value);
    const large = visible(MAX_KEPT_BYTES);
    const held = large.object();
    expect(large.objectToReplace()).toBe(held);
  });

  it('goes with its last reader where it is large, and is made again', async () => {
    const stored = visible(MAX_KEPT_BYTES);
    expect(await isKept(() => stored.object())).toBe(false);
    expect(stored.object().metadata.name).toBe('a');
  });
});

describe('what a writer made', () => {
  const stored = (object: object) => {
    const bytes = Buffer.from(JSON.stringify(object));
    return { key: '/a', revision: 7n, bytes, revisionAt: 0 };
  };
  const written = (spec: object) => ({ kind: 'A', apiVersion: 'v1', metadata: {}, spec });

  it('is what its readers get, frozen and with its revision', () => {
    const object = written({ list: [{ a: 1 }], text: 'x' });
    const read = new VisibleObject(stored(object), object).object();
    expect(read).toEqual({ ...object, metadata: { resourceVersion: '7' } });
    expect(read['spec']).toBe(object.spec);
    expect(Object.isFrozen((object.spec as { list: object[] }).list[0])).toBe(true);
  });

  it.each([
    ['undefined', { a: undefined }],
    ['a number that JSON has none of', { list: [Number.NaN] }],
    ['a whole number beyond doubles', { deep: { a: 2n } }],
  ])('is read off its bytes where it holds %s, which JSON has not', (_what, spec) => {
    const object = written(spec);
    const value = stored(object);
    expect(new VisibleObject(value, object).object()).toEqual(JSON.parse(value.bytes.toString()));
  });
});

describe('the line of an event', () => {
  it('is made once for all who watch, and kept with the event where it is small', async () => {
    const event = asPut(visible(10));
    expect(frameFor(event, 'ADDED')).toBe(frameFor(event, 'ADDED'));
    expect(await isKept(() => frameFor(event, 'ADDED'))).toBe(true);
  });

  it('goes when all who watch have it where it is large, with the object that it shares', async () => {
    const event = asPut(visible(MAX_KEPT_BYTES));
    const frame = frameFor(event, 'ADDED');
    expect(frameFor(event, 'ADDED')).toBe(frame);
    const other = asPut(visible(MAX_KEPT_BYTES));
    expect(await isKept(() => frameFor(other, 'ADDED'))).toBe(false);
    expect(await isKept(() => frameFor(other, 'ADDED').event())).toBe(false);
  });
});
