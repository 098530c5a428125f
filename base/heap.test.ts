// Tests of the heap against a sorted list.
import { fc } from '../test/support/properties.ts';
import { expect, it } from 'vitest';
import { Heap } from './heap.ts';

const step = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), item: fc.integer({ min: 0, max: 20 }) }),
  fc.constant({ kind: 'pop' as const, item: 0 }),
  fc.record({ kind: fc.constant('retain' as const), item: fc.integer({ min: 2, max: 4 }) }),
);

it('gives the first as a sorted list does, whatever was put in, taken out and dropped', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new Heap<number>((a, b) => a < b);
      let model: number[] = [];
      for (const { kind, item } of steps) {
        if (kind === 'push') {
          heap.push(item);
          model = [...model, item].sort((a, b) => a - b);
        } else if (kind === 'pop') {
          expect(heap.pop()).toBe(model.shift());
        } else {
          const keep = (one: number) => one % item !== 0;
          heap.retain(keep);
          model = model.filter(keep);
        }
        expect([heap.first, heap.size]).toEqual([model[0], model.length]);
      }
    }),
  );
});
