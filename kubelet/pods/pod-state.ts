// A pod's state out of the runtime's lists. Pure. Invariant: newest first, everywhere.
import type { ContainerStatus, SandboxStatus } from '../runtime/runtime.ts';
import type { PodState } from './plan.ts';

/** What the runtime has of one pod. */
export function podStateOf(
  podUid: string,
  sandboxes: readonly SandboxStatus[],
  containers: readonly ContainerStatus[],
): PodState {
  const own = sandboxes.filter((sandbox) => sandbox.podUid === podUid);
  const [sandbox, ...oldSandboxes] = own.sort(
    (a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs,
  );
  const byName = new Map<string, ContainerStatus[]>();
  for (const container of containers) {
    if (container.podUid !== podUid) continue;
    const known = byName.get(container.name);
    if (known) known.push(container);
    else byName.set(container.name, [container]);
  }
  for (const statuses of byName.values())
    statuses.sort((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs);
  return { sandbox, oldSandboxes, containers: byName };
}

/** Every container of a pod. */
export function containersOf(state: PodState): ContainerStatus[] {
  return [...state.containers.values()].flat();
}
