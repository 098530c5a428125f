// The work queue's promises: each key once, never with two workers, none lost.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { countQueue } from './queue-observer.ts';
import { WorkQueue } from './queue.ts';
import { RateLimitedQueue } from './rate-limited.ts';

describe('WorkQueue', () => {
  it('hands keys out in the order they came, each once', async () => {
    const queue = new WorkQueue({ clock: new VirtualClock() });
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect(queue.size).toBe(3);
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual(['a', 'b', 'c']);
  });

  it('brings a key back that was added while it was worked on, only after finish', async () => {
    const queue = new WorkQueue({ clock: new VirtualClock() });
    queue.add('a');
    expect(await queue.take()).toBe('a');
    queue.add('a');
    queue.add('a');
    let second: string | undefined;
    const taking = queue.take().then((key) => {
      second = key;
    });
    await Promise.resolve();
    expect(second).toBeUndefined();
    queue.finish('a');
    await taking;
    expect(second).toBe('a');
    queue.finish('a');
    expect(queue.size + queue.working).toBe(0);
  });

  it('refuses keys past its limit and takes them again once there is room', async () => {
    const queue = new WorkQueue({ clock: new VirtualClock(), limit: 2 });
    expect([queue.add('a'), queue.add('b'), queue.add('c'), queue.add('a')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    await queue.take();
    expect(queue.add('c')).toBe(true);
  });

  it('gives those who wait undefined when it closes', async () => {
    const queue = new WorkQueue({ clock: new VirtualClock() });
    const waiting = [queue.take(), queue.take()];
    queue.close();
    expect(await Promise.all([...waiting, queue.take()])).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(queue.add('a')).toBe(false);
  });

  it('tells its observer of depth, waits and work', async () => {
    const clock = new VirtualClock();
    const { counters, observer } = countQueue();
    const queue = new WorkQueue({ clock, observer });
    queue.add('a');
    queue.add('b');
    await clock.advance(30);
    await queue.take();
    await clock.advance(12);
    queue.finish('a');
    expect(counters).toEqual({
      depth: 1,
      adds: 2,
      retries: 0,
      refused: 0,
      started: 1,
      finished: 1,
      waitedMs: 30,
      workedMs: 12,
      longestWaitMs: 30,
    });
  });
});

/** What may befall a queue between turns of the clock. */
const action = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key: fc.constantFrom('a', 'b', 'c', 'd') }),
  fc.record({
    do: fc.constant('addAfter' as const),
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    ms: fc.integer({ min: 0, max: 50 }),
  }),
  fc.record({ do: fc.constant('retry' as const), key: fc.constantFrom('a', 'b', 'c', 'd') }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 40 }) }),
);

describe('a queue with several workers', () => {
  it('never has one key with two workers, and works on each key after its last add', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        async (actions, workers) => {
          const clock = new VirtualClock();
          const queue = new RateLimitedQueue({ clock });
          const busy = new Set<string>();
          const lastStart = new Map<string, number>();
          const lastAdd = new Map<string, number>();
          let turn = 0;
          const work = async () => {
            for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
              expect(busy.has(key)).toBe(false);
              busy.add(key);
              lastStart.set(key, ++turn);
              await clock.sleep(7);
              busy.delete(key);
              queue.finish(key);
            }
          };
          const running = Array.from({ length: workers }, work);
          for (const step of actions) {
            if (step.do === 'advance') await clock.advance(step.ms);
            else {
              lastAdd.set(step.key, ++turn);
              if (step.do === 'add') queue.add(step.key);
              else if (step.do === 'addAfter') queue.addAfter(step.key, step.ms);
              else queue.addRateLimited(step.key);
            }
          }
          await clock.advance(1_000_000);
          expect(queue.size + queue.delayed + queue.working).toBe(0);
          for (const [key, added] of lastAdd)
            expect(lastStart.get(key) ?? 0).toBeGreaterThan(added);
          queue.close();
          await Promise.all(running);
        },
      ),
      { numRuns: 60 },
    );
  });
});
