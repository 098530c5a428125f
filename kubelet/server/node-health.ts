// GET /healthz and its single checks, in the words of Kubernetes' own health checks.
// Invariant: what is said to be well was seen to be; nothing is asked anew.
import type { Clock } from '../../base/clock.ts';
import { RequestFailure } from './request-failure.ts';

/** The runtime has to have answered within this, or pods are not looked after: upstream's relist threshold. */
export const SYNC_PATIENCE_MS = 3 * 60_000;

/** What health is told by. */
export interface HealthParts {
  readonly clock: Clock;
  readonly measuredAtMs: () => number | undefined;
}

type Check = readonly [name: string, problem: string | undefined];

/** The answer; ?verbose tells each check. Throws RequestFailure 500 where something is not well, 404 for a check that there is not. */
export function nodeHealth(
  parts: HealthParts,
  [name, ...more]: readonly string[],
  query: URLSearchParams,
): string {
  const all: readonly Check[] = [
    ['ping', undefined],
    ['log', undefined],
    ['syncloop', syncProblem(parts)],
  ];
  if (name !== undefined) {
    const [, problem] = all.find(([each]) => each === name && more.length === 0) ?? unknown();
    if (problem !== undefined) throw new RequestFailure(500, `internal server error: ${problem}`);
    return 'ok';
  }
  const lines = all.map(([each, problem]) =>
    problem === undefined ? `[+]${each} ok` : `[-]${each} failed: reason withheld`,
  );
  if (all.some(([, problem]) => problem !== undefined))
    throw new RequestFailure(500, [...lines, 'healthz check failed', ''].join('\n'));
  return query.has('verbose') ? [...lines, 'healthz check passed', ''].join('\n') : 'ok';
}

/** An agent that has just begun has seen nothing yet. */
function syncProblem({ clock, measuredAtMs }: HealthParts): string | undefined {
  const seenAt = measuredAtMs();
  const isLate = seenAt !== undefined && clock.monotonic() - seenAt > SYNC_PATIENCE_MS;
  return isLate ? 'sync Loop took longer than expected' : undefined;
}

function unknown(): never {
  throw new RequestFailure(404, '404 page not found');
}
