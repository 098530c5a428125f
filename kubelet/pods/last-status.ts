// The statuses of containers of a pod of which nothing runs or will run: whatever is not known to have ended has ended all the same.
// Pure; rules and texts as upstream's status manager has them for pods that are over.
// Invariant: what is known of an end is left as it is.
import type { Container, ContainerStatus, PodSpec } from '../../api/generated/types.ts';
import { unknownEnd } from './container-status.ts';
import { isSidecar } from './restart-rules.ts';

/** The statuses of a pod's init containers and of its others. */
export interface Told {
  readonly inits: readonly ContainerStatus[];
  readonly containers: readonly ContainerStatus[];
}

/** The last word on them. Containers that could not begin yet, as the pod was not initialized, go on waiting. */
export function lastStatuses(spec: PodSpec, { inits, containers }: Told): Told {
  const begun = begunInits(inits);
  return {
    inits: inits.map((status, i) => (i < begun ? ended(status) : status)),
    containers: wasInitialized(spec, { inits, containers }) ? containers.map(ended) : containers,
  };
}

function ended(status: ContainerStatus): ContainerStatus {
  if (status.state?.terminated) return status;
  const state = unknownEnd('could not be located when the pod was terminated');
  return { ...status, state, ready: false };
}

/** Init containers up to the last one of which anything was seen; at least the first. */
function begunInits(inits: readonly ContainerStatus[]): number {
  return Math.max(1, inits.findLastIndex((each) => !each.state?.waiting || lastEnd(each)) + 1);
}

function wasInitialized({ initContainers = [] }: PodSpec, { inits, containers }: Told): boolean {
  const last = inits.at(-1);
  if (!last || containers.some((each) => !each.state?.waiting || lastEnd(each))) return true;
  const of = (each: Container) => each.name === last.name;
  if (initContainers.some((each) => of(each) && isSidecar(each))) return last.started === true;
  return [last.state?.terminated, lastEnd(last)].some((end) => end?.exitCode === 0);
}

const lastEnd = (status: ContainerStatus) => status.lastState?.terminated;
