// What is on the node and belongs to no pod any more: containers, sandboxes, attachments, volumes, logs.
// Invariant: run only with a true list of the node's pods, never on a guess.
import type { NodeAgentOptions } from '../options.ts';
import type { PodVolumes } from '../volumes/pod-volumes.ts';
import type { Listed } from './relist.ts';

/** What a container of a pod that is gone gets to end in. */
const GRACE_MS = 2_000;

/** Removes it. `known` says whether a pod has a worker, and is asked right before each step. */
export async function removeOrphans(
  options: NodeAgentOptions,
  volumes: PodVolumes,
  { listed, known }: { listed: Listed; known: (podUid: string) => boolean },
): Promise<void> {
  const { network, logger, host } = options;
  const uids = new Set<string>();
  for (const { podUid } of listed.sandboxes) uids.add(podUid);
  for (const { podUid } of listed.containers) uids.add(podUid);
  for (const { podUid } of await network.list()) uids.add(podUid);
  for (const uid of volumes.podUids()) uids.add(uid);
  for (const uid of uids) {
    if (known(uid)) continue;
    logger.info('what a former pod has left is removed', { podUid: uid });
    await removeContainers(options, uid);
    await network.tearDown(uid);
    await volumes.remove(uid);
  }
  host.logs.tidy(known);
}

async function removeContainers({ runtime }: NodeAgentOptions, podUid: string): Promise<void> {
  const containers = await runtime.listContainers(podUid);
  await Promise.all(containers.map(({ id }) => runtime.stopContainer(id, GRACE_MS)));
  const sandboxes = await runtime.listSandboxes(podUid);
  for (const { id } of sandboxes) await runtime.stopSandbox(id);
  for (const { id } of containers) await runtime.removeContainer(id);
  for (const { id } of sandboxes) await runtime.removeSandbox(id);
}
