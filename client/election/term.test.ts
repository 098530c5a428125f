// When a term's writes are refused, without a server.
import { expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { LeadershipLost, RunningTerm } from './term.ts';

/** A term of ten milliseconds on a clock whose timers never fire, as those of a process that has stood still and goes on. */
function aTerm() {
  const clock = new VirtualClock();
  const at = { monotonic: 0 };
  const still = Object.assign(Object.create(clock) as VirtualClock, {
    monotonic: () => at.monotonic,
  });
  const lose = (term: RunningTerm) => term.end('lost');
  return { at, term: new RunningTerm({ clock: still, renewDeadlineMs: 10, acquiredAt: 0, lose }) };
}

it('refuses writes from the deadline of the last renewal on, though no timer has told it', () => {
  const { at, term } = aTerm();
  at.monotonic = 9;
  term.check();
  term.renewed(5);
  at.monotonic = 14;
  term.check();
  at.monotonic = 15;
  expect(() => term.check()).toThrow(LeadershipLost);
  expect([term.signal.aborted, term.over.aborted]).toEqual([true, true]);
  term.renewed(15);
  expect(() => term.check()).toThrow(LeadershipLost);
});

it('lets writes through after a stop, until it ends', () => {
  const { term } = aTerm();
  term.stop(new Error('told to stop'));
  expect(term.signal.aborted).toBe(true);
  term.check();
  term.end('the work has ended');
  expect(() => term.check()).toThrow(LeadershipLost);
});
