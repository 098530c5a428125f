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

/** A hook took longer than it may. */
export class HookTimeout extends Error {
  override readonly name = 'HookTimeout';
}

/** Runs a hook to its end. Throws when it fails, HookTimeout when it takes longer than `timeoutMs`, the signal's reason when aborted. */
export async function runHook(
  hook: LifecycleHandler,
  target: HookTarget,
  limits: { timeoutMs: number; signal?: AbortSignal },
): Promise<void> {
  const { clock } = target;
  const { timeoutMs, signal } = limits;
  if (hook.sleep) {
    await clock.sleep(Math.min(hook.sleep.seconds * 1000, timeoutMs), signal);
    return;
  }
  const { exec, httpGet } = hook;
  // The API takes tcpSocket for old objects' sake, and says that such a hook fails when it is run.
  if (!exec && !httpGet)
    throw new Error('invalid handler: only exec, httpGet and sleep can be run');
  // An HTTP hook is asked as a probe is; the API gives both the same fields. Its own timeout is later than the one here.
  const timeoutSeconds = timeoutMs / 1000 + 1;
  const trying = target.probes.try('hook', { exec, httpGet, timeoutSeconds }, target);
  const late = Promise.withResolvers<never>();
  const timer = clock.timer(timeoutMs, () =>
    late.reject(new HookTimeout('the hook took too long')),
  );
  try {
    const result = await unlessAborted(Promise.race([trying, late.promise]), signal);
    if (!result.ok) throw new Error(result.message);
  } finally {
    timer.cancel();
  }
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
