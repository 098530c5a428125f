// Volumes as directories: one folder for each pod, in it one for each volume, tmpfs where content must not reach a disk.
// Invariant: a directory is mounted, and an empty one made ready, once; after a restart of agent or host they are found again.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Random } from '../../base/random.ts';
import { removeTree } from '../../system/remove-tree.ts';
import type { System } from '../../system/system.ts';
import { type VolumeFile, writeVolume } from './atomic-directory.ts';
import { bindSubPath } from './sub-path.ts';
import { ConfigError } from './volume-error.ts';
import type { EmptyDirSpec, SubPathAt, VolumeAt, VolumeFiles } from './volume-files.ts';

/** What volumes on disk need. */
export interface DiskVolumesOptions {
  readonly system: System;
  readonly random: Random;
  /** Folder of all pods' volumes. */
  readonly root: string;
}

const failed = (text: string) => new ConfigError('FailedMount', text);

/** Unmounts what lies below a folder of volumes: of one pod, or of all of them once no agent is left to do it. */
export function unmountVolumes(system: System, folder: string): void {
  for (const { mountPoint } of system.mounts().toReversed())
    if (mountPoint.startsWith(`${folder}/`)) system.unmount(mountPoint);
}

/** The volumes below a folder. */
export class DiskVolumes implements VolumeFiles {
  readonly #options: DiskVolumesOptions;
  /** Tells this run's generations from those of an agent before it. */
  readonly #run: string;
  #generation = 0;
  /** Paths that this run has made or found. */
  readonly #made = new Set<string>();
  readonly #mounted = new Set<string>();

  constructor(options: DiskVolumesOptions) {
    this.#options = options;
    this.#run = options.random.uuid().slice(0, 8);
  }

  /** Makes the folder. */
  prepare(): void {
    mkdirSync(this.#options.root, { recursive: true, mode: 0o750 });
  }

  emptyDir(at: VolumeAt, { inMemory, sizeBytes, group }: EmptyDirSpec): string {
    const path = this.pathOf(at);
    if (this.#made.has(path)) return path;
    if (inMemory) this.#inMemory(path, `mode=0777${sizeBytes > 0 ? `,size=${sizeBytes}` : ''}`);
    else if (!existsSync(path)) mkdirSync(path, { recursive: true });
    this.#made.add(path);
    if (group !== undefined) chownSync(path, 0, group);
    chmodSync(path, group === undefined ? 0o777 : 0o2777);
    return path;
  }

  hostPath(path: string, type: string): string {
    return hostPath(path, type);
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
    if (how.secret) this.#inMemory(path, 'mode=0755');
    const generation = `${this.#run}_${++this.#generation}`;
    writeVolume(path, files, { group: how.group, generation });
    return path;
  }

  pathOf({ podUid, volume }: VolumeAt): string {
    return join(this.#options.root, podUid, volume);
  }

  /** Binds the part to a path of its own, for the container's mount of that number. */
  subPath({ podUid, container, index, root, inside }: SubPathAt): string {
    const folder = join(this.#options.root, podUid, '.subpaths');
    const target = join(folder, container, String(index));
    bindSubPath(this.#options.system, { root, inside, target });
    return target;
  }

  podUids(): string[] {
    const { root } = this.#options;
    return existsSync(root) ? readdirSync(root) : [];
  }

  async remove(podUid: string): Promise<void> {
    const { root, system } = this.#options;
    const folder = join(root, podUid);
    unmountVolumes(system, folder);
    await removeTree(system, folder);
    for (const paths of [this.#made, this.#mounted])
      for (const path of paths) if (path.startsWith(`${folder}/`)) paths.delete(path);
  }

  /** Makes the directory a tmpfs, once; after a reboot again. */
  #inMemory(path: string, data: string): void {
    if (this.#mounted.has(path)) return;
    const { system } = this.#options;
    mkdirSync(path, { recursive: true });
    if (!system.mounts().some(({ mountPoint }) => mountPoint === path))
      system.mount({ source: 'tmpfs', target: path, type: 'tmpfs', data });
    this.#mounted.add(path);
  }
}

/** A path of the host, checked or made as its type says. */
function hostPath(path: string, type: string): string {
  if (type === 'DirectoryOrCreate') mkdirSync(path, { recursive: true, mode: 0o755 });
  if (type === 'FileOrCreate' && !existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '', { mode: 0o644 });
  }
  if (type === '') return path;
  const [what, fits] = HOST_PATH_TYPES.get(type) ?? [type, () => false];
  const found = existsSync(path) ? statSync(realpathSync(path)) : undefined;
  if (!found || !fits(found)) throw failed(`hostPath type check failed: ${path} is not a ${what}`);
  return path;
}

/** What upstream calls that which a type asks for, and how it is known. */
const HOST_PATH_TYPES: ReadonlyMap<string, readonly [string, (found: Stats) => boolean]> = new Map([
  ['Directory', ['directory', (found) => found.isDirectory()]],
  ['DirectoryOrCreate', ['directory', (found) => found.isDirectory()]],
  ['File', ['file', (found) => found.isFile()]],
  ['FileOrCreate', ['file', (found) => found.isFile()]],
  ['Socket', ['socket file', (found) => found.isSocket()]],
  ['CharDevice', ['character device', (found) => found.isCharacterDevice()]],
  ['BlockDevice', ['block device', (found) => found.isBlockDevice()]],
]);
