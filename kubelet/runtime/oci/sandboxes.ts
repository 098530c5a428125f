// Sandboxes: what the containers of one pod share. IPC and UTS namespaces without a process, /dev/shm, the files in /etc, the pod's cgroup.
// Invariant: a sandbox is 'ready' on disk only once all of it is there; each verb may be repeated.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { RuntimeError, type SandboxConfig } from '../runtime.ts';
import { endProcessesOf } from './containers.ts';
import { removeCgroup } from './cgroup-removal.ts';
import { type Context, newId, reasonOf } from './context.ts';
import { hasItsPause, needsPause, removePause, startPause } from './pause.ts';
import type { SandboxRecord } from './records.ts';
import { refuseSandbox } from './unsupported.ts';
import { giveTo, makeMappedFolder } from './user-namespace.ts';

/** Size of a pod's /dev/shm, as container engines have it. */
const SHM_BYTES = 64 * 1024 * 1024;

/** Makes the sandbox of a pod's attempt, or answers the one that is there. */
export async function runSandbox(context: Context, config: SandboxConfig): Promise<string> {
  const { records, layout, random, clock } = context;
  const known = [...records.sandboxes.values()].find(
    ({ config: other, state }) =>
      other.podUid === config.podUid && other.attempt === config.attempt && state === 'ready',
  );
  if (known) return known.id;
  refuseSandbox(context.system, config);
  const id = newId(random);
  mkdirSync(layout.sandbox(id).root, { mode: 0o700 });
  const record = records.putSandbox({
    id,
    config,
    createdAtMs: Math.floor(clock.now()),
    state: 'creating',
  });
  try {
    records.putSandbox({ ...(await makeSandbox(context, record)), state: 'ready' });
  } catch (error) {
    await destroySandbox(context, record);
    throw new RuntimeError('CreatePodSandboxError', reasonOf(error), error);
  }
  return id;
}

async function makeSandbox(context: Context, record: SandboxRecord): Promise<SandboxRecord> {
  const { system, layout, cgroups, records } = context;
  const { config } = record;
  const paths = layout.sandbox(record.id);
  writeFileSync(paths.hosts, config.hosts, { mode: 0o644 });
  writeFileSync(paths.resolvConf, config.resolvConf, { mode: 0o644 });
  writeFileSync(paths.hostname, `${config.hostname}\n`, { mode: 0o644 });
  const { userNamespace } = config;
  if (userNamespace && config.netnsPath !== undefined) {
    giveTo(userNamespace, [paths.hosts, paths.resolvConf, paths.hostname]);
    system.keepOwner(config.netnsPath, paths.user);
  } else {
    system.makeNamespaces({
      ipc: paths.ipc,
      ...(!config.hostNetwork && { uts: paths.uts, hostname: config.hostname }),
    });
  }
  mkdirSync(paths.shm, { recursive: true });
  const owner = userNamespace ? `,uid=${userNamespace.hostId},gid=${userNamespace.hostId}` : '';
  system.mount({
    source: 'shm',
    target: paths.shm,
    type: 'tmpfs',
    flags: ['nosuid', 'nodev', 'noexec'],
    data: `mode=1777,size=${SHM_BYTES}${owner}`,
  });
  const group = layout.podCgroup(config.podUid);
  cgroups.make(group);
  cgroups.setLimits(group, config.resources);
  if (!needsPause(config)) return record;
  makeMappedFolder(paths.pause);
  return records.putSandbox({ ...record, pause: await startPause(context, record) });
}

/** Lets go of namespaces and shared memory; the record stays, as 'notready'. The sandbox has no running containers. */
export function releaseSandbox(context: Context, record: SandboxRecord): void {
  const { system, layout, records } = context;
  const paths = layout.sandbox(record.id);
  removePause(context, record);
  const all = [paths.ipc, paths.uts, paths.user, paths.shm];
  for (const path of all) system.unmount(path);
  for (const path of all) rmSync(path, { recursive: true, force: true });
  if (record.state !== 'notready') records.putSandbox({ ...record, state: 'notready' });
}

/** Leaves nothing of the sandbox; the pod's cgroup goes with its last sandbox, and the record, by which it is found again, last of all. */
export async function destroySandbox(context: Context, record: SandboxRecord): Promise<void> {
  const { records, layout } = context;
  const { id, config } = record;
  // An agent that died while it was made has left runc at work on it.
  if (record.state === 'creating' && needsPause(config)) await endProcessesOf(context, id);
  releaseSandbox(context, record);
  const others = [...records.sandboxes.values()].some(
    (other) => other.id !== id && other.config.podUid === config.podUid,
  );
  if (!others) await removeCgroup(context, layout.podCgroup(config.podUid));
  await records.dropSandbox(id);
}

/** Whether a 'ready' sandbox still has its namespaces: a reboot takes them away. */
export function isIntact(context: Context, record: SandboxRecord): boolean {
  const { shm } = context.layout.sandbox(record.id);
  const mounted = context.system.mounts().some((mount) => mount.mountPoint === shm);
  return mounted && hasItsPause(context, record);
}
