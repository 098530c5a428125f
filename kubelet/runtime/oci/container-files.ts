// Mounts what a container sees: its image's layers with a writable one on top, and its volumes.
// Invariant: a container with users of its own sees all of it as belonging to them, and the image's layers stay as they are for others.
import { mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ContainerConfig, SandboxConfig } from '../runtime.ts';
import type { Context } from './context.ts';
import type { ContainerPaths } from './layout.ts';
import type { ContainerRecord } from './records.ts';
import { giveTo, makeMappedFolder, mapAll, mappedMounts } from './user-namespace.ts';

/** Mounts a container's root file system; answers where it is, and the container with its volumes as it is to see them. */
export function showFiles(
  context: Context,
  { id, config }: ContainerRecord,
  users: {
    readonly userNamespace: SandboxConfig['userNamespace'] | undefined;
    readonly path: string | undefined;
  },
): { readonly rootfs: string; readonly config: ContainerConfig } {
  const { system, layout } = context;
  const paths = layout.container(id);
  const lowers = lowersOf(context, config.imageId);
  const { userNamespace, path: namespacePath } = users;
  if (!userNamespace || namespacePath === undefined) {
    mountRootfs(context, paths, lowers);
    return { rootfs: paths.rootfs, config };
  }
  const folder = paths.mapped;
  makeMappedFolder(folder);
  giveTo(userNamespace, [paths.upper, paths.terminationLog]);
  const to = { folder, namespacePath };
  // By their own names: the options of a live overlay say which layers are in use.
  const mapped = mapAll(context, lowers, { ...to, nameOf: (path) => basename(path) });
  mountRootfs(context, paths, mapped);
  // The overlay has its own hold on its layers.
  for (const layer of mapped) system.unmount(layer);
  const rootfs = join(folder, 'm');
  mkdirSync(rootfs);
  system.mount({ source: paths.rootfs, target: rootfs, flags: ['bind'] });
  return { rootfs, config: { ...config, mounts: mappedMounts(context, config.mounts, to) } };
}

function lowersOf({ images, layout }: Context, imageId: string): readonly string[] {
  return images
    .layersOf(imageId)
    .map((path) => join(layout.shortLayers, path.slice(path.lastIndexOf('/') + 1)));
}

function mountRootfs({ system }: Context, paths: ContainerPaths, lowers: readonly string[]): void {
  // All lie in one directory: by their names alone, 128 of them fit into the page that options have.
  const directory = dirname(lowers[0] ?? '/');
  const names = lowers.map((path) => basename(path)).join(':');
  const data = `lowerdir=${names},upperdir=${paths.shortUpper},workdir=${paths.shortWork}`;
  system.mount({ source: 'overlay', target: paths.rootfs, type: 'overlay', data, directory });
}
