// Making a failing tape small: what goes, what becomes milder, and what is moved to where it does alone.
import { expect, it } from 'vitest';
import type { RunOutcome } from './outcome.ts';
import { MOVED_RUNS, SHRINK_RUNS, SINGLE_RUNS, shrunk } from './shrink.ts';
import type { Tape } from './tape.ts';

const outcome = (tape: Tape, isFound: boolean): RunOutcome => ({
  scenario: 'pure',
  seed: 1,
  tape,
  finding: isFound ? { kind: 'always', invariant: 'it holds', detail: '' } : undefined,
  history: [],
  hash: '',
  messages: 0,
  virtualMs: 0,
  written: [],
});

/** Reruns of a program that fails with the tapes that `fails` says, and how many there were. */
function rerunsOf(fails: (tape: Tape) => boolean) {
  const counts = { runs: 0, singles: 0 };
  const places = ['p request 1', 'p reply 1', 'p watch 1 of pods event 1', 'q request 1'];
  for (let n = 2; n <= 200; n++) places.push(`p request ${n}`);
  return {
    counts,
    async with(tape: Tape) {
      counts.runs++;
      return outcome(tape, fails(tape));
    },
    places: async () => places,
    async single() {
      counts.singles++;
      return outcome([], false);
    },
  };
}

const CRASH_THEN_LOST: Tape = [
  ['p reply 1', 7],
  ['p#1 request 3', 6],
];

it('leaves out what is not needed, and makes the rest milder', async () => {
  const tape: Tape = [...CRASH_THEN_LOST, ['p request 9', 5]];
  const reruns = rerunsOf((each) => each.some(([place]) => place === 'p request 9'));
  expect((await shrunk(outcome(tape, true), reruns)).tape).toEqual([['p request 9', 1]]);
});

it('moves an odd thing to where it does alone, as messages have other names without the rest', async () => {
  const alone = JSON.stringify([['p request 7', 6]]);
  const reruns = rerunsOf((tape) => tape.length === 2 || JSON.stringify(tape) === alone);
  const small = await shrunk(outcome(CRASH_THEN_LOST, true), reruns);
  expect(JSON.stringify(small.tape)).toBe(alone);
  expect(reruns.counts.singles).toBe(0);
});

it('moves it in another degree, where the same one does nothing alone', async () => {
  // Of what can befall a reply, 7 is being killed and started again at once, 9 after 20 s.
  const alone = JSON.stringify([['p reply 1', 9]]);
  const reruns = rerunsOf((tape) => tape.length === 2 || JSON.stringify(tape) === alone);
  const tape: Tape = [
    ['p reply 1', 7],
    ['p#1 reply 3', 7],
  ];
  const small = await shrunk(outcome(tape, true), reruns);
  expect(JSON.stringify(small.tape)).toBe(alone);
});

it('gives up after a number of runs, and answers the smallest that it has', async () => {
  const reruns = rerunsOf((tape) => tape.length === 2);
  const small = await shrunk(outcome(CRASH_THEN_LOST, true), reruns);
  expect(small.tape).toHaveLength(2);
  expect(reruns.counts.runs).toBeLessThanOrEqual(SHRINK_RUNS + MOVED_RUNS);
  expect(reruns.counts.singles).toBe(SINGLE_RUNS);
});
