// Finds the container that a request names. Texts are upstream's, because kubectl and people read them.
// Invariant: answers a container that there is, or throws RequestFailure.
import { table } from '../../base/table.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import type { FoundPod, NodePods } from './node-pods.ts';
import { RequestFailure } from './request-failure.ts';

/** The names in a request's path. */
export interface ContainerPath {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** The container whose log is asked for: the newest, or the one before it. */
export function containerForLog(
  pods: NodePods,
  path: ContainerPath,
  previous: boolean,
): ContainerStatus {
  const found = podAt(pods, path);
  const statuses = found.containers.get(path.container) ?? [];
  const status = statuses[previous ? 1 : 0];
  if (status) return status;
  if (previous)
    throw new RequestFailure(
      400,
      `previous terminated container "${path.container}" in pod "${path.pod}" not found`,
    );
  throw new RequestFailure(
    400,
    `container "${path.container}" in pod "${path.pod}" is waiting to start: ${waitingReason(found, path.container)}`,
  );
}

/** The container that a command is to run in. */
export function runningContainer(pods: NodePods, path: ContainerPath): ContainerStatus {
  const status = podAt(pods, path).containers.get(path.container)?.[0];
  if (status?.state !== 'running')
    throw new RequestFailure(404, `container not found ("${path.container}")`);
  return status;
}

function podAt(pods: NodePods, { namespace, pod, container }: ContainerPath): FoundPod {
  const found = pods.find(namespace, pod);
  if (!found) throw new RequestFailure(404, `pod "${namespace}/${pod}" is not on this node`);
  const { containers = [], initContainers = [], ephemeralContainers = [] } = found.pod.spec ?? {};
  const names = [...containers, ...initContainers, ...ephemeralContainers].map((c) => c.name);
  if (!names.includes(container))
    throw new RequestFailure(404, `container "${container}" not found in pod "${pod}"`);
  return found;
}

/** Upstream's words for pulls that fail; else the waiting state's own reason. */
const WAITING: Readonly<Record<string, string>> = table({
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: 'trying and failing to pull image',
});

function waitingReason({ pod }: FoundPod, container: string): string {
  const {
    containerStatuses = [],
    initContainerStatuses = [],
    ephemeralContainerStatuses = [],
  } = pod.status ?? {};
  const status = [
    ...containerStatuses,
    ...initContainerStatuses,
    ...ephemeralContainerStatuses,
  ].find(({ name }) => name === container);
  const reason = status?.state?.waiting?.reason ?? 'ContainerCreating';
  return WAITING[reason] ?? reason;
}
