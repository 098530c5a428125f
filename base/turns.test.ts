// Turns: order within a key, none between keys, and failures that pass.
import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

it('work on one key is done in order, and failures hold nobody up', async () => {
  const turns = new Turns();
  const said: string[] = [];
  const step = (name: string, fails = false) =>
    turns.take('a', async () => {
      said.push(`${name} begins`);
      await Promise.resolve();
      said.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const [one, two, three] = await Promise.allSettled([step('1'), step('2', true), step('3')]);
  expect(said).toEqual(['1 begins', '1 ends', '2 begins', '2 ends', '3 begins', '3 ends']);
  expect([one.status, two.status, three.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(turns.size).toBe(0);
});

it('work on another key does not wait', async () => {
  const turns = new Turns();
  let letGo = () => {};
  const held = turns.take('a', () => new Promise<void>((resolve) => (letGo = resolve)));
  expect(await turns.take('b', () => Promise.resolve('done'))).toBe('done');
  letGo();
  await held;
});
