// Who runs a data directory: one supervisor at a time, named in supervisor.json.
// Invariant: the file names a process by pid and start time, so a reused pid is never taken for the supervisor.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import type { System } from '../../system/system.ts';
import { commandFor, type DataPaths, UsageError, writeAtomically } from './data-directory.ts';

/** A process named so that a later one with the same pid is told apart. */
export interface ProcessName {
  readonly pid: number;
  readonly start: string;
}

/** What supervisor.json holds. */
export interface SupervisorRecord extends ProcessName {
  /** Children by name, as they are now. */
  readonly children: Readonly<Record<string, ProcessName>>;
}

/** The record of a supervisor, running or not. */
export function readSupervisor(paths: DataPaths): SupervisorRecord | undefined {
  if (!existsSync(paths.supervisorPid)) return undefined;
  try {
    return JSON.parse(readFileSync(paths.supervisorPid, 'utf8')) as SupervisorRecord;
  } catch {
    // Written by rename, so this is not half a file: somebody else's. It names nobody.
    return undefined;
  }
}

/** Does the named process run? */
export function isRunning(system: System, name: ProcessName): boolean {
  return system.processStart(name.pid) === name.start && system.processState(name.pid) !== 'Z';
}

/** Names a running process; undefined when it is gone already. */
export function nameProcess(system: System, pid: number): ProcessName | undefined {
  const start = system.processStart(pid);
  return start === undefined ? undefined : { pid, start };
}

/** Refuses, in one line, when another supervisor runs this directory. */
export function refuseSecondSupervisor(system: System, paths: DataPaths): void {
  const record = readSupervisor(paths);
  if (record && record.pid !== process.pid && isRunning(system, record))
    throw new UsageError(
      `the data directory ${paths.root} is in use by process ${record.pid}; stop it with "${commandFor('down', paths)}" or choose another directory`,
    );
}

/** Writes who runs this directory now. */
export function writeSupervisor(paths: DataPaths, record: SupervisorRecord): void {
  writeAtomically(paths.supervisorPid, `${JSON.stringify(record)}\n`, 0o600);
}

/** Nobody runs this directory any more. */
export function removeSupervisor(paths: DataPaths): void {
  rmSync(paths.supervisorPid, { force: true });
}
