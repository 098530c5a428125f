// Which images of which pods could not be pulled, and when each is tried again: 10 s doubling to 5 min, as upstream. Pure but for its map.
// Invariants: an image's waits are its pod's own; other credentials are tried at once; what a pod waited for goes with it.
import { backoffDelay } from '../../base/backoff.ts';
import type { PullReason } from '../runtime/runtime.ts';

const BACKOFF = { initialMs: 10_000, maxMs: 300_000 };
/** After so long without a try the failures of before count no more. */
const FORGET_AFTER_MS = 2 * BACKOFF.maxMs;

/** One failed pull, and the wait after it. */
export interface PullWait {
  readonly failures: number;
  readonly failedAtMs: number;
  readonly untilMs: number;
  /** What it was tried with. */
  readonly with: string;
  readonly reason: PullReason;
  readonly message: string;
}

/** A pull that failed. */
export interface PullFailed extends Pick<PullWait, 'with' | 'reason' | 'message'> {
  readonly nowMs: number;
}

/** The waits of one node. */
export class PullWaits {
  readonly #byPod = new Map<string, Map<string, PullWait>>();

  /** The wait that a pull with these credentials has to keep; undefined when it may begin. */
  of(podUid: string, image: string, asked: { with: string; nowMs: number }): PullWait | undefined {
    const wait = this.#byPod.get(podUid)?.get(image);
    return wait && wait.with === asked.with && asked.nowMs < wait.untilMs ? wait : undefined;
  }

  /** The image could not be pulled; answers the wait after it. */
  failed(podUid: string, image: string, { nowMs, ...how }: PullFailed): PullWait {
    const known = this.#byPod.get(podUid) ?? new Map<string, PullWait>();
    const last = known.get(image);
    const goesOn = last?.with === how.with && nowMs - last.failedAtMs <= FORGET_AFTER_MS;
    const failures = goesOn ? last.failures + 1 : 1;
    const untilMs = nowMs + backoffDelay(failures - 1, BACKOFF);
    const wait = { ...how, failures, failedAtMs: nowMs, untilMs };
    this.#byPod.set(podUid, known.set(image, wait));
    return wait;
  }

  /** It was pulled. */
  clear(podUid: string, image: string): void {
    this.#byPod.get(podUid)?.delete(image);
  }

  /** The pod is gone. */
  forget(podUid: string): void {
    this.#byPod.delete(podUid);
  }
}
