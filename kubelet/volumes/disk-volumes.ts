// Volumes as directories: one folder for each pod, in it one for each volume, tmpfs where content must not reach a disk.
// Invariant: a directory is mounted, and an empty one made ready, once; after a restart of agent or host they are found again.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { removeTree } from '../../system/remove-tree.ts';
import type { System } from '../../system/system.ts';
import { type VolumeFile, writeVolume } from './atomic-directory.ts';
import type { GroupOwnership } from './group-ownership.ts';
import { blockDeviceAt, useHostPath } from './host-path.ts';
import { GIVE_UP_MS, HostPlaces } from './host-places.ts';
import { NfsVolumes } from './nfs-volumes.ts';
import { askPlace } from './place-process.ts';
import { bindSubPath, bindSubPathBeside } from './sub-path.ts';
import type { EmptyDirSpec, NfsSource, SubPathAt, VolumeAt, VolumeFiles } from './volume-files.ts';

/** What volumes on disk need. */
export interface DiskVolumesOptions {
  readonly system: System;
  readonly clock: Clock;
  readonly random: Random;
  /** Folder of all pods' volumes. */
  readonly root: string;
}

/** Folder of what is mounted from servers, beside those of pods. */
const NFS = '.nfs';
/** A tree of a volume may be large. */
const OWN_GIVE_UP_MS = 10 * GIVE_UP_MS;
/** Files that a volume was seen to show are looked at again after this, or when others are to be shown. */
const LOOK_AGAIN_MS = 30_000;

/** Unmounts what lies below a folder of volumes: of one pod, or of all of them once no agent is left to do it. */
export function unmountVolumes(system: System, folder: string): void {
  if (!existsSync(folder)) return;
  // As the kernel calls it: by a link nothing would be found, and what is mounted would be taken for the pod's own.
  const below = mountsBelow(system, realpathSync(folder));
  for (const { mountPoint } of below.toReversed()) system.unmount(mountPoint);
}

function unmountRest(system: System, folder: string): void {
  unmountVolumes(system, folder);
  const [left] = mountsBelow(system, folder);
  // What is mounted there is somebody else's.
  if (left) throw new Error(`${left.mountPoint} cannot be unmounted`);
}

const mountsBelow = (system: System, folder: string) =>
  system.mounts().filter(({ mountPoint }) => mountPoint.startsWith(`${folder}/`));

/** The volumes below a folder. */
export class DiskVolumes implements VolumeFiles {
  readonly #options: DiskVolumesOptions;
  /** Tells this run's generations from those of an agent before it. */
  readonly #run: string;
  #generation = 0;
  /** Paths that this run has made or found. */
  readonly #made = new Set<string>();
  /** What is mounted below the root; the kernel's list is long, and is read only once. */
  readonly #mounted = new Set<string>();
  /** What volumes of files were seen to show, and when. */
  readonly #shown = new Map<string, { readonly digest: string; readonly atMs: number }>();
  readonly #places: HostPlaces;
  #nfs: NfsVolumes;
  #root: string;

  constructor(options: DiskVolumesOptions) {
    this.#options = options;
    this.#root = options.root;
    this.#places = new HostPlaces(options);
    this.#nfs = this.#nfsBelow(options.root);
    this.#run = options.random.uuid().slice(0, 8);
  }

