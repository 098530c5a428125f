// Slots: no more at once than there are, in order, and nobody is held up by who failed or gave up.
import { expect, it } from 'vitest';
import { until } from '../test/support/until.ts';
import { Slots } from './slots.ts';

it('as many tasks run at once as there are slots, the others in order, whatever becomes of each', async () => {
  const slots = new Slots(2);
  const ends: (() => void)[] = [];
  const begun: string[] = [];
  const task = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve, reject) =>
      ends.push(name === 'a' ? () => reject(new Error(name)) : resolve),
    );
  };
  const all = Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => slots.run(task(name))));
  expect([begun, slots.waiting]).toEqual([['a', 'b'], 2]);
  for (const count of [3, 4]) {
    ends.shift()?.();
    await until(() => begun.length === count);
  }
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
  for (const end of ends) end();
  expect((await all).map(({ status }) => status === 'fulfilled')).toEqual([
    false,
    true,
    true,
    true,
  ]);
  expect(slots.waiting).toBe(0);
});

it('who gives up leaves the line, and never runs', async () => {
  const slots = new Slots(1);
  const held = Promise.withResolvers<void>();
  const first = slots.run(() => held.promise);
  const leaving = new AbortController();
  const given = slots.run(() => Promise.resolve('ran'), leaving.signal);
  const last = slots.run(() => Promise.resolve('last'));
  leaving.abort(new Error('gave up'));
  await expect(given).rejects.toThrow('gave up');
  expect(slots.waiting).toBe(1);
  held.resolve();
  await first;
  expect(await last).toBe('last');
  await expect(slots.run(() => Promise.resolve('ran'), leaving.signal)).rejects.toThrow('gave up');
});
