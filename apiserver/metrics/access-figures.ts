// Figures of authorization: how it ended, and how long it took.
// Invariant: a request costs two looks at the clock and three additions.
import type { UserInfo } from '../../api/wire/exchange.ts';
import type { Clock } from '../../base/clock.ts';
import type { Figures } from '../../base/figures.ts';
import type { RequestInfo } from '../request-info.ts';

/** Throws Forbidden unless the user may do it. */
export type Authorize = (user: UserInfo, info: RequestInfo) => void;

/** Upper bounds, seconds: upstream's, 1 ms doubling. */
const SECONDS = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);
/** RBAC forbids nothing: on what it does not allow it has no opinion. Upstream's word in this label. */
const REFUSED = 'no-opinion';

/** The same, its outcomes counted. */
export function countedAuthorize(figures: Figures, clock: Clock, authorize: Authorize): Authorize {
  const labels = ['result'] as const;
  const attempts = figures.counter({
    name: 'authorization_attempts_total',
    help: 'Requests by how their authorization ended.',
    labels,
  });
  const durations = figures.histogram({
    name: 'authorization_duration_seconds',
    help: 'Time that authorization took.',
    labels,
    buckets: SECONDS,
  });
  const outcomeOf = (result: string) => ({
    count: attempts.of(result),
    took: durations.of(result),
  });
  const [allowed, refused] = [outcomeOf('allowed'), outcomeOf(REFUSED)];
  return (user, info) => {
    const startedAt = clock.monotonic();
    let outcome = refused;
    try {
      authorize(user, info);
      outcome = allowed;
    } finally {
      outcome.count.add();
      outcome.took.observe((clock.monotonic() - startedAt) / 1000);
    }
  };
}
