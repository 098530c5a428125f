// Values in slabs: apart from each other, and from what is not there to stay.
import { describe, expect, it } from 'vitest';
import { keptBytes, SLAB_VALUE_BYTES } from './value-slab.ts';

describe('bytes to keep', () => {
  it('stay what they were, however many come after them, in any script', () => {
    const texts = Array.from({ length: 1_000 }, (_, i) => `${i} ä 日本 🚢 ${'x'.repeat(i)}`);
    const kept = texts.map((text) => keptBytes(text));
    expect(kept.map((bytes) => bytes.toString())).toEqual(texts);
  });

  it('share memory with their like, and never with bytes of the moment', () => {
    const kept = Array.from({ length: 200 }, (_, i) => {
      Buffer.from(`of the moment ${i}`);
      return keptBytes('x'.repeat(1_000));
    });
    const buffers = new Set(kept.map(({ buffer }) => buffer));
    expect(buffers.size).toBeLessThan(kept.length / 20);
    expect(buffers.has(Buffer.from('of the moment').buffer)).toBe(false);
  });

  it('lie alone where they are long', () => {
    const [fits, long] = [SLAB_VALUE_BYTES, SLAB_VALUE_BYTES + 1].map((size) =>
      keptBytes('x'.repeat(size)),
    );
    expect(fits?.buffer.byteLength).toBeGreaterThan(SLAB_VALUE_BYTES);
    expect(long?.buffer.byteLength).toBe(SLAB_VALUE_BYTES + 1);
    expect(long?.length).toBe(SLAB_VALUE_BYTES + 1);
  });
});
