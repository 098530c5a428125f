// Makes the runtime's directories, of which the one in /run is a file system in memory of its own.
// Invariants: what is in use stays where it is; a host whose /run lies on a disk pays no disk for what a reboot forgets, and what pods
// bring about there never takes more memory than is named here.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { Context } from './context.ts';
import type { ContainerPaths } from './layout.ts';
import { makeMountPoints } from './mount-points.ts';

/** What bundles and states of all containers may take: about 100 KB each. */
export const RUN_BYTES = 256 * 1024 * 1024;
/** A container's configuration that is larger lies on the disk. */
export const BUNDLE_CONFIG_BYTES = 64 * 1024;

/** Makes the directories that every verb needs. Repeatable. */
export function makeDirectories(context: Pick<Context, 'images' | 'layout' | 'system'>): void {
  const { images, layout } = context;
  mountRun(context);
  const { containers, sandboxes, exits, bundles, run, runcRoot, sockets, namespaces, shm } = layout;
  for (const path of [containers, sandboxes, exits, bundles, runcRoot, sockets, namespaces, shm])
    mkdirSync(path, { recursive: true, mode: 0o700 });
  mkdirSync(layout.roots, { recursive: true });
  for (const path of [layout.clusterRun, run, layout.roots]) chmodSync(path, 0o711);
  link(containers, join(run, 'c'));
  link(images.layers.directory, layout.shortLayers);
  makeMountPoints(layout);
  link(layout.mountPoints, layout.shortMountPoints);
  keepNamespacesPrivate(context);
  for (const id of readdirSync(containers)) adopt(layout.container(id));
}

/** An agent of before has mounts in a plain directory: they would be out of sight. */
function mountRun({ system, layout }: Pick<Context, 'layout' | 'system'>): void {
  const { run } = layout;
  mkdirSync(run, { recursive: true, mode: 0o700 });
  const isUsed = ({ mountPoint }: { mountPoint: string }) =>
    mountPoint === run || mountPoint.startsWith(`${run}/`);
  if (system.mounts().some(isUsed)) return;
  const data = `mode=711,size=${RUN_BYTES}`;
  const flags = ['nosuid', 'nodev', 'noexec'] as const;
  system.mount({ source: 'pinnace', target: run, type: 'tmpfs', flags, data });
}

/**
 * A namespace file can be bound only on a mount that does not spread: the directory is made a private mount of its own, once, before any
 * sandbox. With each of them the kernel's list of mounts, which grows with the pods, would cost more than its namespaces.
 */
function keepNamespacesPrivate({ system, layout }: Pick<Context, 'layout' | 'system'>): void {
  const directory = layout.namespaces;
  if (system.mounts().some((mount) => mount.mountPoint === directory)) return;
  system.mount({ source: directory, target: directory, flags: ['bind'] });
  system.mount({ source: '', target: directory, flags: ['private'] });
}

/** Writes a container's configuration, in which its environment may take megabytes: memory that all containers share is not for that. */
export function writeConfig({ root, bundle }: ContainerPaths, text: string): void {
  const path = join(bundle, 'config.json');
  const isLarge = Buffer.byteLength(text) > BUNDLE_CONFIG_BYTES;
  const file = isLarge ? join(root, 'config.json') : path;
  writeFileSync(file, text, { mode: 0o600 });
  if (isLarge) symlinkSync(file, path);
}

/** Agents of before kept a container's bundle beside what it wrote, where its conmon goes on working: it is found from here. */
function adopt({ root, bundle }: { readonly root: string; readonly bundle: string }): void {
  if (!existsSync(join(root, 'b'))) return;
  mkdirSync(bundle, { recursive: true, mode: 0o700 });
  for (const path of ['b/config.json', 'b/ctl', 'p/oom', 'm', 'e'])
    link(join(root, path), join(bundle, basename(path)));
}

function link(target: string, path: string): void {
  try {
    if (readlinkSync(path) === target) return;
    rmSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  symlinkSync(target, path);
}
