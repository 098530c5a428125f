// Containers from creation to removal: overlay, bundle, conmon and runc, and back again.
// Invariant: a crash between two steps leaves a record from which recovery or a repeated verb comes to the same end.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type ContainerConfig,
  type ImageInfo,
  RuntimeError,
  type SandboxConfig,
  START_ERROR,
  START_ERROR_CODE,
} from '../runtime.ts';
import { launchContainer } from './conmon.ts';
import { removeCgroup } from './cgroup-removal.ts';
import { type GivenDevice, hostDevices } from './confinement.ts';
import { writeConfig } from './directories.ts';
import { showFiles } from './container-files.ts';
import { type Context, identify, isAlive, newId, reasonOf, runc } from './context.ts';
import type { Exits } from './exits.ts';
import { openGate, programBegun } from './init-gate.ts';
import { readIdentityFiles } from './image-files.ts';
import { type ProcessUser, resolveUser } from './image-user.ts';
import { lookAt, type SharedNamespaces, sharedNamespaces } from './pause.ts';
import type { ContainerRecord } from './records.ts';
import { buildSpec } from './runtime-spec.ts';
import { readSeccompProfile } from './seccomp-file.ts';
import { refuseContainer } from './unsupported.ts';
import { removeMapped } from './user-namespace.ts';

/** How long the kernel may take to end a container after SIGKILL. */
const KILL_TIMEOUT_MS = 30_000;
/** Between two looks for processes that have been killed: each reads of all there are. */
const LOOK_AGAIN_MS = { first: 10, last: 1_000 };
/** Shared memory of the host, for pods that share its IPC namespace. */
const HOST_SHM = '/dev/shm';
/** Annotation with the path of the termination message in the container. */
const TERMINATION_PATH_ANNOTATION = 'terminationMessagePath';
const DEFAULT_TERMINATION_PATH = '/dev/termination-log';

/** Creates a container in its sandbox, or answers the one of this name and attempt. That its program cannot be run is told by the start. */
export async function createContainer(
  context: Context,
  sandboxId: string,
  configs: { sandbox: SandboxConfig; container: ContainerConfig },
): Promise<string> {
  const { records, layout, clock, random } = context;
  const config = configs.container;
  const known = records
    .containersOf(sandboxId)
    .find((other) => other.config.name === config.name && other.config.attempt === config.attempt);
  if (known && known.phase !== 'creating') return known.id;
  if (records.sandboxes.get(sandboxId)?.state !== 'ready')
    throw new RuntimeError('CreateContainerError', `the sandbox ${sandboxId} is not ready`);
  refuseContainer(context.system, config);
  const image = await context.images.resolve(config.imageId);
  if (!image) throw new RuntimeError('ErrImageNeverPull', `no image ${config.imageId}`);
  const id = newId(random);
  mkdirSync(layout.container(id).root, { mode: 0o700 });
  const record = records.putContainer({
    id,
    sandboxId,
    podUid: configs.sandbox.podUid,
    config,
    phase: 'creating',
    createdAtMs: Math.floor(clock.now()),
    terminationPath: config.annotations[TERMINATION_PATH_ANNOTATION] ?? DEFAULT_TERMINATION_PATH,
  });
  try {
    await bringUp(context, record, { sandbox: configs.sandbox, image });
  } catch (error) {
    if (error instanceof RuntimeError && error.reason === START_ERROR) {
      await endUnstarted(context, record, error.message);
      return id;
    }
    await destroyContainer(context, record);
    if (error instanceof RuntimeError) throw error;
    throw new RuntimeError('CreateContainerError', reasonOf(error), error);
  }
  return id;
}

/** Keeps of a container whose program cannot be run that it has ended, and why: it counts as one that ran. */
async function endUnstarted(
  context: Context,
  record: ContainerRecord,
  message: string,
): Promise<void> {
  const { records, clock } = context;
  await releaseContainer(context, record);
  records.putContainer({
    ...record,
    phase: 'exited',
    finishedAtMs: Math.floor(clock.now()),
    exitCode: START_ERROR_CODE,
    reason: START_ERROR,
    message,
  });
}

