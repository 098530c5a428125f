// The signal that a pod names for its containers, sent by the agent itself: runtimes take it from the image only, but for the newest.
// Invariant: only the process that the runtime has for the container at that moment gets it; numbers of processes are used again.
import type { System } from '../../../system/system.ts';
import { failingAs } from './failures.ts';
import { kernelSignal } from './signals.ts';
import type { KnownContainer, RuntimeView } from './view.ts';

/** What sending rests on. */
export interface SignalDoors {
  readonly system: Pick<System, 'kill'>;
  readonly view: Pick<RuntimeView, 'refresh' | 'ended'>;
}

/**
 * Sends the container's own stop signal, where its pod names one, and waits `graceMs`. True when it has ended. Throws RuntimeError
 * when the runtime does not say what it has.
 */
export async function endedBySignal(
  { system, view }: SignalDoors,
  { status, notes }: KnownContainer,
  graceMs: number,
): Promise<boolean> {
  const signal = kernelSignal(notes.stopSignal ?? '');
  if (signal === undefined || graceMs === 0) return false;
  // Of an end that no event told the view may know minutes later.
  const now = await failingAs('KillContainerError', () =>
    view.refresh(status.id, status.sandboxId),
  );
  if (now?.state !== 'running') return (now?.state ?? 'exited') === 'exited';
  if (now.pid === undefined) return false;
  system.kill(now.pid, signal);
  const then = await view.ended(status.id, graceMs);
  return (then?.state ?? 'exited') === 'exited';
}
