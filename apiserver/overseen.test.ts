// What those who oversee a long answer are told of it, however it ends.
// The answers are generators: what is tested is what stands between them and their readers.
import { describe, expect, it } from 'vitest';
import { overseen } from './overseen.ts';

async function* counted(to: number, failure?: Error): AsyncGenerator<number> {
  for (let i = 1; i <= to; i++) yield await Promise.resolve(i);
  if (failure) throw failure;
}

describe('overseen', () => {
  function setUp(items: AsyncIterable<number>) {
    const told: string[] = [];
    const by = (name: string) => ({
      begin: () => told.push(`${name} begins`),
      item: (item: number) => told.push(`${name} ${item}`),
      end: () => told.push(`${name} ends`),
    });
    return { told, items: overseen(overseen(items, by('one')), by('two')) };
  }

  it('tells each of the beginning, of every item before its reader has it, and once of the end', async () => {
    const { told, items } = setUp(counted(2));
    expect(told).toEqual([]);
    const reader = items[Symbol.asyncIterator]();
    expect(told.splice(0)).toEqual(['one begins', 'two begins']);
    expect(await reader.next()).toEqual({ done: false, value: 1 });
    expect(told.splice(0)).toEqual(['one 1', 'two 1']);
    await reader.next();
    expect((await reader.next()).done).toBe(true);
    expect(told.splice(0)).toEqual(['one 2', 'two 2', 'one ends', 'two ends']);
    await reader.next();
    await reader.return?.();
    expect(told).toEqual([]);
  });

  it('takes a failure for the end, and hands it on', async () => {
    const { told, items } = setUp(counted(0, new Error('it broke')));
    const reader = items[Symbol.asyncIterator]();
    await expect(reader.next()).rejects.toThrow('it broke');
    expect(told).toEqual(['one begins', 'two begins', 'one ends', 'two ends']);
  });

  it('tells the same of what is poured', async () => {
    const whole = setUp(counted(2));
    const taken: number[] = [];
    await whole.items.pour((item) => taken.push(item) > 0);
    expect(taken).toEqual([1, 2]);
    const begun = ['one begins', 'two begins', 'one 1', 'two 1'];
    expect(whole.told).toEqual([...begun, 'one 2', 'two 2', 'one ends', 'two ends']);

    const broken = setUp(counted(1, new Error('it broke')));
    await expect(broken.items.pour(() => Promise.resolve(true))).rejects.toThrow('it broke');
    expect(broken.told).toEqual([...begun, 'one ends', 'two ends']);

    const source = counted(3);
    const left = setUp(source);
    await left.items.pour(() => false);
    expect(left.told).toEqual([...begun, 'one ends', 'two ends']);
    expect((await source.next()).done).toBe(true);
  });

  it('takes a reader that leaves for the end, and lets go of the items', async () => {
    const source = counted(3);
    const { told, items } = setUp(source);
    for await (const _item of items) break;
    expect(told.slice(-2)).toEqual(['one ends', 'two ends']);
    expect((await source.next()).done).toBe(true);
  });
});
