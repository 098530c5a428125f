// The day of one variant in figures. Pure.
// Invariant: each figure is worked out from the rows and changes that are shown beside it.
import type { Scaling, TrafficMinute } from './traffic-day.ts';

/** The figures. */
export interface TrafficSummary {
  /** Requests that came. */
  readonly requests: number;
  readonly lost: number;
  /** In percent of all requests. */
  readonly lostPercent: number;
  /** Of those served, how many waited for a second at least. */
  readonly delayed: number;
  readonly delayedPercent: number;
  /** The longest that a request waited which was served. */
  readonly longestWaitSeconds: number;
  /** Time in which more came than the pods could serve. */
  readonly overloadedMinutes: number;
  /** Pods that were there, ready or not, times hours. */
  readonly podHours: number;
  readonly peakReplicas: number;
  /** Use of CPU in percent of what is asked for, on average over ready pods. */
  readonly utilizationPercent: number;
  readonly scaleUps: number;
  readonly scaleDowns: number;
  /** Changes against the direction of the one before, within REVERSAL_SECONDS of it: oscillation. */
  readonly reversals: number;
}

/** A change that undoes one within this time is an oscillation. */
export const REVERSAL_SECONDS = 900;

/** Sums a day up. */
export function summarize(
  minutes: readonly TrafficMinute[],
  scalings: readonly Scaling[],
  seconds: number,
): TrafficSummary {
  const sum = (of: (row: TrafficMinute) => number) =>
    minutes.reduce((total, row) => total + of(row), 0);
  const lengthOf = ({ atSeconds }: TrafficMinute) => Math.min(60, seconds - atSeconds);
  const requests = sum(({ offered }) => offered);
  const lost = sum((row) => row.lost);
  const delayed = sum((row) => row.delayed);
  const readySeconds = sum((row) => row.ready * lengthOf(row));
  const used = sum((row) => row.utilization * row.ready * lengthOf(row));
  const percent = (part: number) => (requests > 0 ? (100 * part) / requests : 0);
  return {
    requests: Math.round(requests),
    lost: Math.round(lost),
    lostPercent: rounded(percent(lost), 4),
    delayed: Math.round(delayed),
    delayedPercent: rounded(percent(delayed), 4),
    longestWaitSeconds: minutes.reduce((most, row) => Math.max(most, row.longestSeconds), 0),
    overloadedMinutes: rounded(sum((row) => row.overloadedSeconds) / 60, 1),
    podHours: rounded(sum((row) => row.pods * lengthOf(row)) / 3600, 2),
    peakReplicas: minutes.reduce((most, { wanted }) => Math.max(most, wanted), 0),
    utilizationPercent: rounded(readySeconds > 0 ? used / readySeconds : 0, 1),
    scaleUps: scalings.filter(({ from, to }) => to > from).length,
    scaleDowns: scalings.filter(({ from, to }) => to < from).length,
    reversals: scalings.filter((each, i) => isReversal(scalings[i - 1], each)).length,
  };
}

function isReversal(before: Scaling | undefined, { atSeconds, from, to }: Scaling): boolean {
  if (!before || atSeconds - before.atSeconds > REVERSAL_SECONDS) return false;
  return to > from !== before.to > before.from;
}

/** A figure to so many places. */
export const rounded = (figure: number, places: number): number => Number(figure.toFixed(places));
