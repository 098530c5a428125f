// The process that holds the namespaces of a pod which cannot be held without one: the process namespace that its containers share, and its
// user namespace with those that belong to it. A container of runc's without conmon: nobody asks for its exit code.
// Invariants: it may nothing and sees nothing but its own program; where it ends, its pod's sandbox has ended.
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import type { SandboxConfig } from '../runtime.ts';
import { type Context, findRunc, identify, isAlive, runcMessage } from './context.ts';
import type { SandboxPaths } from './layout.ts';
import { pauseProgram } from './pause-program.ts';
import type { ProcessIdentity, SandboxRecord } from './records.ts';
import { idMappings } from './user-namespace.ts';

/** Nobody, as the pause program needs no rights. */
const NOBODY = 65_535;
const OCI_VERSION = '1.0.2';

/** Does the sandbox need such a process? */
export function needsPause(config: SandboxConfig): boolean {
  return config.shareProcessNamespace === true || config.userNamespace !== undefined;
}

/** Starts it. Rejects with what runc says. */
export async function startPause(
  context: Context,
  record: SandboxRecord,
): Promise<ProcessIdentity> {
  const { layout, system } = context;
  const { id, config } = record;
  const paths = layout.sandbox(id);
  const spec = specOf(config, paths, pauseCgroup(context, config.podUid, id));
  makeBundle(context, record, spec);
  const [log, pidFile] = [join(paths.pause, 'log'), join(paths.pause, 'pid')];
  const own = ['--root', layout.runcRoot, '--log', log];
  const args = ['run', '--detach', '--bundle', paths.pause, '--pid-file', pidFile, id];
  // Pipes would be held open by the process for as long as it lives.
  const child = system.spawn(findRunc(system), [...own, ...args], { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  const identity = identify(system, Number(system.read(pidFile) ?? 0));
  if (code === 0 && identity) return identity;
  throw new Error(runcMessage(system.read(log) ?? '') || 'runc did not say why');
}

function makeBundle(
  { system, layout }: Context,
  { id, config }: SandboxRecord,
  spec: object,
): void {
  const paths = layout.sandbox(id);
  const owner = config.userNamespace?.hostId ?? 0;
  const mountPoint = join(paths.pause, 'm');
  const program = join(paths.pauseRoot, 'pause');
  const folders = ['', 'dev', 'proc'].map((name) => join(paths.pauseRoot, name));
  for (const folder of [...folders, mountPoint]) mkdirSync(folder);
  writeFileSync(program, pauseProgram(process.arch));
  for (const path of [...folders, program]) {
    chmodSync(path, 0o755);
    chownSync(path, owner, owner);
  }
  // From the state directory, as nothing below /run may be executed on many hosts.
  system.mount({ source: paths.pauseRoot, target: mountPoint, flags: ['bind'] });
  writeFileSync(join(paths.pause, 'config.json'), JSON.stringify(spec), { mode: 0o600 });
}

function specOf(config: SandboxConfig, paths: SandboxPaths, cgroup: string): object {
  const { userNamespace, netnsPath, hostNetwork } = config;
  const held = (type: string, path: string) => (userNamespace ? { type } : { type, path });
  return {
    ociVersion: OCI_VERSION,
    process: {
      user: { uid: NOBODY, gid: NOBODY },
      args: ['/pause'],
      cwd: '/',
      capabilities: {},
      noNewPrivileges: true,
    },
    root: { path: 'm', readonly: true },
    ...(userNamespace && !hostNetwork && { hostname: config.hostname }),
    mounts: [
      {
        destination: '/proc',
        type: 'proc',
        source: 'proc',
        options: ['nosuid', 'noexec', 'nodev'],
      },
    ],
    linux: {
      cgroupsPath: cgroup,
      ...(userNamespace && idMappings(userNamespace)),
      namespaces: [
        { type: 'mount' },
        { type: 'pid' },
        ...(userNamespace ? [{ type: 'user', path: paths.user }] : []),
        held('ipc', paths.ipc),
        ...(hostNetwork ? [] : [held('uts', paths.uts)]),
        ...(netnsPath === undefined ? [] : [{ type: 'network', path: netnsPath }]),
      ],
    },
  };
}

/** Whether a sandbox that needs the process has it. */
export function hasItsPause(context: Context, { config, pause }: SandboxRecord): boolean {
  return !needsPause(config) || isAlive(context.system, pause);
}

/** The sandbox as it is now: one whose process has ended is not ready any more. */
export function lookAt(context: Context, record: SandboxRecord): SandboxRecord {
  if (record.state !== 'ready' || hasItsPause(context, record)) return record;
  context.logger.warn('the process that held a pod together has ended', { sandbox: record.id });
  return context.records.putSandbox({ ...record, state: 'notready' });
}

const pauseCgroup = ({ layout }: Context, podUid: string, id: string): string =>
  `${layout.podCgroup(podUid)}/${id}`;

/** Namespaces of a pod by path, for its containers to join; `user` and `pid` only where they are shared. */
export interface SharedNamespaces {
  readonly ipc: string;
  readonly uts: string;
  readonly user: string | undefined;
  readonly pid: string | undefined;
}

/** Where the namespaces of a sandbox are. */
export function sharedNamespaces({ layout }: Context, record: SandboxRecord): SharedNamespaces {
  const { userNamespace, shareProcessNamespace } = record.config;
  const of = (type: string) => `/proc/${record.pause?.pid}/ns/${type}`;
  const { ipc, uts } = layout.sandbox(record.id);
  return {
    ...(userNamespace ? { ipc: of('ipc'), uts: of('uts') } : { ipc, uts }),
    user: userNamespace && layout.sandbox(record.id).user,
    pid: shareProcessNamespace ? of('pid') : undefined,
  };
}

/** Leaves nothing of it but its cgroup, which goes with the pod's. Repeatable. */
export function removePause(context: Context, { id, config }: SandboxRecord): void {
  if (!needsPause(config)) return;
  const { system, layout, cgroups } = context;
  const { pause } = layout.sandbox(id);
  cgroups.killAll(pauseCgroup(context, config.podUid, id));
  system.unmount(join(pause, 'm'));
  for (const path of [join(layout.runcRoot, id), pause])
    rmSync(path, { recursive: true, force: true });
}
