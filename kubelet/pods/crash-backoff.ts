// When a container that ended may be started again: at once the first time, then 10 s doubling to 5 min, or to less where the node is
// configured so.
// Pure, and kept in the containers' own notes, so that it survives the agent. Invariants: ten quiet minutes start the count
// anew; only what a container did by itself counts, not that its host or sandbox went away.
import type { Container, Pod, PodSpec } from '../../api/generated/types.ts';
import type { ContainerStatus, SandboxStatus } from '../runtime/runtime.ts';
import type { PodState } from './plan.ts';
import { nextRoundOf, ownEnds } from './restart-rules.ts';

const INITIAL_MS = 10_000;
const MAX_MS = 300_000;
const RESET_MS = 600_000;

/** Annotation under which the runtime keeps the hash of what a container was made from. */
export const SPEC_HASH = 'pinnace.dev/container-hash';

/** Annotation under which the runtime keeps how many quick ends came before a container. */
export const CRASHES = 'pinnace.dev/crashes';

/** The containers of one name, newest first, and the pod's sandbox of now. */
export interface Past {
  readonly statuses: readonly ContainerStatus[];
  readonly sandbox: SandboxStatus | undefined;
  /** The longest wait; five minutes unless the node says less. */
  readonly maxMs?: number | undefined;
}

/** A container's past as its pod has it. */
export function pastOf(
  { spec }: Pod,
  container: Container,
  { state, maxMs }: { state: PodState; maxMs: number | undefined },
): Past {
  const all = state.containers.get(container.name) ?? [];
  const statuses = ownEnds(container, all, nextRoundOf(spec as PodSpec, state));
  return { statuses, sandbox: state.sandbox, maxMs };
}

/** Quick ends in a row, the newest container's own included. */
export function crashesOf(past: Past): number {
  const [last] = past.statuses;
  if (!last || last.state !== 'exited') return 0;
  const before = Number(last.annotations[CRASHES] ?? 0);
  if (!hasCrashed(last, past)) return before;
  const ran = (last.finishedAtMs ?? 0) - (last.startedAtMs ?? last.finishedAtMs ?? 0);
  return ran >= RESET_MS ? 1 : before + 1;
}

/** Wall time in milliseconds before which the next one, of that hash, must not start; 0 for at once. */
export function backoffUntil(past: Past, hash: string): number {
  const [last] = past.statuses;
  const crashes = crashesOf(past);
  if (!last || crashes < 2 || !hasCrashed(last, past)) return 0;
  return last.annotations[SPEC_HASH] === hash
    ? (last.finishedAtMs ?? 0) + backoffMs(crashes, past.maxMs)
    : 0;
}

/** One that ended with its host or its sandbox did not crash. */
function hasCrashed(last: ContainerStatus, { sandbox }: Past): boolean {
  return !last.endUnseen && sandbox?.state === 'ready' && last.sandboxId === sandbox.id;
}

/** The wait after so many quick ends. A longest wait below the first one shortens that too. */
export function backoffMs(crashes: number, maxMs = MAX_MS): number {
  return crashes < 2 ? 0 : Math.min(maxMs, INITIAL_MS * 2 ** (crashes - 2));
}
