// Pods with users of their own: the mappings, and file systems shown to them with their owners counted by the pod's user namespace.
// Invariants: on disk everything belongs to whom it would belong to without the namespace; what is mounted for a container lies in a folder
// of its own that the pod's root may walk to, and goes with the container.
import {
  chmodSync,
  chownSync,
  mkdirSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type ContainerMount, RuntimeError, type SandboxConfig } from '../runtime.ts';
import type { Context } from './context.ts';

type Range = NonNullable<SandboxConfig['userNamespace']>;

/** `linux.uidMappings` and `linux.gidMappings` of the specification. */
export function idMappings({ hostId, size }: Range): object {
  const mapping = [{ containerID: 0, hostID: hostId, size }];
  return { uidMappings: mapping, gidMappings: mapping };
}

/** Makes files of a sandbox the pod's own. */
export function giveTo({ hostId }: Range, paths: readonly string[]): void {
  for (const path of paths) chownSync(path, hostId, hostId);
}

/** Makes the folder for a container's mapped mounts. */
export function makeMappedFolder(folder: string): void {
  mkdirSync(folder);
  chmodSync(folder, 0o711);
}

/** Shows each file or directory below `folder` as the pod's own; answers where. Throws RuntimeError. */
export function mapAll(
  { system }: Pick<Context, 'system'>,
  sources: readonly string[],
  to: {
    readonly folder: string;
    readonly nameOf: (source: string, index: number) => string;
    readonly namespacePath: string;
  },
): readonly string[] {
  return sources.map((source, index) => {
    const target = join(to.folder, to.nameOf(source, index));
    // Of images with layers in common, each in its turn.
    if (statSync(source).isDirectory()) mkdirSync(target, { recursive: true });
    else writeFileSync(target, '');
    try {
      system.mountMapped({ source, target }, to.namespacePath);
    } catch (error) {
      const why = `${source} cannot be shown to a pod with hostUsers: false: its file system, or one mounted below it, has no idmapped mounts`;
      throw new RuntimeError('CreateContainerError', why, error);
    }
    return target;
  });
}

/** The volumes of a container with their owners as the pod counts them. */
export function mappedMounts(
  context: Pick<Context, 'system'>,
  mounts: readonly ContainerMount[],
  to: { readonly folder: string; readonly namespacePath: string },
): readonly ContainerMount[] {
  const sources = mounts.map(({ hostPath }) => hostPath);
  const targets = mapAll(context, sources, { ...to, nameOf: (_, index) => `v${index}` });
  return mounts.map((mount, i) => ({ ...mount, hostPath: targets[i] ?? mount.hostPath }));
}

/** Leaves nothing of a container's mapped mounts. Repeatable; throws while something is mounted still, and removes nothing of that. */
export function removeMapped({ system }: Pick<Context, 'system'>, folder: string): void {
  if (!system.exists(folder)) return;
  for (const name of system.list(folder)) {
    system.unmount(join(folder, name));
    removeEmpty(join(folder, name));
  }
  rmdirSync(folder);
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw error;
    unlinkSync(path);
  }
}
