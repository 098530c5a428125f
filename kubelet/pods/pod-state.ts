// A pod's state out of the runtime's lists. Pure. Invariant: newest first, everywhere.
import type { PodSpec } from '../../api/generated/types.ts';
import type { ContainerStatus, SandboxStatus } from '../runtime/runtime.ts';
import type { PodState } from './plan.ts';
import { isSidecar } from './restart-rules.ts';

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

/** Of the containers that live, those whose turn it is to stop: sidecars after the others, the last one first. */
export function nextToStop(
  spec: PodSpec,
  live: readonly ContainerStatus[],
): readonly ContainerStatus[] {
  const sidecars = (spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const mains = live.filter((status) => !sidecars.includes(status.name));
  const last = sidecars.findLast((name) => live.some((status) => status.name === name));
  return mains.length > 0 ? mains : live.filter((status) => status.name === last);
}
