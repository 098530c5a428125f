// Gives back what a pod holds on the node, and removes the rest. Every step may be repeated.
// Invariant: called only when all of the pod's containers have ended.
import type { Pod } from '../../api/generated/types.ts';
import { Pods } from '../../api/kinds.ts';
import { isConflict, isNotFound } from '../../api/status.ts';
import type { PodState } from './plan.ts';
import { containersOf } from './pod-state.ts';
import type { WorkerParts } from './worker-parts.ts';

const DELETE_RETRY_MS = 1_000;

/** Gives back sandbox, network, volumes and watches. Containers stay, for their logs and exit codes. */
export async function releasePod(parts: WorkerParts, pod: Pod, state: PodState): Promise<void> {
  const { runtime, network } = parts.options;
  const uid = pod.metadata.uid ?? '';
  for (const { id } of containersOf(state)) parts.prober.forget(id);
  const sandboxes = [...(state.sandbox ? [state.sandbox] : []), ...state.oldSandboxes];
  for (const { id } of sandboxes) await runtime.stopSandbox(id);
  await network.tearDown(uid);
  await parts.volumes.remove(uid);
  parts.sources.release(uid);
  parts.extensions.release(uid);
}

/** Deletes the pod from the API, then what is left of it on the node. */
export async function removePod(
  parts: WorkerParts,
  pod: Pod,
  rest: { state: PodState; inApi: () => boolean },
): Promise<void> {
  const { runtime, host } = parts.options;
  while (rest.inApi() && !parts.ending.aborted && !(await deleteFromApi(parts, pod)))
    await parts.options.clock.sleep(DELETE_RETRY_MS, parts.ending).catch(() => undefined);
  if (parts.ending.aborted) return;
  for (const { id } of containersOf(rest.state)) await runtime.removeContainer(id);
  const { sandbox, oldSandboxes } = rest.state;
  for (const { id } of [...(sandbox ? [sandbox] : []), ...oldSandboxes])
    await runtime.removeSandbox(id);
  await host.logs.remove(pod);
}

/** False when it should be tried again. */
async function deleteFromApi(parts: WorkerParts, pod: Pod): Promise<boolean> {
  const { namespace, name = '', uid = '' } = pod.metadata;
  const { client, logger } = parts.options;
  try {
    await client
      .resource(Pods)
      .delete(
        { namespace, name },
        { gracePeriodSeconds: 0, preconditions: { uid }, signal: parts.ending },
      );
    return true;
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return true;
    logger.warn('a pod that is over cannot be deleted yet', {
      pod: `${namespace}/${name}`,
      err: error,
    });
    return false;
  }
}
