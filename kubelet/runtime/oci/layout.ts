// Where the runtime keeps things. What must outlive a reboot, or what a container writes, lies in the state directory; bundles, sockets,
// namespaces and runc's own state in /run.
// Invariant: paths in /run are short whatever the state directory is called: a socket path has at most 107 bytes and overlayfs options one page.
import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Paths of one container. */
export interface ContainerPaths {
  readonly root: string;
  readonly record: string;
  readonly upper: string;
  readonly work: string;
  readonly terminationLog: string;
  /** All that is over when the container is, but for what it has written; conmon keeps its notes here too. */
  readonly bundle: string;
  readonly rootfs: string;
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
  /** Layers of places to mount on. */
  readonly mountPoints: string;
  readonly bundles: string;
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
  readonly shortMountPoints: string;
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
    mountPoints: join(stateDir, 'p'),
    bundles: join(run, 'b'),
    run,
    clusterRun,
    runcRoot: join(run, 'runc'),
    sockets: join(run, 's'),
    namespaces: join(run, 'ns'),
    shm: join(run, 'shm'),
    roots: join(run, 'r'),
    shortLayers: join(run, 'i'),
    shortMountPoints: join(run, 'p'),
    cgroup,
    container: (id) => containerPaths(containers, run, id),
    sandbox: (id) => sandboxPaths(sandboxes, run, id),
    podCgroup,
    containerCgroup: (podUid, id) => `${podCgroup(podUid)}/${id}`,
  };
}

/** Asked for at every step of every container: `join` would take each path apart, of bases that are whole already. */
function containerPaths(containers: string, run: string, id: string): ContainerPaths {
  const root = `${containers}/${id}`;
  const bundle = `${run}/b/${id}`;
  return {
    root,
    record: `${root}/container.json`,
    upper: `${root}/u`,
    work: `${root}/w`,
    terminationLog: `${root}/t`,
    bundle,
    rootfs: `${bundle}/m`,
    pidFile: `${bundle}/pid`,
    conmonPidFile: `${bundle}/conmon.pid`,
    control: `${bundle}/ctl`,
    attachSocket: `${run}/s/${id}/attach`,
    execs: `${bundle}/e`,
    mapped: `${run}/r/${id}`,
    shortUpper: `${run}/c/${id}/u`,
    shortWork: `${run}/c/${id}/w`,
  };
}

function sandboxPaths(sandboxes: string, run: string, id: string): SandboxPaths {
  const root = `${sandboxes}/${id}`;
  return {
    root,
    record: `${root}/sandbox.json`,
    hosts: `${root}/hosts`,
    resolvConf: `${root}/resolv.conf`,
    hostname: `${root}/hostname`,
    ipc: `${run}/ns/${id}.ipc`,
    uts: `${run}/ns/${id}.uts`,
    shm: `${run}/shm/${id}`,
    pause: `${run}/r/${id}`,
    pauseRoot: `${root}/p`,
    user: `${run}/ns/${id}.user`,
  };
}
