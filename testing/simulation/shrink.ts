// Makes a failing run's tape as small as can be: fewer odd things, and milder ones, as long as the same is found.
// Invariant: the answer fails as the first did; at most SHRINK_RUNS, MOVED_RUNS and SINGLE_RUNS runs are spent on it, and SHRINK_RUNS
// once more where one odd thing alone was found to do.
import { ODDS, type Moment } from './odds.ts';
import { isSameFinding, type RunOutcome } from './outcome.ts';
import type { Choice, Tape } from './tape.ts';

/** Runs spent on a smaller tape at most. */
export const SHRINK_RUNS = 200;
/** Runs spent on one of the tape's odd things alone, befalling other messages: they have other names where the rest is gone. */
export const MOVED_RUNS = 100;
/** Runs spent on finding the same with one odd thing alone, where the tape cannot be made that small. */
export const SINGLE_RUNS = 100;

/** Ways to make the failing run otherwise. */
export interface Reruns {
  /** The run with another tape. */
  with(tape: Tape): Promise<RunOutcome>;
  /** The names of all messages of the run, where nothing odd befalls any. */
  places(): Promise<readonly string[]>;
  /** The run with one odd thing at random, another one for each number. */
  single(number: number): Promise<RunOutcome>;
}

/** The failing run with the smallest tape that was found. */
export async function shrunk(failing: RunOutcome, reruns: Reruns): Promise<RunOutcome> {
  const small = await smallest(failing, reruns);
  if (small.tape.length < 2) return small;
  const moved = [...movedAlone(small.tape, await reruns.places())].slice(0, MOVED_RUNS);
  for (const tape of moved) {
    const outcome = await reruns.with(tape);
    if (isSameFinding(outcome.finding, failing.finding)) return smallest(outcome, reruns);
  }
  for (let number = 0; number < SINGLE_RUNS; number++) {
    const outcome = await reruns.single(number);
    if (isSameFinding(outcome.finding, failing.finding)) return smallest(outcome, reruns);
  }
  return small;
}

async function smallest(failing: RunOutcome, reruns: Reruns): Promise<RunOutcome> {
  let best = failing;
  let left = SHRINK_RUNS;
  /** Does it fail in the same way with this tape? Then that is the best so far. */
  const holds = async (tape: Tape): Promise<boolean> => {
    if (left-- <= 0) return false;
    const outcome = await reruns.with(tape);
    if (!isSameFinding(outcome.finding, failing.finding)) return false;
    best = outcome;
    return true;
  };
  for (let isBetter = true; isBetter && left > 0; ) {
    isBetter = false;
    for (const tape of smaller(best.tape))
      if (await holds(tape)) {
        isBetter = true;
        break;
      }
  }
  return best;
}

/**
 * Each odd thing of the tape alone, befalling each message of its moment to the same program, and then in other degrees;
 * the last one first, as it is the likeliest.
 */
function* movedAlone(tape: Tape, places: readonly string[]): Generator<Tape> {
  const likeliest = tape.toReversed();
  for (const [place, number] of likeliest)
    for (const other of alike(place, places)) yield [[other, number]];
  for (const [place, number] of likeliest)
    for (const degree of degreesOf([place, number]).toReversed())
      if (degree !== number) for (const other of alike(place, places)) yield [[other, degree]];
}

/** The places of the same moment and program. */
function alike(place: string, places: readonly string[]): string[] {
  const [moment, program] = [momentOf(place), programOf(place)];
  return places.filter((each) => momentOf(each) === moment && programOf(each) === program);
}

/** `operator` of `operator#2 request 3`: after a restart the same messages have other names. */
const programOf = (place: string): string => place.split(/[ #]/, 1)[0] ?? '';

/** Tapes one step smaller: half of it first, then without one choice, then with one choice milder. */
function* smaller(tape: Tape): Generator<Tape> {
  const half = tape.length >> 1;
  if (tape.length > 3) {
    yield tape.slice(0, half);
    yield tape.slice(half);
  }
  for (let i = tape.length - 1; i >= 0; i--) yield tape.toSpliced(i, 1);
  for (const [i, choice] of tape.entries())
    for (const milder of milderThan(choice)) yield tape.toSpliced(i, 1, milder);
}

/** The same kind of thing, less of it: numbers of a kind stand in order of how much they are. */
const milderThan = ([place, number]: Choice): Choice[] =>
  degreesOf([place, number]).flatMap((degree) =>
    degree < number ? [[place, degree] as const] : [],
  );

/** The numbers of the choice's kind of odd thing. */
function degreesOf([place, number]: Choice): number[] {
  const table = ODDS[momentOf(place)];
  const kind = table[number - 1]?.kind;
  return table.flatMap((odd, i) => (odd.kind === kind ? [i + 1] : []));
}

function momentOf(place: string): Moment {
  if (/ event \d+$/.test(place)) return 'event';
  return / request \d+$/.test(place) ? 'request' : 'reply';
}
