// One probe as a state machine. Pure: results go in, verdicts come out.
// Invariant: a verdict changes only after as many results in a row as its threshold says.

/** What a probe's result can be. */
export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** Thresholds of a probe. */
export interface Thresholds {
  readonly success: number;
  readonly failure: number;
}

/** Where a probe stands. `run`: results alike in a row. */
export interface ProbeState {
  readonly verdict: 'unknown' | 'ok' | 'failed';
  readonly last: 'ok' | 'failed' | undefined;
  readonly run: number;
}

/** Before any result. */
export const FRESH: ProbeState = { verdict: 'unknown', last: undefined, run: 0 };

/** The state after one more result. */
export function stepProbe(state: ProbeState, result: ProbeResult, limits: Thresholds): ProbeState {
  const last = result.ok ? 'ok' : 'failed';
  const run = state.last === last ? state.run + 1 : 1;
  const needed = result.ok ? limits.success : limits.failure;
  return { verdict: run >= needed ? last : state.verdict, last, run };
}
