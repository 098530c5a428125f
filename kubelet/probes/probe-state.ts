// One probe as a state machine. Pure: results go in, verdicts come out.
// Invariant: a verdict changes only after as many results in a row as its threshold says.

/**
 * What a probe's result can be. One with a warning counts as a success, and is told; one that `errored` says nothing of the container
 * and counts for nothing.
 */
export type ProbeResult =
  | { readonly ok: true; readonly warning?: string }
  | { readonly ok: false; readonly message: string; readonly errored?: true };

/** The result of a probe that went well. */
export const OK: ProbeResult = { ok: true };
/** The result of one that did not. */
export const failed = (message: string): ProbeResult => ({ ok: false, message });
/** The result of one that could not be made. */
export const errored = (message: string): ProbeResult => ({ ok: false, message, errored: true });

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
