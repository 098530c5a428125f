// Who runs a data directory: one process at a time, named by the link `owner`; a supervisor tells of its children in supervisor.json.
// Invariant: both name processes by pid and start time, so a reused pid is never taken for the owner; of two that claim at once one gets it.
import { existsSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { System } from '../../system/system.ts';
import { commandFor, type DataPaths, UsageError, writeAtomically } from './data-directory.ts';

/** A process named so that a later one with the same pid is told apart. */
export interface ProcessName {
  readonly pid: number;
  readonly start: string;
}

/** What supervisor.json holds. */
export interface SupervisorRecord extends ProcessName {
  /** Does it run pods on this machine? Only then is there something on the host to clean up. */
  readonly node: boolean;
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

/** Attempts at a directory that others claim and leave meanwhile. */
const CLAIM_ATTEMPTS = 10;

/** Makes this process the owner of the directory, before it changes anything in it. Throws UsageError when another one is. */
export function claimDirectory(system: System, paths: DataPaths): void {
  const path = join(paths.root, OWNER);
  const self = nameProcess(system, process.pid);
  const own = `${process.pid}:${self?.start ?? ''}`;
  for (let attempt = 0; attempt < CLAIM_ATTEMPTS; attempt++) {
    if (tryLink(own, path)) return;
    const found = ownerOf(path);
    if (found === own) return;
    const owner = found === undefined ? undefined : processOf(found);
    if (owner && isRunning(system, owner)) throw inUse(paths, owner);
    if (found !== undefined) removeStale(path, found);
  }
  throw new UsageError(`the data directory ${paths.root} is being started by others`);
}

/** Gives the directory back. */
export function releaseDirectory(paths: DataPaths): void {
  const path = join(paths.root, OWNER);
  if (ownerOf(path)?.startsWith(`${process.pid}:`)) rmSync(path, { force: true });
}

const OWNER = 'owner';

function inUse(paths: DataPaths, { pid }: ProcessName): UsageError {
  return new UsageError(
    `the data directory ${paths.root} is in use by process ${pid}; stop it with "${commandFor('down', paths)}" or choose another directory`,
  );
}

/** A link is made whole or not at all, and never over another one. */
function tryLink(target: string, path: string): boolean {
  try {
    symlinkSync(target, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function ownerOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function processOf(target: string): ProcessName {
  const [pid = '', ...start] = target.split(':');
  return { pid: Number(pid), start: start.join(':') };
}

/** Moves the dead owner's link away. Whoever was quicker has a link of his own there by now: that one is put back. */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (ownerOf(aside) === stale) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

/** Writes who runs this directory now. */
export function writeSupervisor(paths: DataPaths, record: SupervisorRecord): void {
  writeAtomically(paths.supervisorPid, `${JSON.stringify(record)}\n`, 0o600);
}

/** Nobody runs this directory any more. */
export function removeSupervisor(paths: DataPaths): void {
  rmSync(paths.supervisorPid, { force: true });
}
