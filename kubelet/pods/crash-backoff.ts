// When a container that ended may be started again: at once the first time, then 10 s doubling to 5 min.
// Pure, and kept in the containers' own notes, so that it survives the agent. Invariant: ten quiet minutes start the count anew.
import type { ContainerStatus } from '../runtime/runtime.ts';

const INITIAL_MS = 10_000;
const MAX_MS = 300_000;
const RESET_MS = 600_000;

/** Annotation under which the runtime keeps the hash of what a container was made from. */
export const SPEC_HASH = 'pinnace.dev/container-hash';

/** Annotation under which the runtime keeps how many quick ends came before a container. */
export const CRASHES = 'pinnace.dev/crashes';

/** Quick ends in a row, the newest container's own included. Containers newest first. */
export function crashesOf(statuses: readonly ContainerStatus[]): number {
  const last = statuses[0];
  if (!last || last.state !== 'exited') return 0;
  const ran = (last.finishedAtMs ?? 0) - (last.startedAtMs ?? last.finishedAtMs ?? 0);
  const before = Number(last.annotations[CRASHES] ?? 0);
  return ran >= RESET_MS ? 1 : before + 1;
}

/** Wall time in milliseconds before which the next one, of that hash, must not start; 0 for at once. */
export function backoffUntil(statuses: readonly ContainerStatus[], hash: string): number {
  const last = statuses[0];
  const crashes = crashesOf(statuses);
  if (!last || crashes < 2 || last.annotations[SPEC_HASH] !== hash) return 0;
  return (last.finishedAtMs ?? 0) + backoffMs(crashes);
}

/** The wait after so many quick ends. */
export function backoffMs(crashes: number): number {
  return crashes < 2 ? 0 : Math.min(MAX_MS, INITIAL_MS * 2 ** (crashes - 2));
}
