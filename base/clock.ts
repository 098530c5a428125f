// The door to time. Every other file asks a Clock, so the control plane can run on a virtual one.
// Invariant: nothing outside this file and virtual-clock.ts calls Date.now, performance.now or a timer.

/** A pending timer; `cancel` is safe to call at any time, any number of times. */
export interface Timer {
  cancel(): void;
}

/** Time as a dependency. All figures are milliseconds. */
export interface Clock {
  /** Wall time, milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Never goes backwards; only differences mean anything. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. Keeps the process alive meanwhile. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fn` once after `ms`. A timer never keeps the process alive on its own. */
  timer(ms: number, fn: () => void): Timer;
}

/** setTimeout takes a signed 32-bit delay; a longer one is chained. */
const MAX_DELAY_MS = 2 ** 31 - 1;

function longTimer(ms: number, fn: () => void, holdsProcess: boolean): Timer {
  const due = performance.now() + ms;
  let handle: NodeJS.Timeout;
  const arm = () => {
    const left = Math.max(0, due - performance.now());
    handle = setTimeout(left > MAX_DELAY_MS ? arm : fn, Math.min(left, MAX_DELAY_MS));
    if (!holdsProcess) handle.unref();
  };
  arm();
  return { cancel: () => clearTimeout(handle) };
}

/** Found once: as a property of the global object it takes as long to find as to ask. A request is asked the time some forty times. */
const host = performance;

/** The host's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => host.now(),
  timer: (ms, fn) => longTimer(ms, fn, false),
  sleep: (ms, signal) => sleepOn({ timer: (delay, fn) => longTimer(delay, fn, true) }, ms, signal),
};

/** `sleep` in terms of `timer`, for implementers of Clock. */
export function sleepOn(
  clock: Pick<Clock, 'timer'>,
  ms: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortReason(signal));
      return;
    }
    const onAbort = () => {
      timer.cancel();
      if (signal) reject(abortReason(signal));
    };
    const timer = clock.timer(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}
