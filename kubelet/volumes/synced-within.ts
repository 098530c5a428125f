// Waits for an informer's first list, but not for ever: while the API server is away pods are looked after all the same.
import type { Clock } from '../../base/clock.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { KubeObject } from '../../api/meta/object.ts';

/** How long a list that a container's start needs is waited for. */
export const SYNC_PATIENCE_MS = 2_000;

/** Has its first list come in by then? Rejects when `signal` aborts first. */
export async function syncedWithin<T extends KubeObject>(
  informer: Informer<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  if (informer.hasSynced) return true;
  const late = new AbortController();
  const timer = clock.timer(SYNC_PATIENCE_MS, () => late.abort(new Error('no list yet')));
  try {
    await informer.synced(AbortSignal.any([signal, late.signal]));
  } catch (error) {
    if (signal.aborted) throw error;
  } finally {
    timer.cancel();
  }
  return informer.hasSynced;
}
