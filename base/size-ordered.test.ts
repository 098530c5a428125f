// Names by size, held against a plain sort under any puts and removals.
import { describe, expect, it } from 'vitest';
import { fc } from '../test/support/properties.ts';
import { SizeOrdered } from './size-ordered.ts';

const steps = fc.array(
  fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    bucket: fc.constantFrom('x', 'y'),
    size: fc.bigInt(0n, 5n),
    removes: fc.boolean(),
  }),
  { maxLength: 40 },
);

describe('names in order of size', () => {
  it('are those that a sort of the bucket would give, whatever was put and removed', () => {
    fc.assert(
      fc.property(steps, fc.bigInt(0n, 6n), (all, from) => {
        const ordered = new SizeOrdered();
        const plain = new Map<string, { bucket: string; size: bigint }>();
        for (const { name, bucket, size, removes } of all) {
          if (removes) ordered.remove(name);
          else ordered.put(name, { bucket, size });
          if (removes) plain.delete(name);
          else plain.set(name, { bucket, size });
        }
        for (const bucket of ['x', 'y', 'z']) {
          const sizes = [...plain.values()].filter((each) => each.bucket === bucket);
          const sorted = sizes.map(({ size }) => size).toSorted((a, b) => Number(a - b));
          const sizeOf = (name: string) => plain.get(name)?.size;
          expect([...ordered.atLeast(bucket, from)].map(sizeOf)).toEqual(
            sorted.filter((size) => size >= from),
          );
          expect([...ordered.atMost(bucket, from)].map(sizeOf)).toEqual(
            sorted.filter((size) => size <= from).toReversed(),
          );
        }
      }),
    );
  });

  it('come in the order of their arrival where they are equal, and keep it', () => {
    const ordered = new SizeOrdered();
    for (const name of ['b', 'a', 'b']) ordered.put(name, { bucket: 'x', size: 1n });
    expect([...ordered.atLeast('x', 0n)]).toEqual(['b', 'a']);
    ordered.put('b', { bucket: 'x', size: 2n });
    ordered.put('b', { bucket: 'x', size: 1n });
    expect([...ordered.atLeast('x', 0n)]).toEqual(['a', 'b']);
  });
});
