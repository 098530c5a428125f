// What an autoscaler recommended and did of late: stabilization and rate policies look back at it. Pure values.
// Invariant: bounded by time and by count: recommendations of one second are kept as one, and what no window reaches
// is forgotten. Times are of the monotonic clock, so that setting the host's clock neither ends a window nor stretches it.

/** The lowest and the highest recommendation of about a second. */
export interface Recommendation {
  readonly atMs: number;
  readonly least: number;
  readonly most: number;
}

/** A change of size that was made. */
export interface ScaleEvent {
  readonly atMs: number;
  readonly change: number;
}

/** All that is remembered. */
export interface History {
  readonly recommendations: readonly Recommendation[];
  readonly scaleUps: readonly ScaleEvent[];
  readonly scaleDowns: readonly ScaleEvent[];
}

/** Longest stabilization window, as the API allows. */
export const MAX_WINDOW_MS = 3600_000;
/** Longest period of a policy, as the API allows. */
export const MAX_PERIOD_MS = 1800_000;
/** Most scale events remembered each way; the oldest go first. */
export const MAX_SCALE_EVENTS = 1000;
const BUCKET_MS = 1000;

/** Nothing happened yet. */
export const EMPTY_HISTORY: History = { recommendations: [], scaleUps: [], scaleDowns: [] };

/** The history with one more recommendation; those older than `keepMs` go. */
export function withRecommendation(
  history: History,
  { atMs, replicas }: { readonly atMs: number; readonly replicas: number },
  keepMs: number,
): History {
  const kept = history.recommendations.filter((each) => each.atMs >= atMs - keepMs);
  const last = kept.at(-1);
  if (last && Math.floor(last.atMs / BUCKET_MS) === Math.floor(atMs / BUCKET_MS))
    kept[kept.length - 1] = {
      atMs,
      least: Math.min(last.least, replicas),
      most: Math.max(last.most, replicas),
    };
  else kept.push({ atMs, least: replicas, most: replicas });
  return { ...history, recommendations: kept };
}

/** The history with a change of size from one number to another. */
export function withScaleEvent(
  history: History,
  atMs: number,
  { from, to }: { readonly from: number; readonly to: number },
): History {
  const added = (events: readonly ScaleEvent[], change: number) =>
    [...events.filter((each) => each.atMs >= atMs - MAX_PERIOD_MS), { atMs, change }].slice(
      -MAX_SCALE_EVENTS,
    );
  if (to > from) return { ...history, scaleUps: added(history.scaleUps, to - from) };
  if (to < from) return { ...history, scaleDowns: added(history.scaleDowns, from - to) };
  return history;
}

/** By how many replicas the events changed the size since then. */
export function changeSince(events: readonly ScaleEvent[], sinceMs: number): number {
  return events.reduce((sum, each) => (each.atMs > sinceMs ? sum + each.change : sum), 0);
}
