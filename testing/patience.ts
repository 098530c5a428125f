// Letting time pass for something to come about, on either kind of clock.
// Invariant: virtual time is moved from one timer to the next and no further than is needed; of the host's time only that counts in which
// this process may go on.
import type { Clock } from '../base/clock.ts';
import { VirtualClock } from '../base/virtual-clock.ts';

/** The host's time is waited for in parts so long: a host that stands still takes one of them away at most, and not the whole wait. */
const PART_MS = 100;

/** Resolves once `ms` have passed on the clock, or soon after `enough` aborts; a virtual clock is moved on for that. */
export async function patience(clock: Clock, ms: number, enough: AbortSignal): Promise<void> {
  if (!(clock instanceof VirtualClock)) {
    for (let left = ms; left > 0 && !enough.aborted; left -= PART_MS)
      await clock.sleep(Math.min(left, PART_MS), enough).catch(() => undefined);
    return;
  }
  const end = clock.monotonic() + ms;
  await clock.settled();
  while (!enough.aborted && clock.monotonic() < end)
    await clock.advance(Math.min(clock.nextDue ?? end, end) - clock.monotonic());
}
