// A containerd of a test's own: root, state, socket and configuration in a temporary folder, images without a registry.
// Invariant: dispose leaves no process, mount or file of it, whatever the test left running.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { type BuildFile, buildImage } from '../../kubelet/images/build.ts';
import { createImageStore, type OciImageStore } from '../../kubelet/images/image-store.ts';
import { sharedLibraries } from '../../kubelet/images/node-base-layer.ts';
import { connectGrpc } from '../../kubelet/runtime/cri/grpc.ts';
import { IMAGES, RUNTIME } from '../../kubelet/runtime/cri/services.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import type { Child, System } from '../../system/system.ts';
import type { HostNamespace } from '../../tools/host-namespace.ts';
import { writeImageArchive } from './image-archive.ts';

/** What sandboxes run. */
const PAUSE_IMAGE = 'pinnace.test/pause:1';
/** The page that says how containerd is configured. */
const GUIDE = join(import.meta.dirname, '..', '..', 'docs', 'guide', 'containerd.md');
const CEILING_MS = 60_000;
/** Where containerd keeps what CRI made, and its shims their sockets. */
const NAMESPACE = 'k8s.io';
const SHIM_SOCKETS = '/run/containerd/s';

/** A containerd that runs. */
export interface TestContainerd {
  /** `unix:///…` */
  readonly endpoint: string;
  readonly folder: string;
  /** Loads images of a store. */
  load(store: OciImageStore, names: readonly string[]): Promise<void>;
  /** Ends it by SIGKILL, as a crash does; containers run on. */
  kill(): Promise<void>;
  /** Starts it again after that. */
  start(): Promise<void>;
  /** What it said last. */
  log(): string;
  dispose(): Promise<void>;
}

/** Where it runs and how it connects pods. */
export interface ContainerdPlace {
  /** The folder of the agent's CNI plugin, with `bin` and `conf`. */
  readonly cni: string;
  /** Runs in this network namespace rather than in that of the test. */
  readonly host?: HostNamespace;
}

/** Starts one; needs root and Debian's containerd. */
export async function aContainerd({ cni, host }: ContainerdPlace): Promise<TestContainerd> {
  const system = createLinuxSystem();
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-ctd-'));
  const address = join(folder, 'c.sock');
  const endpoint = `unix://${address}`;
  const config = join(folder, 'config.toml');
  const logFile = join(folder, 'log');
  writeFileSync(config, configuration({ folder, address, cni }));
  let child: Child | undefined;
  const start = async () => {
    const log = openSync(logFile, 'a');
    const command = ['containerd', '--config', config];
    const enter = host ? ['nsenter', `--net=/run/netns/${host.name}`, '--'] : [];
    const [program = '', ...args] = [...enter, ...command];
    child = system.spawn(program, args, { stdio: ['ignore', log, log] });
    await untilServing(endpoint, child);
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child?.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child?.once('exit', resolve));
      child.kill(signal);
      await ended;
    }
  };
  const load = async (store: OciImageStore, names: readonly string[]) => {
    const archive = join(folder, 'images.tar');
    await writeImageArchive({ system, store }, names, archive);
    await system.run('ctr', ['--address', address, '-n', NAMESPACE, 'images', 'import', archive], {
      timeoutMs: 200_000,
    });
    rmSync(archive);
    await untilPresent(endpoint, names);
  };
  const crash = () => {
    child?.kill('SIGKILL');
    killShims(address);
  };
  process.once('exit', crash);
  const dispose = async () => {
    process.off('exit', crash);
    await end('SIGTERM');
    await endShims(address);
    for (const { mountPoint } of system.mounts().toReversed())
      if (mountPoint.startsWith(`${folder}/`)) system.unmount(mountPoint);
    rmSync(folder, { recursive: true, force: true });
  };
  const log = () => readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n');
  const made: TestContainerd = {
    endpoint,
    folder,
    load,
    kill: () => end('SIGKILL'),
    start,
    log,
    dispose,
  };
  try {
    await start();
    await loadPause(made);
  } catch (error) {
    const said = log();
    await dispose();
    throw new Error(`containerd did not start: ${(error as Error).message}\n${said}`, {
      cause: error,
    });
  }
  return made;
}

