// One hook of a container's life: a command in it, an HTTP request to it, or a pause.
// Invariant: ends by its deadline or with the signal; a hook that fails throws its reason.
import type { LifecycleHandler } from '../../api/generated/types.ts';
import type { ProbeDoor, ProbeTarget } from '../probes/probe-door.ts';

/** Longest that a hook without a deadline of its own may take. */
export const MAX_HOOK_MS = 24 * 3_600_000;

/** Where a hook runs, and how it is asked. */
export interface HookTarget extends ProbeTarget {
  readonly probes: ProbeDoor;
}

/** Runs a hook to its end. Throws when it fails or takes longer than `timeoutMs`. */
export async function runHook(
  hook: LifecycleHandler,
  target: HookTarget,
  limits: { timeoutMs: number; signal?: AbortSignal },
): Promise<void> {
  if (hook.sleep) {
    await target.clock.sleep(Math.min(hook.sleep.seconds * 1000, limits.timeoutMs), limits.signal);
    return;
  }
  // An HTTP hook is asked as a probe is; the API gives both the same fields.
  const { exec, httpGet, tcpSocket } = hook;
  const timeoutSeconds = limits.timeoutMs / 1000;
  const trying = target.probes.try('hook', { exec, httpGet, tcpSocket, timeoutSeconds }, target);
  const result = await unlessAborted(trying, limits.signal);
  if (!result.ok) throw new Error(result.message);
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