  /** Makes the folder. From then on it is called what the kernel calls it, so that mounts below it are known. */
  prepare(): void {
    mkdirSync(this.#options.root, { recursive: true, mode: 0o750 });
    this.#root = realpathSync(this.#options.root);
    for (const { mountPoint } of mountsBelow(this.#options.system, this.#root))
      this.#mounted.add(mountPoint);
    this.#nfs = this.#nfsBelow(this.#root);
  }

  #nfsBelow(root: string): NfsVolumes {
    const { system } = this.#options;
    return new NfsVolumes({ system, places: this.#places, root: join(root, NFS) });
  }

  nfs(at: VolumeAt, source: NfsSource): Promise<string> {
    return this.#nfs.mount(at, source);
  }

  emptyDir(at: VolumeAt, { inMemory, sizeBytes, group }: EmptyDirSpec): string {
    const path = this.pathOf(at);
    if (this.#made.has(path)) return path;
    const mode = group === undefined ? 0o777 : 0o2777;
    if (inMemory) {
      const size = sizeBytes > 0 ? `,size=${sizeBytes}` : '';
      this.#inMemory(path, `mode=0${mode.toString(8)},gid=${group ?? 0}${size}`);
    } else if (!existsSync(path)) makeReady(path, { mode, group: group ?? 0 });
    this.#made.add(path);
    return path;
  }

  /** Looked at once for each pod: what becomes of it later is seen by `answers`. */
  async hostPath(path: string, type: string, at: VolumeAt): Promise<string> {
    const key = `${this.pathOf(at)}:${path}`;
    if (this.#made.has(key)) return path;
    const run = (signal: AbortSignal) => useHostPath(this.#options.system, { path, type }, signal);
    const name = `path ${at.volume} ${type} ${path}`;
    await this.#places.answer({ podUid: at.podUid, name, path, run });
    this.#made.add(key);
    return path;
  }

  async blockDevice(path: string, at: VolumeAt): Promise<string> {
    const { system } = this.#options;
    const run = (signal: AbortSignal) => blockDeviceAt(system, path, signal);
    const name = `device ${at.volume} ${path}`;
    return this.#places.answer({ podUid: at.podUid, name, path, run });
  }

  async answers(podUid: string, path: string): Promise<void> {
    if (path.startsWith(`${this.#root}/`) && !this.#nfs.has(path)) return;
    const run = (signal: AbortSignal) =>
      useHostPath(this.#options.system, { path, type: '' }, signal);
    await this.#places.answer({ podUid, name: `look ${path}`, path, run });
  }

  async own(at: VolumeAt, path: string, ownership: GroupOwnership): Promise<void> {
    const key = `${this.pathOf(at)}:${path}:${ownership.group}`;
    if (this.#made.has(key)) return;
    await this.#places.answer({
      podUid: at.podUid,
      name: `own ${at.volume}`,
      path,
      slow: `the files of ${path} are still being given to group ${ownership.group}`,
      giveUpMs: OWN_GIVE_UP_MS,
      run: (signal) =>
        askPlace(this.#options.system, { kind: 'own', root: path, ownership }, signal),
    });
    this.#made.add(key);
  }

  hasFiles(at: VolumeAt): boolean {
    return existsSync(join(this.pathOf(at), '..data'));
  }

  write(
    at: VolumeAt,
    files: readonly VolumeFile[],
    how: { readonly secret: boolean; readonly group: number | undefined },
  ): string {
    const path = this.pathOf(at);
    const atMs = this.#options.clock.monotonic();
    const digest = digestOf(files);
    const shown = this.#shown.get(path);
    // A pod that starts comes here with every step; to look at its files takes a dozen system calls.
    if (shown?.digest === digest && atMs - shown.atMs < LOOK_AGAIN_MS) return path;
    // Of a write that fails half-way nobody knows what it shows.
    this.#shown.delete(path);
    if (how.secret) this.#inMemory(path, 'mode=0755');
    const generation = `${this.#run}_${++this.#generation}`;
    writeVolume(path, files, { group: how.group, generation });
    this.#shown.set(path, { digest, atMs });
    return path;
  }

  pathOf({ podUid, volume }: VolumeAt): string {
    return join(this.#root, podUid, volume);
  }

  /** Binds the part to a path of its own, for the container's mount of that number. */
  async subPath({ podUid, container, index, root, inside }: SubPathAt): Promise<string> {
    const { system } = this.#options;
    const target = join(this.#root, podUid, '.subpaths', container, String(index));
    const part = { root, inside, target };
    if (this.#isOwn(root)) bindSubPath(system, part);
    else {
      const run = (signal: AbortSignal) => bindSubPathBeside(system, part, signal);
      const name = `part ${container} ${index} ${inside}`;
      await this.#places.answer({ podUid, name, path: root, run });
    }
    return target;
  }

  podUids(): string[] {
    if (!existsSync(this.#root)) return [];
    const own = readdirSync(this.#root).filter((name) => name !== NFS);
    return [...new Set([...own, ...this.#nfs.podUids()])];
  }

  async remove(podUid: string): Promise<void> {
    const { system } = this.#options;
    const folder = join(this.#root, podUid);
    this.#places.forget(podUid);
    // With what this has mounted itself, mostly all is gone: the kernel's list, which is long, then is read but once.
    for (const path of this.#mounted) if (path.startsWith(`${folder}/`)) system.unmount(path);
    this.#nfs.remove(podUid);
    if (mountsBelow(system, folder).length > 0) unmountRest(system, folder);
    await removeTree(system, folder);
    for (const paths of [this.#made, this.#mounted, this.#shown])
      for (const path of paths.keys()) if (path.startsWith(`${folder}/`)) paths.delete(path);
  }

  /** Is it in this folder, and nothing of another file system in it? Then it answers as long as the agent's own files do. */
  #isOwn(path: string): boolean {
    return (
      path.startsWith(`${this.#root}/`) &&
      !this.#nfs.has(path) &&
      mountsBelow(this.#options.system, path).length === 0
    );
  }

  /** Makes the directory a tmpfs, once; after a reboot again, as nothing is mounted then when this begins. */
  #inMemory(path: string, data: string): void {
    if (this.#mounted.has(path)) return;
    const { system } = this.#options;
    mkdirSync(path, { recursive: true });
    system.mount({ source: 'tmpfs', target: path, type: 'tmpfs', data });
    this.#mounted.add(path);
  }
}

/** Tells files from others; a pod's are many kilobytes at times, and are not kept for that. */
function digestOf(files: readonly VolumeFile[]): string {
  const hash = createHash('sha256');
  for (const { path, mode, owner, content } of files)
    hash.update(`${path}\0${mode} ${owner} ${content.length}\0`).update(content);
  return hash.digest('base64');
}

/** In one step: what is there already is its pod's, with whatever rights that has given it. */
function makeReady(path: string, { mode, group }: { mode: number; group: number }): void {
  const draft = `${path}.new`;
  mkdirSync(draft, { recursive: true });
  chownSync(draft, 0, group);
  chmodSync(draft, mode);
  renameSync(draft, path);
}
