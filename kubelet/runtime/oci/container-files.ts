// Mounts what a container sees: its image's layers with a writable one on top, its volumes, and the images that these show.
// Invariant: a container with users of its own sees all of it as belonging to them, and the image's layers stay as they are for others.
import { mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { bindSubPath } from '../../volumes/sub-path.ts';
import type { ContainerConfig, SandboxConfig } from '../runtime.ts';
import type { Context } from './context.ts';
import type { ContainerPaths } from './layout.ts';
import { mountPointsOf } from './mount-points.ts';
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
  const folder = paths.mapped;
  if (!userNamespace || namespacePath === undefined) {
    // Not for users of a pod's own, to whom they would be nobody's.
    mountRootfs(context, paths, [...lowers, ...mountPointsOf(layout, config)]);
    return { rootfs: paths.rootfs, config: showImages(context, config, { folder }) };
  }
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
  const mounts = mappedMounts(
    context,
    config.mounts.filter(({ image }) => !image),
    to,
  );
  const { mounts: images } = showImages(
    context,
    { ...config, mounts: config.mounts.filter(({ image }) => image) },
    to,
  );
  return { rootfs, config: { ...config, mounts: [...mounts, ...images] } };
}

/** Where images are shown, and to whose users. */
interface ShownTo {
  /** Goes with the container, as all that is mounted in it does. */
  readonly folder: string;
  readonly namespacePath?: string;
}

/** The container with paths of the host for the images that its mounts show. Throws ConfigError where one has no such part. */
function showImages(context: Context, config: ContainerConfig, to: ShownTo): ContainerConfig {
  const { system } = context;
  const isShown = config.mounts.some(({ image }) => image);
  if (!isShown) return config;
  if (to.namespacePath === undefined) makeMappedFolder(to.folder);
  const mounts = config.mounts.map((mount, index) => {
    if (!mount.image) return mount;
    const { id, subPath } = mount.image;
    const root = showImage(context, id, { ...to, name: `i${index}` });
    if (subPath === undefined) return { ...mount, hostPath: root };
    const target = join(to.folder, `s${index}`);
    bindSubPath(system, { root, inside: subPath, target });
    return { ...mount, hostPath: target };
  });
  return { ...config, mounts };
}

/** Mounts an image's layers, which nobody can write to; answers where. */
function showImage(
  context: Context,
  imageId: string,
  { folder, namespacePath, name }: ShownTo & { readonly name: string },
): string {
  const { system } = context;
  const own = lowersOf(context, imageId);
  const lowers =
    namespacePath === undefined
      ? own
      : mapAll(context, own, { folder, namespacePath, nameOf: (path) => basename(path) });
  const target = join(folder, name);
  mkdirSync(target);
  const directory = dirname(lowers[0] ?? '/');
  const names = lowers.map((path) => basename(path));
  // The kernel takes no overlay of one layer that nobody can write to: an empty one lies below it.
  if (names.length === 1) names.push(emptyLayer(folder));
  const data = `lowerdir=${names.join(':')}`;
  system.mount({ source: 'overlay', target, type: 'overlay', flags: ['ro'], data, directory });
  if (namespacePath !== undefined) for (const layer of lowers) system.unmount(layer);
  return target;
}

function emptyLayer(folder: string): string {
  const path = join(folder, 'e');
  mkdirSync(path, { recursive: true });
  return path;
}

function lowersOf({ images, layout }: Context, imageId: string): readonly string[] {
  return images
    .layersOf(imageId)
    .map((path) => join(layout.shortLayers, path.slice(path.lastIndexOf('/') + 1)));
}

function mountRootfs({ system }: Context, paths: ContainerPaths, lowers: readonly string[]): void {
  // An image's lie in one directory: by their names alone, 128 of them fit into the page that options have.
  const directory = dirname(lowers[0] ?? '/');
  const names = lowers
    .map((path) => (dirname(path) === directory ? basename(path) : path))
    .join(':');
  const data = `lowerdir=${names},upperdir=${paths.shortUpper},workdir=${paths.shortWork}`;
  system.mount({ source: 'overlay', target: paths.rootfs, type: 'overlay', data, directory });
}
