// Batches that double, and stop at the first failure.
import { describe, expect, it } from 'vitest';
import { slowStart } from './slow-start.ts';

describe('a slow start', () => {
  it('doubles its batches while all goes well', async () => {
    const batches: number[] = [];
    let running = 0;
    const outcome = await slowStart(10, async () => {
      running++;
      await Promise.resolve();
      batches.push(running);
      await new Promise<void>((resolve) => setImmediate(resolve));
      running--;
    });
    expect(outcome).toEqual({ succeeded: 10, skipped: 0, failure: undefined });
    expect(batches).toEqual([1, 2, 2, 4, 4, 4, 4, 3, 3, 3]);
  });

  it('stops after the first batch with a failure', async () => {
    let calls = 0;
    const error = new Error('no');
    const outcome = await slowStart(100, () => {
      calls++;
      return calls > 1 ? Promise.reject(error) : Promise.resolve();
    });
    expect(calls).toBe(3);
    expect(outcome).toEqual({ succeeded: 1, skipped: 97, failure: { error } });
  });

  it('does nothing when there is nothing to do', async () => {
    const outcome = await slowStart(0, () => Promise.reject(new Error('called')));
    expect(outcome).toEqual({ succeeded: 0, skipped: 0, failure: undefined });
  });
});
