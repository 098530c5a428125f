// Runs a scenario many times, each from a seed of its own, and makes of the first failure a story.
// Invariant: all there is to say about a run follows from the scenario and its seed; every so often a run is repeated to see that.
import { systemClock } from '../../base/clock.ts';
import { seededRandom, seedFor } from '../../base/random.ts';
import { withDifference } from './difference.ts';
import { type Finding, ranOutOfTime, type RunOutcome } from './outcome.ts';
import { guarded } from './outside.ts';
import { storyOf } from './report.ts';
import { imageAfter, runOnce } from './run.ts';
import { MOST_ODDS, type Scenario } from './scenario.ts';
import { shrunk } from './shrink.ts';
import { type Choices, choicesOf, randomChoices, type Tape } from './tape.ts';
import { emptyWorld, type WorldImage } from './world.ts';

/** Default of `runs`. */
export const RUNS = 100;
/** One run in so many is repeated, and has to have the same history. */
export const REPEATED_EVERY = 50;

/** How many runs, and which. */
export interface SimulateOptions {
  /** 100 unless given. */
  readonly runs?: number;
  /** The seed of the first run; those after it follow on. 1 unless given. */
  readonly seed?: number;
  /** Called after each run. */
  readonly onRun?: (outcome: RunOutcome) => void;
}

/** A run that failed, as small as it could be made. */
export interface SimulationFailureRecord {
  readonly finding: Finding;
  /** Of the run; with it alone the run comes again as it was found. */
  readonly seed: number;
  /** What is left of its odd things; with it and the seed the small run comes again. */
  readonly tape: Tape;
  readonly outcome: RunOutcome;
  /** The run as a text for people. */
  readonly story: string;
}

/** What came of all runs. */
export interface SimulationReport {
  readonly scenario: string;
  /** Runs that were made: fewer than asked for where one failed. */
  readonly runs: number;
  /** The first seed, and the last. */
  readonly seeds: readonly [number, number];
  /** None, or the first one. */
  readonly failures: readonly SimulationFailureRecord[];
  /** Runs that were repeated, and were the same to the byte. */
  readonly repeated: number;
  readonly messages: number;
  /** Virtual time of all runs. */
  readonly virtualMs: number;
  /** The host's time. */
  readonly elapsedMs: number;
}

/** Thrown by `simulate`: its message is the story of the failure. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
  readonly report: SimulationReport;

  constructor(report: SimulationReport) {
    super(report.failures.map(({ story }) => story).join('\n\n'));
    this.report = report;
  }
}

/** Runs the scenario until a run fails or all are through. Throws a SimulationFailure for one that fails. */
export async function simulate(
  scenario: Scenario,
  options: SimulateOptions = {},
): Promise<SimulationReport> {
  const report = await explore(scenario, options);
  if (report.failures.length > 0) throw new SimulationFailure(report);
  return report;
}

/** The same, but a run that fails is only told of in the report. */
export function explore(
  scenario: Scenario,
  { runs = RUNS, seed = 1, onRun = () => undefined }: SimulateOptions = {},
): Promise<SimulationReport> {
  return guarded(async () => {
    const startedAt = systemClock.monotonic();
    const image = await imageAfter(scenario, emptyWorld());
    const total = { runs: 0, repeated: 0, messages: 0, virtualMs: 0 };
    let failure: SimulationFailureRecord | undefined;
    for (; total.runs < runs && !failure; total.runs++) {
      const found = await oneOf(scenario, image, seed + total.runs);
      onRun(found.outcome);
      total.messages += found.outcome.messages;
      total.virtualMs += found.outcome.virtualMs;
      if (found.isRepeated) total.repeated++;
      failure = found.failure;
    }
    return {
      scenario: scenario.name,
      ...total,
      seeds: [seed, seed + Math.max(0, total.runs - 1)] as const,
      failures: failure ? [failure] : [],
      elapsedMs: systemClock.monotonic() - startedAt,
    };
  });
}

/** Which run. */
export interface ReplayOptions {
  readonly seed: number;
  /** The odd things of the run; those that the seed gives unless given. */
  readonly tape?: Tape;
}

/** One run again: the same history, to the byte. */
export function replay(scenario: Scenario, { seed, tape }: ReplayOptions): Promise<RunOutcome> {
  return guarded(async () => {
    const image = await imageAfter(scenario, emptyWorld());
    const choices = tape ? choicesOf(tape) : choicesFor(scenario, seed);
    return runOnce({ scenario, seed, choices, image });
  });
}

interface Found {
  readonly outcome: RunOutcome;
  readonly isRepeated: boolean;
  readonly failure: SimulationFailureRecord | undefined;
}

async function oneOf(scenario: Scenario, image: WorldImage, seed: number): Promise<Found> {
  const again = (choices: Choices, keepsContent = false) =>
    runOnce({ scenario, seed, choices, image, keepsContent });
  const byItsSeed = (keepsContent = false) => again(choicesFor(scenario, seed), keepsContent);
  const outcome = await byItsSeed();
  const isRepeated = outcome.finding !== undefined || seed % REPEATED_EVERY === 0;
  if (!isRepeated) return { outcome, isRepeated, failure: undefined };
  const second = ranOutOfTime(outcome) ? outcome : await byItsSeed();
  if (ranOutOfTime(second)) {
    const failure = outcome.finding && recordOf(outcome, outcome);
    return { outcome, isRepeated: false, failure };
  }
  if (second.hash !== outcome.hash) {
    const unlike = withDifference(await byItsSeed(true), await byItsSeed(true));
    return { outcome, isRepeated: false, failure: recordOf(unlike, unlike) };
  }
  if (!outcome.finding) return { outcome, isRepeated, failure: undefined };
  const small = await shrunk(outcome, {
    with: (tape) => again(choicesOf(tape)),
    async places() {
      const names: string[] = [];
      await again({ choose: ({ name }) => (names.push(name), 0) });
      return names;
    },
    single: (number) => again(singleChoice(seed, number)),
  });
  return { outcome, isRepeated, failure: recordOf(small, outcome) };
}

function choicesFor({ faults }: Scenario, seed: number): Choices {
  const most = faults?.most ?? MOST_ODDS;
  if (most === 0) return { choose: () => 0 };
  return randomChoices(seededRandom(seedFor(seed, 'choices')), most);
}

const singleChoice = (seed: number, number: number): Choices =>
  randomChoices(seededRandom(seedFor(seed, `single ${number}`)), 1);

function recordOf(outcome: RunOutcome, first: RunOutcome): SimulationFailureRecord {
  const finding = outcome.finding as Finding;
  const { seed, tape } = outcome;
  return { finding, seed, tape, outcome, story: storyOf(outcome, first) };
}