/** What the guide tells its readers to configure, and what tests need besides. */
function configuration(at: { folder: string; address: string; cni: string }): string {
  const guide = readFileSync(GUIDE, 'utf8');
  const told = /^```toml\nversion = 2\n(.*?)^```$/ms.exec(guide)?.[1] ?? '';
  const place = '/root/.pinnace/node/cni';
  if (!told.includes(place)) throw new Error(`${GUIDE} does not tell where the network is`);
  const unused = ['internal.v1.opt', 'snapshotter.v1.btrfs', 'snapshotter.v1.zfs'];
  return `version = 2
root = "${at.folder}/root"
state = "${at.folder}/state"
disabled_plugins = ${JSON.stringify(unused.map((name) => `io.containerd.${name}`))}
[grpc]
  address = "${at.address}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
${told.replaceAll(place, at.cni)}`;
}

async function untilServing(endpoint: string, child: Child): Promise<void> {
  const connection = await connectGrpc(endpoint, systemClock);
  const due = systemClock.monotonic() + CEILING_MS;
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      const answer = await connection.call(RUNTIME.version, {}).catch((error: unknown) => {
        if (systemClock.monotonic() > due) throw error;
        return undefined;
      });
      if (answer) return;
      await systemClock.sleep(10);
    }
  } finally {
    connection.close();
  }
}

/** What was imported is known to CRI a moment later. */
async function untilPresent(endpoint: string, names: readonly string[]): Promise<void> {
  const connection = await connectGrpc(endpoint, systemClock);
  const due = systemClock.monotonic() + CEILING_MS;
  for (const name of names)
    for (;;) {
      const { image } = await connection.call(IMAGES.status, { image: { image: name } });
      if (image) break;
      if (systemClock.monotonic() > due) throw new Error(`the image ${name} does not come`);
      await systemClock.sleep(5);
    }
  connection.close();
}

/** A shell that waits, and takes in the children of others that ended. */
async function loadPause(containerd: TestContainerd): Promise<void> {
  const system = createLinuxSystem();
  const dir = join(containerd.folder, 'pause');
  mkdirSync(dir);
  const store = createImageStore({ system, dir, logger: silentLogger });
  const files = new Map<string, BuildFile>();
  for (const [source, target] of [
    ['/bin/dash', '/bin/sh'],
    ['/bin/sleep', '/bin/sleep'],
  ] as const) {
    files.set(target, { source, target, mode: 0o755 });
    for (const library of await sharedLibraries(system, source)) files.set(library.target, library);
  }
  const script = "trap 'exit 0' TERM INT; sleep infinity & while :; do wait; done";
  await buildImage(store, {
    name: PAUSE_IMAGE,
    layers: [{ files: [...files.values()] }],
    config: { Entrypoint: ['/bin/sh', '-c', script] },
  });
  await containerd.load(store, [PAUSE_IMAGE]);
  rmSync(dir, { recursive: true });
}

/** Shims outlive containerd: those of this one name its address. Their sockets lie where all shims' do, by a digest of who they serve. */
async function endShims(address: string): Promise<void> {
  const due = systemClock.monotonic() + CEILING_MS;
  for (let pids = killShims(address); pids.length > 0; pids = killShims(address)) {
    if (systemClock.monotonic() > due) throw new Error(`shims do not end: ${pids.join(', ')}`);
    await systemClock.sleep(10);
  }
}

/** The first processes of a shim's containers: with each goes all of its container. */
function childrenOf(system: System, pid: string): readonly number[] {
  return system
    .list(`/proc/${pid}/task`)
    .flatMap((task) => (system.read(`/proc/${pid}/task/${task}/children`) ?? '').split(' '))
    .filter((child) => /^\d+$/.test(child))
    .map(Number);
}

/** The shims that were still there. */
function killShims(address: string): readonly number[] {
  const system = createLinuxSystem();
  return system.list('/proc').flatMap((pid) => {
    const args = /^\d+$/.test(pid) ? (system.read(`/proc/${pid}/cmdline`) ?? '').split('\0') : [];
    if (!args.includes(address)) return [];
    const id = args[args.indexOf('-id') + 1] ?? '';
    const digest = createHash('sha256')
      .update(join(address, NAMESPACE, id))
      .digest('hex');
    for (const each of [...childrenOf(system, pid), Number(pid)]) system.kill(each, 'SIGKILL');
    rmSync(join(SHIM_SOCKETS, digest), { force: true });
    return [Number(pid)];
  });
}