async function bringUp(
  context: Context,
  record: ContainerRecord,
  made: { sandbox: SandboxConfig; image: ImageInfo },
): Promise<void> {
  const { layout, system, records } = context;
  const { config, id } = record;
  const paths = layout.container(id);
  for (const path of [paths.bundle, paths.execs]) mkdirSync(path, { mode: 0o700 });
  for (const path of [paths.rootfs, paths.upper, paths.work]) mkdirSync(path, { mode: 0o755 });
  mkdirSync(dirname(config.logPath), { recursive: true });
  writeFileSync(paths.terminationLog, '', { flush: false });
  // Whoever the container runs as may write it, whatever this process's umask.
  chmodSync(paths.terminationLog, 0o666);
  const spaces = namespacesFor(context, record);
  const { userNamespace } = made.sandbox;
  // Elsewhere it is runc that goes to them.
  if (userNamespace) await context.answering.check(namedPaths(config));
  const shown = showFiles(context, record, { userNamespace, path: spaces.user });
  const user = userOf(context, record, made.image);
  const spec = specText(
    context,
    { ...record, config: shown.config },
    { ...made, user, spaces, rootfs: shown.rootfs },
  );
  writeConfig(paths, spec);
  const pid = await launchContainer(context, paths, { ...config, id });
  const conmonPid = Number(readFileSync(paths.conmonPidFile, 'utf8'));
  const init = identify(system, pid);
  const conmon = identify(system, conmonPid);
  records.putContainer({
    ...record,
    phase: 'created',
    user: { uid: user.uid, gid: user.gid, supplementalGroups: user.additionalGids },
    ...(init && { init }),
    ...(conmon && { conmon }),
  });
}

const namedPaths = ({ mounts }: ContainerConfig): string[] =>
  mounts.filter(({ image }) => !image).map(({ hostPath }) => hostPath);

/** The namespaces of the container's sandbox. Throws RuntimeError when it has none any more. */
function namespacesFor(context: Context, { sandboxId }: ContainerRecord): SharedNamespaces {
  const sandbox = context.records.sandboxes.get(sandboxId);
  if (sandbox && lookAt(context, sandbox).state === 'ready')
    return sharedNamespaces(context, sandbox);
  throw new RuntimeError('CreateContainerError', `the sandbox ${sandboxId} is not ready`);
}

/** Who the container's process is to run as; its root file system is mounted by then. */
function userOf({ layout }: Context, record: ContainerRecord, image: ImageInfo): ProcessUser {
  return resolveUser(
    { ...record.config.security, image: image.user },
    readIdentityFiles(layout.container(record.id).rootfs),
  );
}

function specText(
  context: Context,
  record: ContainerRecord,
  made: {
    sandbox: SandboxConfig;
    image: ImageInfo;
    user: ProcessUser;
    spaces: SharedNamespaces;
    rootfs: string;
  },
): string {
  const { layout, cgroups } = context;
  const { config, terminationPath } = record;
  const { spaces } = made;
  const { seccomp } = config.security;
  const paths = layout.container(record.id);
  const sandbox = layout.sandbox(record.sandboxId);
  const spec = buildSpec({
    config,
    ...made,
    host: {
      ...context.host,
      limitsSwap: cgroups.limitsSwap(layout.podCgroup(record.podUid)),
      killsGroups: cgroups.version === 2,
    },
    devices: devicesFor(context, config),
    localSeccomp:
      typeof seccomp === 'object' ? readSeccompProfile(seccomp.localhostProfile) : undefined,
    paths: {
      rootfs: made.rootfs,
      cgroup: layout.containerCgroup(record.podUid, record.id),
      hosts: sandbox.hosts,
      resolvConf: sandbox.resolvConf,
      hostname: sandbox.hostname,
      shm: made.sandbox.hostIpc ? HOST_SHM : sandbox.shm,
      ipc: spaces.ipc,
      uts: made.sandbox.hostNetwork ? undefined : spaces.uts,
      pid: spaces.pid ?? targetNamespace(context, config.targetId),
      user: spaces.user,
      terminationLog: terminationPath
        ? { hostPath: paths.terminationLog, containerPath: terminationPath }
        : undefined,
    },
  });
  return JSON.stringify(spec);
}

