// What readers of a visible object share, and for how long.
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { MAX_KEPT_BYTES, VisibleObject } from './visible-object.ts';

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;

const visible = (textLength: number) => {
  const object = { metadata: { name: 'a' }, text: 'x'.repeat(textLength) };
  const bytes = Buffer.from(JSON.stringify(object));
  return new VisibleObject({ key: '/a', revision: 1n, bytes, revisionAt: 0 });
};

/** Is the parsed value there after nobody has held it for a while? */
async function isKept(stored: VisibleObject): Promise<boolean> {
  const seen = new WeakRef(stored.object());
  await setImmediate();
  collectGarbage();
  return seen.deref() !== undefined;
}

describe('the value of a visible object', () => {
  it('is parsed once for all who hold it, and frozen', () => {
    for (const stored of [visible(10), visible(MAX_KEPT_BYTES)]) {
      const value = stored.object();
      expect(stored.object()).toBe(value);
      expect(Object.isFrozen(value.metadata)).toBe(true);
    }
  });

  it('is kept where it is small', async () => {
    expect(await isKept(visible(10))).toBe(true);
  });

  it('goes with its last reader where it is large, and is made again', async () => {
    const stored = visible(MAX_KEPT_BYTES);
    expect(await isKept(stored)).toBe(false);
    expect(stored.object().metadata.name).toBe('a');
  });
});
