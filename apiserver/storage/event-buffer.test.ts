// What readers of one collection are handed: in order, each event once, and the same list to all who were late for the same.
import { describe, expect, it } from 'vitest';
import { EventBuffer } from './event-buffer.ts';

const LIMITS = { maxEvents: 100, maxBytes: 100_000 };
const event = (id: number) => ({ id, value: { bytes: new Uint8Array(8) } });
const [one, two, three] = [[event(1)], [event(2), event(3)], [event(4)]];

/** What a reader gets that was busy while these came. */
function late(...batches: readonly (readonly ReturnType<typeof event>[])[]) {
  const buffer = new EventBuffer<ReturnType<typeof event>>(LIMITS);
  for (const batch of batches) buffer.push(batch);
  return buffer.next();
}

describe('A watch buffer', () => {
  it('hands the batch itself to who is late for one', async () => {
    expect(await late(one)).toBe(one);
  });

  it('hands one list to all who are late for the same batches, and their own to others', async () => {
    const first = await late(one, two);
    expect(first?.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(await late(one, two)).toBe(first);
    for (const others of [
      [one, three],
      [one, two, three],
      [two, one],
      [two, three],
    ])
      expect(await late(...others)).toEqual(others.flat());
    expect(await late(one, two)).toEqual(first);
  });
});