/** The host's devices that a container is given. Throws RuntimeError for one that is not there. */
function devicesFor(
  { system }: Context,
  { security, devices = [] }: ContainerConfig,
): readonly GivenDevice[] {
  const named = devices.flatMap(({ hostPath, containerPath, permissions }) => {
    const nodes = system.devices(hostPath);
    if (nodes.length === 0)
      throw new RuntimeError('CreateContainerError', `this node has no device ${hostPath}`);
    return nodes.map((node) => {
      const path = `${containerPath}${node.path.slice(hostPath.length)}`;
      return { node, path, permissions };
    });
  });
  return security.privileged ? [...hostDevices(system.devices('/dev')), ...named] : named;
}

/** The process namespace of the container that this one is to look into. */
function targetNamespace({ records, system }: Context, id: string | undefined) {
  if (id === undefined) return undefined;
  const init = records.containers.get(id)?.init;
  if (init && isAlive(system, init)) return `/proc/${init.pid}/ns/pid`;
  throw new RuntimeError('CreateContainerError', `the target container ${id} is not running`);
}

/** Lets a created container run. Quiet when it runs or has ended already. */
export async function startContainer(context: Context, record: ContainerRecord): Promise<void> {
  const { records, clock, emit } = context;
  if (record.reason === START_ERROR) throw new RuntimeError(START_ERROR, record.message ?? '');
  if (record.phase === 'running' || record.phase === 'exited') return;
  records.putContainer({ ...record, phase: 'starting' });
  const startedAtMs = Math.floor(clock.now());
  try {
    await openGate(context, record);
  } catch (error) {
    const now = records.containers.get(record.id);
    if (now?.phase === 'starting') records.putContainer({ ...now, phase: 'created' });
    throw new RuntimeError('RunContainerError', reasonOf(error), error);
  }
  const now = records.containers.get(record.id);
  // A container that ended at once has been recorded as exited meanwhile; only its start is missing.
  if (now?.phase === 'starting') records.putContainer({ ...now, phase: 'running', startedAtMs });
  else if (now) records.putContainer({ ...now, startedAtMs });
  emit({ kind: 'started', containerId: record.id, podUid: record.podUid });
}

/** Ends a container: its stop signal, `graceMs` of patience, then SIGKILL. Returns when it has ended. */
export async function stopContainer(
  context: Context,
  exits: Exits,
  stop: { id: string; graceMs: number },
): Promise<void> {
  const { records, images, clock } = context;
  const deadline = clock.monotonic() + stop.graceMs;
  const record = records.containers.get(stop.id);
  if (!record || exits.check(record).phase === 'exited') return;
  const image = await images.resolve(record.config.imageId);
  const signal = signalNumber(record.config.stopSignal ?? image?.stopSignal);
  if (record.phase === 'running' && stop.graceMs > 0) {
    if (record.init) await programBegun(context, record.init, stop.graceMs);
    signalInit(context, record, signal);
    if (await exits.wait(stop.id, Math.max(0, deadline - clock.monotonic()))) return;
  }
  await killContainer(context, exits, stop.id);
}

/** Ends a container with SIGKILL and waits for its end. */
export async function killContainer(context: Context, exits: Exits, id: string): Promise<void> {
  const record = context.records.containers.get(id);
  if (!record || record.phase === 'exited') return;
  signalInit(context, record, constants.signals.SIGKILL);
  if (await exits.wait(id, KILL_TIMEOUT_MS)) return;
  const now = context.records.containers.get(id);
  if (!now || exits.check(now).phase === 'exited') return;
  throw new RuntimeError('KillContainerError', `container ${id} did not end after SIGKILL`);
}

function signalInit({ system }: Context, record: ContainerRecord, signal: number): void {
  if (record.init && isAlive(system, record.init)) system.kill(record.init.pid, signal);
}

