// Work that several want: done once, given up with the last, begun anew after a failure; and lists worked through a few at a time.
import { describe, expect, it } from 'vitest';
import { inParallel } from './in-parallel.ts';
import { SharedWork } from './shared-work.ts';

interface Begun {
  readonly signal: AbortSignal;
  finish(value: string): void;
  fail(error: Error): void;
}

/** Work that the test ends itself. */
function byHand(): { begun: Begun[]; work: (signal: AbortSignal) => Promise<string> } {
  const begun: Begun[] = [];
  const work = (signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => {
      begun.push({ signal, finish: resolve, fail: reject });
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  return { begun, work };
}

describe('shared work', () => {
  it('is begun once for all who want it, and anew for who comes later', async () => {
    const shared = new SharedWork<string>();
    const { begun, work } = byHand();
    const { signal } = new AbortController();
    const both = [shared.join('a', signal, work), shared.join('a', signal, work)];
    expect(begun).toHaveLength(1);
    begun[0]?.finish('done');
    expect(await Promise.all(both)).toEqual(['done', 'done']);
    expect(shared.size).toBe(0);
    const failing = shared.join('a', signal, work);
    begun[1]?.fail(new Error('no'));
    await expect(failing).rejects.toThrow('no');
    void shared.join('a', signal, work);
    expect(begun).toHaveLength(3);
  });

  it('goes on while somebody waits, whoever began it, and ends with the last', async () => {
    const shared = new SharedWork<string>();
    const { begun, work } = byHand();
    const [first, second] = [new AbortController(), new AbortController()];
    const one = shared.join('a', first.signal, work);
    const two = shared.join('a', second.signal, work);
    first.abort(new Error('first left'));
    await expect(one).rejects.toThrow('first left');
    expect(begun[0]?.signal.aborted).toBe(false);
    second.abort(new Error('second left'));
    await expect(two).rejects.toThrow('second left');
    expect(begun[0]?.signal.aborted).toBe(true);
    await expect(shared.join('a', second.signal, work)).rejects.toThrow('second left');
    expect(begun).toHaveLength(1);
  });

  it('that is given up has cleaned up before the last hears of it', async () => {
    const shared = new SharedWork<string>();
    const order: string[] = [];
    const leaving = new AbortController();
    const work = async (signal: AbortSignal): Promise<string> => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await new Promise((resolve) => setImmediate(resolve));
      order.push('cleaned up');
      throw new Error('given up');
    };
    const joined = shared.join('a', leaving.signal, work).catch(() => order.push('heard'));
    leaving.abort(new Error('left'));
    await joined;
    expect(order).toEqual(['cleaned up', 'heard']);
  });
});

describe('a list', () => {
  it('is worked through a few at a time, each item once', async () => {
    const { signal } = new AbortController();
    const done: number[] = [];
    let most = 0;
    let now = 0;
    await inParallel([1, 2, 3, 4, 5, 6, 7], { limit: 3, signal }, async (item) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      done.push(item);
    });
    expect(most).toBe(3);
    expect(done).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('ends with its first failure, which ends what goes on and begins nothing more', async () => {
    const { signal } = new AbortController();
    const begun: number[] = [];
    const working = inParallel([1, 2, 3, 4], { limit: 2, signal }, async (item, _, ending) => {
      begun.push(item);
      if (item === 2) throw new Error('two fails');
      await new Promise((_resolve, reject) =>
        ending.addEventListener('abort', () => reject(new Error('ended'))),
      );
    });
    await expect(working).rejects.toThrow('two fails');
    expect(begun).toEqual([1, 2]);
  });
});
