// Letting time pass for something to come about, on either kind of clock.
// Invariant: virtual time is moved from one timer to the next and no further than is needed.
import type { Clock } from '../base/clock.ts';
import { VirtualClock } from '../base/virtual-clock.ts';

/** Resolves once `ms` have passed on the clock, or soon after `enough` aborts; a virtual clock is moved on for that. */
export async function patience(clock: Clock, ms: number, enough: AbortSignal): Promise<void> {
  if (!(clock instanceof VirtualClock)) {
    await clock.sleep(ms, enough).catch(() => undefined);
    return;
  }
  const end = clock.monotonic() + ms;
  await clock.settled();
  while (!enough.aborted && clock.monotonic() < end)
    await clock.advance(Math.min(clock.nextDue ?? end, end) - clock.monotonic());
}