/** `SIGTERM`, `TERM` or a number; SIGTERM when the text says nothing known, or no signal of the kernel's: images say what they like. */
export function signalNumber(text: string | undefined): number {
  const { SIGTERM } = constants.signals;
  const number = text ? numberOf(text.toUpperCase()) : SIGTERM;
  return number !== undefined && number > 0 && number <= SIGRTMAX ? number : SIGTERM;
}

function numberOf(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const [, edge, offset = '0'] = /^(?:SIG)?RT(MIN|MAX)(?:[+-](\d+))?$/.exec(text) ?? [];
  if (edge === 'MIN') return SIGRTMIN + Number(offset);
  if (edge === 'MAX') return SIGRTMAX - Number(offset);
  if (/^(?:SIG)?CLD$/.test(text)) return constants.signals.SIGCHLD;
  const name = text.startsWith('SIG') ? text : `SIG${text}`;
  return (constants.signals as Readonly<Record<string, number>>)[name];
}

/** First realtime signal that programs may use, with glibc, and the last one. */
const SIGRTMIN = 34;
const SIGRTMAX = 64;

/** Leaves nothing of a container, whatever state it is in. Repeatable. */
export async function destroyContainer(context: Context, record: ContainerRecord): Promise<void> {
  await releaseContainer(context, record);
  await dropFiles(context, record.id);
}

/** Leaves nothing of a container but its record and its files. Repeatable. */
async function releaseContainer(context: Context, record: ContainerRecord): Promise<void> {
  const { layout, system, cgroups } = context;
  const paths = layout.container(record.id);
  const group = layout.containerCgroup(record.podUid, record.id);
  // While a container is made, runc is at work for conmon, known or not.
  if (!record.conmon || record.phase === 'creating') await endProcessesOf(context, record.id);
  cgroups.killAll(group);
  if (record.conmon && isAlive(system, record.conmon)) system.kill(record.conmon.pid, 'SIGKILL');
  removeMapped(context, paths.mapped);
  system.unmount(paths.rootfs);
  await removeCgroup(context, group);
  // All that `runc delete` would do now; to start a process for it would cost the agent more than the rest of a removal.
  await rm(join(layout.runcRoot, record.id), { recursive: true, force: true });
}

/**
 * Ends conmon and runc where they are still at work on a container that no record names them for: they outlive an agent that dies
 * while a container is made, and would go on making it. Throws when the kernel does not end them in time, as on a disk that hangs.
 */
export async function endProcessesOf(
  { system, clock }: Pick<Context, 'clock' | 'system'>,
  id: string,
): Promise<void> {
  const isOne = (pid: string) => {
    const args = (system.read(`/proc/${pid}/cmdline`) ?? '').split('\0');
    return args.includes(id) && /\b(conmon|runc)$/.test(args[0] ?? '');
  };
  let waitMs = LOOK_AGAIN_MS.first;
  for (const begun = clock.monotonic(); ; waitMs = Math.min(2 * waitMs, LOOK_AGAIN_MS.last)) {
    const pids = system.list('/proc').filter((name) => /^\d+$/.test(name) && isOne(name));
    if (pids.length === 0) return;
    if (clock.monotonic() - begun >= KILL_TIMEOUT_MS)
      throw new RuntimeError('KillContainerError', `runc of ${id} did not end after SIGKILL`);
    for (const pid of pids) system.kill(Number(pid), 'SIGKILL');
    await clock.sleep(waitMs);
  }
}

/** Removes the container's directories, socket and exit file; nothing of it is mounted any more. */
export async function dropFiles({ layout, records }: Context, id: string): Promise<void> {
  for (const path of [join(layout.sockets, id), layout.container(id).bundle])
    await rm(path, { recursive: true, force: true });
  await rm(join(layout.exits, id), { force: true });
  await records.dropContainer(id);
}

/** `runc delete` refuses while init is there; `-f` kills it, but sleeps. */
export async function deleteFromRunc(context: Context, id: string): Promise<void> {
  try {
    await runc(context, ['delete', id]);
  } catch {
    await runc(context, ['delete', '-f', id]);
  }
}
