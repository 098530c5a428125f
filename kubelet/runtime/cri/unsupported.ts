// What a runtime behind CRI cannot do of what a container asks for, by its name and version: CRI has no question for it. Pure.
// Invariant: nothing that is asked for is left out in silence; a runtime that nobody knows here is asked.
import { type ContainerConfig, RuntimeError } from '../runtime.ts';

/** The first versions that show images as volumes, by the name that a runtime says. */
const IMAGE_VOLUMES: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['containerd', [2, 1]],
  ['cri-o', [1, 31]],
]);

/** Throws RuntimeError `CreateContainerError` naming what cannot be given. */
export function refuseContainer(
  { name, version }: { readonly name: string; readonly version: string },
  { mounts }: Pick<ContainerConfig, 'mounts'>,
): void {
  const shown = mounts.find(({ image }) => image);
  const first = IMAGE_VOLUMES.get(name);
  if (!shown || !first || !isBefore(version, first)) return;
  const why = `${name} ${version} shows no images as volumes (from ${first.join('.')} on); leave out the mount of ${shown.containerPath}`;
  throw new RuntimeError('CreateContainerError', why);
}

function isBefore(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, own = '', ownMinor = ''] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(own) < major || (Number(own) === major && Number(ownMinor) < minor);
}
