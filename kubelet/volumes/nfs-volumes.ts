// Volumes of NFS servers: each mounted for its pod by mount(8), which asks mount.nfs. A process of its own does it, as servers may not answer.
// Invariants: nobody but the pod waits for its server; where volumes are mounted is only ever removed by rmdir(2), so that nothing on a
// server is deleted, whatever is mounted there when; what an agent before this one has mounted is found again.
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, type System } from '../../system/system.ts';
import { GIVE_UP_MS, type HostPlaces } from './host-places.ts';
import { ConfigError } from './volume-error.ts';
import type { NfsSource, VolumeAt } from './volume-files.ts';

const failed = (text: string) => new ConfigError('FailedMount', text);

/** mount.nfs itself tries for two minutes. */
const MOUNT_GIVE_UP_MS = 3 * GIVE_UP_MS;
/** Where distributions put what mount(8) calls for NFS. */
const HELPERS = ['/sbin/mount.nfs', '/usr/sbin/mount.nfs'];
const FILE_SYSTEMS = '/proc/filesystems';

/** What of a system it takes. */
export type NfsSystem = Pick<System, 'run' | 'mounts' | 'unmount' | 'read' | 'exists'>;

/** The volumes below one folder: `POD/VOLUME`. */
export class NfsVolumes {
  readonly #system: NfsSystem;
  readonly #places: HostPlaces;
  readonly #root: string;

  constructor(doors: { system: NfsSystem; places: HostPlaces; root: string }) {
    this.#system = doors.system;
    this.#places = doors.places;
    this.#root = doors.root;
  }

  /** Its path, once it is mounted. Throws ConfigError with what to do where it cannot be, and while its server does not answer. */
  async mount({ podUid, volume }: VolumeAt, source: NfsSource): Promise<string> {
    const target = join(this.#root, podUid, volume);
    if (this.#isMounted(target)) return target;
    const export_ = exportOf(source);
    await this.#places.answer({
      podUid,
      name: `nfs ${volume}`,
      path: target,
      // Not in the turn of the file system that the mount point lies on: others go there.
      turn: export_,
      slow: `${export_} is still being mounted: the server does not answer`,
      giveUpMs: MOUNT_GIVE_UP_MS,
      run: (signal) => this.#mount(target, source, signal),
    });
    return target;
  }

  /** Does the path lie on a server? */
  has(path: string): boolean {
    return path.startsWith(`${this.#root}/`);
  }

  /** Pods that have something here. */
  podUids(): string[] {
    return existsSync(this.#root) ? readdirSync(this.#root) : [];
  }

  /** Unmounts what the pod has here, whether its server answers or not. Throws while that cannot be done. */
  remove(podUid: string): void {
    const folder = join(this.#root, podUid);
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder)) {
      this.#system.unmount(join(folder, name));
      rmdirSync(join(folder, name));
    }
    rmdirSync(folder);
  }

  #isMounted(target: string): boolean {
    return this.#system.mounts().some(({ mountPoint }) => mountPoint === target);
  }

  async #mount(target: string, source: NfsSource, signal: AbortSignal): Promise<void> {
    await checkHost(this.#system, signal);
    mkdirSync(target, { recursive: true, mode: 0o750 });
    const options = [...source.options, ...(source.readOnly ? ['ro'] : [])];
    const how = options.length > 0 ? ['-o', options.join(',')] : [];
    const [wanted, ends] = [
      ['-t', 'nfs', ...how],
      [exportOf(source), target],
    ];
    try {
      // Whoever makes a pod names the server: that is never an option, whatever it begins with.
      await this.#system.run('mount', [...wanted, '--', ...ends], inTime(signal));
    } catch (error) {
      if (!(error instanceof CommandError) || error.exitCode === undefined) throw error;
      const said = `mount failed: exit status ${error.exitCode}`;
      const what = `Mounting command: mount\nMounting arguments: ${[...wanted, ...ends].join(' ')}`;
      throw failed(`${said}\n${what}\nOutput: ${error.stderr.trim()}`);
    } finally {
      // Its pod is gone, or has waited too long: nobody would unmount it.
      if (signal.aborted) this.#system.unmount(target);
    }
  }
}

/** An address of six parts stands in brackets, as its colons are no separator. */
function exportOf({ server, path }: NfsSource): string {
  return `${server.includes(':') && !server.startsWith('[') ? `[${server}]` : server}:${path}`;
}

const inTime = (signal: AbortSignal) => ({
  signal,
  timeoutMs: MOUNT_GIVE_UP_MS,
  moreEnv: { LC_ALL: 'C' },
});

/** Throws ConfigError where this host cannot mount NFS. A module of the kernel's is loaded where there is one. */
async function checkHost(system: NfsSystem, signal: AbortSignal): Promise<void> {
  const isThere = () => /\bnfs4?$/m.test(system.read(FILE_SYSTEMS) ?? '');
  // What comes of it is seen there.
  if (!isThere()) await system.run('modprobe', ['nfs'], inTime(signal)).catch(() => undefined);
  signal.throwIfAborted();
  if (!isThere())
    throw failed(
      "this node's kernel has no NFS client: it is not built in, and modprobe finds no module nfs; use a node whose kernel has it",
    );
  if (!HELPERS.some((path) => system.exists(path)))
    throw failed(
      'this node has no mount.nfs: install the package nfs-common (nfs-utils on Fedora and its kin)',
    );
}
