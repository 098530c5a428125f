// What came of one run, as data.
// Invariant: an outcome alone is enough to repeat its run, and to tell its story.
import type { Write } from './cluster-state.ts';
import type { HistoryEntry } from './history.ts';
import type { Tape } from './tape.ts';

/** What a run was ended by. */
export interface Finding {
  /**
   * `always`, `eventually`: a condition of the scenario was broken. `story`: the story threw. `program`: a program ended or used what a
   * simulation cannot repeat. `hot loop`: the same work again and again. `limit`: the run did not end by itself.
   */
  readonly kind: 'always' | 'eventually' | 'story' | 'program' | 'hot loop' | 'limit' | 'repeat';
  /** The condition in words, or what happened instead. */
  readonly invariant: string;
  /** More about it; may differ between runs that found the same. */
  readonly detail: string;
}

/** One run. */
export interface RunOutcome {
  readonly scenario: string;
  readonly seed: number;
  /** What was odd in this run. */
  readonly tape: Tape;
  readonly finding: Finding | undefined;
  readonly history: readonly HistoryEntry[];
  /** One hash over the history, every message to the byte. */
  readonly hash: string;
  readonly messages: number;
  /** Virtual time that passed. */
  readonly virtualMs: number;
  /** What was written last before the run ended, oldest first; where something was found. */
  readonly written: readonly Omit<Write, 'previous'>[];
}

/** What a run has too little of where the host is too slow for it. */
export const HOST_TIME = 'the time that the host gives a run';

/** Was the run ended for want of the host's time? How far it came then is not the same twice. */
export const ranOutOfTime = ({ finding }: RunOutcome): boolean =>
  finding?.kind === 'limit' && finding.detail.startsWith(HOST_TIME);

/** Did both runs find the same? */
export const isSameFinding = (a: Finding | undefined, b: Finding | undefined): boolean =>
  a?.kind === b?.kind && a?.invariant === b?.invariant;
