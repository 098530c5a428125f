// What a container sees of its pod's volumes, reached right before it starts: parts of them (subPath), and whether they answer.
// Invariant: the runtime is asked for no mount of a file system that hangs, as its process would hang with it.
import type { Container, Pod } from '../../api/generated/types.ts';
import type { PodVolumes } from '../volumes/pod-volumes.ts';
import { expand } from './environment.ts';

/** Which container of which pod. */
export interface VolumesReached {
  readonly pod: Pod;
  readonly container: Container;
  /** Host paths by volume name. */
  readonly volumes: ReadonlyMap<string, string>;
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

/** Host paths of the parts of volumes that it mounts, by the number of the mount. Throws ConfigError. */
export async function reachVolumes(
  reach: Pick<PodVolumes, 'subPath' | 'answers'>,
  { pod, container, volumes, env }: VolumesReached,
): Promise<ReadonlyMap<number, string>> {
  const podUid = pod.metadata.uid ?? '';
  const values = new Map(env.map(({ name, value }) => [name, value]));
  const parts = new Map<number, string>();
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const root = volumes.get(mount.name);
    if (root === undefined) continue;
    const inside = mount.subPathExpr ? expand(mount.subPathExpr, values) : mount.subPath;
    const at = { podUid, container: container.name, index, root };
    if (inside) parts.set(index, await reach.subPath({ ...at, inside }));
    else await reach.answers(podUid, root);
  }
  return parts;
}
