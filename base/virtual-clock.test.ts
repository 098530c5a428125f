// Tests of the virtual clock: order of timers, stillness between them, and that cancelled ones cost nothing for long.
import { fc } from '../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { breathe, stillness } from './breathe.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('timers', () => {
  it('fire when due, in order of time and then of creation, those that were cancelled never', async () => {
    const timers = fc.array(
      fc.record({ ms: fc.integer({ min: 0, max: 50 }), cancelled: fc.boolean() }),
    );
    await fc.assert(
      fc.asyncProperty(timers, async (plan) => {
        const clock = new VirtualClock(0);
        const fired: { at: number; index: number }[] = [];
        const made = plan.map(({ ms }, index) =>
          clock.timer(ms, () => fired.push({ at: clock.monotonic(), index })),
        );
        for (const [index, { cancelled }] of plan.entries()) if (cancelled) made[index]?.cancel();
        await clock.advance(50);
        const wanted = plan
          .map(({ ms, cancelled }, index) => ({ at: ms, index, cancelled }))
          .filter(({ cancelled }) => !cancelled)
          .sort((a, b) => a.at - b.at || a.index - b.index)
          .map(({ at, index }) => ({ at, index }));
        expect(fired).toEqual(wanted);
        expect([clock.pendingTimers, clock.nextDue]).toEqual([0, undefined]);
      }),
    );
  });

  it('that were cancelled by the thousand leave the others where they were', async () => {
    const clock = new VirtualClock(0);
    let fired = 0;
    clock.timer(20, () => fired++);
    for (let i = 0; i < 10_000; i++) clock.timer(10, () => fired++).cancel();
    expect([clock.pendingTimers, clock.nextDue]).toEqual([1, 20]);
    await clock.advance(19);
    expect(fired).toBe(0);
    await clock.advance(1);
    expect(fired).toBe(1);
  });

  it('that a timer makes fire in the same advance, if they fall due', async () => {
    const clock = new VirtualClock(0);
    const times: number[] = [];
    const again = () => {
      times.push(clock.monotonic());
      clock.timer(10, again);
    };
    clock.timer(10, again);
    await clock.advance(35);
    expect([times, clock.monotonic()]).toEqual([[10, 20, 30], 35]);
  });
});

describe('stillness', () => {
  it('is waited for between firings, however long the work that one led to goes on without time', async () => {
    const clock = new VirtualClock(0);
    const told: string[] = [];
    clock.timer(1, () => {
      void (async () => {
        for (let i = 0; i < 20; i++) {
          for (let j = 0; j < 100; j++) await Promise.resolve();
          await breathe();
        }
        told.push('the work of the first is done');
      })();
    });
    clock.timer(1, () => told.push('the second'));
    await clock.advance(1);
    expect(told).toEqual(['the work of the first is done', 'the second']);
  });

  it('comes when many breathe by turns', async () => {
    let left = 50;
    for (let i = 0; i < 50; i++)
      void (async () => {
        for (let turn = 0; turn < i; turn++) await breathe();
        left--;
      })();
    await stillness();
    expect(left).toBe(0);
  });
});
