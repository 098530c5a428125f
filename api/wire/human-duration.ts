// Ages as `kubectl get` shows them: two units at most, coarser the older they are.
// The steps are those that Kubernetes' clients and servers share.

const SECOND = 1000;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/**
 * A duration for people: `45s`, `3m25s`, `5h`, `2d4h`, `2y30d`. Up to a second below zero counts as
 * none.
 */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / SECOND);
  if (Number.isNaN(seconds)) return '<unknown>';
  if (seconds < -1) return '<invalid>';
  if (seconds < 2 * MINUTE) return `${Math.max(seconds, 0)}s`;
  if (seconds < 10 * MINUTE) return pair([seconds, MINUTE, 'm'], [1, 's']);
  if (seconds < 3 * HOUR) return single(seconds, MINUTE, 'm');
  if (seconds < 8 * HOUR) return pair([seconds, HOUR, 'h'], [MINUTE, 'm']);
  if (seconds < 2 * DAY) return single(seconds, HOUR, 'h');
  if (seconds < 8 * DAY) return pair([seconds, DAY, 'd'], [HOUR, 'h']);
  if (seconds < 2 * YEAR) return single(seconds, DAY, 'd');
  if (seconds < 8 * YEAR) return pair([seconds, YEAR, 'y'], [DAY, 'd']);
  return single(seconds, YEAR, 'y');
}

/** The age of a timestamp; `<unknown>` where there is none. */
export function ageOf(timestamp: string | undefined, nowMs: number): string {
  return timestamp === undefined ? '<unknown>' : humanDuration(nowMs - Date.parse(timestamp));
}

function single(seconds: number, unit: number, letter: string): string {
  return `${Math.trunc(seconds / unit)}${letter}`;
}

function pair(
  [seconds, unit, letter]: readonly [number, number, string],
  [small, smallLetter]: readonly [number, string],
): string {
  const rest = Math.trunc((seconds % unit) / small);
  return `${single(seconds, unit, letter)}${rest === 0 ? '' : `${rest}${smallLetter}`}`;
}
