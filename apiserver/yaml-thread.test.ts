// The thread for large YAML at the edges of its memory and its time.
import { expect, it } from 'vitest';
import { VirtualClock } from '../base/virtual-clock.ts';
import { inYamlThread, MAX_YAML_THREAD_MS, type YamlTask } from './yaml-thread.ts';

const { signal } = new AbortController();
const small: YamlTask = { kind: 'read', yaml: Buffer.from('a: 1\n') };
/** Seconds of work: each anchor is a fault, and its place is looked for from the beginning. */
const slow: YamlTask = { kind: 'read', yaml: Buffer.from(`a: ${'&a '.repeat(300_000)}`) };

it('refuses what takes more memory than a thread may have, and goes on with the next', async () => {
  const items = Array.from({ length: 100_000 }, (_, i) => ({ name: `item-${i}`, value: [i] }));
  const json = Buffer.from(JSON.stringify(items));
  const bounds = { signal, memoryMib: 24 };
  await expect(inYamlThread({ kind: 'write', json }, bounds)).rejects.toMatchObject({
    reason: 'RequestEntityTooLarge',
    message: expect.stringContaining('ask for JSON') as string,
  });
  expect(await inYamlThread(small, { signal })).toMatchObject({ value: { a: 1 } });
});

it('refuses what takes longer than MAX_YAML_THREAD_MS, and goes on with the next', async () => {
  const clock = new VirtualClock();
  const refused = expect(inYamlThread(slow, { signal, clock })).rejects.toMatchObject({
    reason: 'RequestEntityTooLarge',
    message: expect.stringContaining('too much time in YAML') as string,
  });
  await clock.advance(MAX_YAML_THREAD_MS);
  await refused;
  expect(await inYamlThread(small, { signal, clock })).toMatchObject({ value: { a: 1 } });
  expect(clock.pendingTimers).toBe(0);
});

it('does nothing for callers that have gone away, whether it was at it or they waited', async () => {
  const caller = new AbortController();
  const gone = [slow, small].map((task) =>
    expect(inYamlThread(task, { signal: caller.signal })).rejects.toMatchObject({
      reason: 'Timeout',
    }),
  );
  const stays = inYamlThread(small, { signal });
  caller.abort();
  await Promise.all(gone);
  expect(await stays).toMatchObject({ value: { a: 1 } });
});
