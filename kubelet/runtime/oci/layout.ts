// Where the runtime keeps things. State that must outlive a reboot lies in the state directory; sockets, namespaces and runc's own state in /run.
// Invariant: paths in /run are short whatever the state directory is called: a socket path has at most 107 bytes and overlayfs options one page.
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of one container. */
export interface ContainerPaths {
  readonly root: string;
  readonly record: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly upper: string;
  readonly work: string;
  readonly persist: string;
  readonly terminationLog: string;
  readonly pidFile: string;
  readonly conmonPidFile: string;
  readonly control: string;
  readonly attachSocket: string;
  readonly execs: string;
  /** Mounts of a container's images, and of all it sees where its users are its pod's own; its root may walk to them. */
  readonly mapped: string;
  /** Upper and work directory by the short way, for mount options. */
  readonly shortUpper: string;
  readonly shortWork: string;
}

/** Paths of one sandbox. */
export interface SandboxPaths {
  readonly root: string;
  readonly record: string;
  readonly hosts: string;
  readonly resolvConf: string;
  readonly hostname: string;
  readonly ipc: string;
  readonly uts: string;
  readonly shm: string;
  /** Bundle of the process that holds namespaces, where there is one, and the files of its program. */
  readonly pause: string;
  readonly pauseRoot: string;
  /** The user namespace of its containers, where they have one of their own. */
  readonly user: string;
}

/** All paths of one runtime. */
export interface Layout {
  readonly containers: string;
  readonly sandboxes: string;
  readonly exits: string;
  /** This runtime's directory in /run; its parent is shared by the nodes of one cluster. */
  readonly run: string;
  readonly clusterRun: string;
  readonly runcRoot: string;
  readonly sockets: string;
  readonly namespaces: string;
  readonly shm: string;
  /** What containers and sandboxes need that pods' own roots walk to. */
  readonly roots: string;
  readonly shortLayers: string;
  readonly cgroup: string;
  container(id: string): ContainerPaths;
  sandbox(id: string): SandboxPaths;
  podCgroup(podUid: string): string;
  containerCgroup(podUid: string, id: string): string;
}

/** Tells apart the nodes of one cluster on one host. */
const NODE_TAG_DIGITS = 6;

/** The layout for a state directory and cluster. */
export function layoutFor(stateDir: string, clusterId: string): Layout {
  const clusterRun = join('/run', `pinnace-${clusterId}`);
  const tag = createHash('sha256').update(stateDir).digest('hex').slice(0, NODE_TAG_DIGITS);
  const run = join(clusterRun, tag);
  const containers = join(stateDir, 'c');
  const sandboxes = join(stateDir, 's');
  const cgroup = `/pinnace-${clusterId}`;
  const podCgroup = (podUid: string) => `${cgroup}/pod${podUid}`;
  return {
    containers,
    sandboxes,
    exits: join(stateDir, 'x'),
    run,
    clusterRun,
    runcRoot: join(run, 'runc'),
    sockets: join(run, 's'),
    namespaces: join(run, 'ns'),
    shm: join(run, 'shm'),
    roots: join(run, 'r'),
    shortLayers: join(run, 'i'),
    cgroup,
    container: (id) => containerPaths(containers, run, id),
    sandbox: (id) => sandboxPaths(sandboxes, run, id),
    podCgroup,
    containerCgroup: (podUid, id) => `${podCgroup(podUid)}/${id}`,
  };
}

function containerPaths(containers: string, run: string, id: string): ContainerPaths {
  const root = join(containers, id);
  const bundle = join(root, 'b');
  return {
    root,
    record: join(root, 'container.json'),
    bundle,
    rootfs: join(root, 'm'),
    upper: join(root, 'u'),
    work: join(root, 'w'),
    persist: join(root, 'p'),
    terminationLog: join(root, 't'),
    pidFile: join(root, 'pid'),
    conmonPidFile: join(root, 'conmon.pid'),
    control: join(bundle, 'ctl'),
    attachSocket: join(run, 's', id, 'attach'),
    execs: join(root, 'e'),
    mapped: join(run, 'r', id),
    shortUpper: join(run, 'c', id, 'u'),
    shortWork: join(run, 'c', id, 'w'),
  };
}

function sandboxPaths(sandboxes: string, run: string, id: string): SandboxPaths {
  const root = join(sandboxes, id);
  return {
    root,
    record: join(root, 'sandbox.json'),
    hosts: join(root, 'hosts'),
    resolvConf: join(root, 'resolv.conf'),
    hostname: join(root, 'hostname'),
    ipc: join(run, 'ns', `${id}.ipc`),
    uts: join(run, 'ns', `${id}.uts`),
    shm: join(run, 'shm', id),
    pause: join(run, 'r', id),
    pauseRoot: join(root, 'p'),
    user: join(run, 'ns', `${id}.user`),
  };
}

/** Makes the directories that every verb needs. Repeatable. */
export function makeLayout(layout: Layout, layersDirectory: string): void {
  const { containers, sandboxes, exits, run, runcRoot, sockets, namespaces, shm } = layout;
  for (const path of [containers, sandboxes, exits, run, runcRoot, sockets, namespaces, shm])
    mkdirSync(path, { recursive: true, mode: 0o700 });
  mkdirSync(layout.roots, { recursive: true });
  for (const path of [layout.clusterRun, run, layout.roots]) chmodSync(path, 0o711);
  link(containers, join(run, 'c'));
  link(layersDirectory, layout.shortLayers);
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
