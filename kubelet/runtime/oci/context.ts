// What the parts of the runtime share: doors, paths, records, limits of the host, and the way to runc.
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import type { Random } from '../../../base/random.ts';
import type { Cgroups } from '../../../system/cgroups.ts';
import { CommandError, type RunResult, type System } from '../../../system/system.ts';
import type { OciImageStore } from '../../images/image-store.ts';
import type { RuntimeEvent } from '../runtime.ts';
import type { AnsweringPaths } from './answering-paths.ts';
import { capabilitiesOf } from './capabilities.ts';
import type { Layout } from './layout.ts';
import type { ProcessIdentity, Records } from './records.ts';
import type { HostLimits } from './runtime-spec.ts';

/** The runtime's doors and state. */
export interface Context {
  readonly system: System;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly images: OciImageStore;
  readonly layout: Layout;
  readonly cgroups: Cgroups;
  readonly records: Records;
  readonly answering: AnsweringPaths;
  readonly host: Pick<HostLimits, 'capabilities' | 'minOomScoreAdj'>;
  readonly emit: (event: RuntimeEvent) => void;
}

/** Where programs are looked for; also the PATH that conmon gets. */
export const PROGRAM_FOLDERS = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
];

/** Absolute path of runc, as conmon wants it. Throws when it is not installed. */
export function findRunc(system: System): string {
  const folder = PROGRAM_FOLDERS.find((candidate) => system.exists(`${candidate}/runc`));
  if (folder === undefined) throw new Error('runc is not installed; type: apt-get install runc');
  return `${folder}/runc`;
}

/** Longest that one call of runc may take. */
const RUNC_TIMEOUT_MS = 60_000;

/** Runs runc on this runtime's own state. Throws CommandError. */
export function runc(context: Context, args: readonly string[]): Promise<RunResult> {
  return context.system.run('runc', ['--root', context.layout.runcRoot, ...args], {
    timeoutMs: RUNC_TIMEOUT_MS,
  });
}

/** Why a command failed: runc writes its reason into the last line. */
export function reasonOf(error: unknown): string {
  if (error instanceof CommandError) return runcMessage(error.stderr) || error.message;
  return error instanceof Error ? error.message : String(error);
}

/** The message out of a last line such as `time="…" level=error msg="…"`; other text as it is. */
export function runcMessage(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? '';
  const quoted = /\bmsg=("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  try {
    return quoted === undefined ? line : String(JSON.parse(quoted));
  } catch {
    return line;
  }
}

/** What this process may hand out to containers. */
export function readHostLimits(system: System): Context['host'] {
  const status = system.read('/proc/self/status') ?? '';
  const free = capabilitiesOf(status, 'CapEff').has('CAP_SYS_RESOURCE');
  const own = Number(system.read('/proc/self/oom_score_adj') ?? 0);
  return {
    capabilities: capabilitiesOf(status, 'CapBnd'),
    minOomScoreAdj: free ? undefined : own,
  };
}

/** Whether it is still the same process, and not merely waiting to be reaped. */
export function isAlive(system: System, process: ProcessIdentity | undefined): boolean {
  if (!process) return false;
  const state = system.processState(process.pid);
  if (state === undefined || state === 'Z' || state === 'X') return false;
  return system.processStart(process.pid) === process.start;
}

/** The process as it is now; undefined when it has ended already. */
export function identify(system: System, pid: number): ProcessIdentity | undefined {
  const start = system.processStart(pid);
  return start === undefined ? undefined : { pid, start };
}

/** An id as container engines write them: hex digits. */
export function newId(random: Random): string {
  return random.uuid().replaceAll('-', '');
}
