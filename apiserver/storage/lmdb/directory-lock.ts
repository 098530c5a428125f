// Which process owns a data directory: a symbolic link whose target names it (a link needs no disk block, so a full
// disk does not keep a store from opening). Called under LMDB's write lock, so that two starters never race.
// Invariant: the record names a process by id and start time, so a reused id is not taken for the owner.
import { lstatSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError } from '../storage.ts';

const RECORD = 'owner';

/** Takes the directory for this process, or throws Unavailable naming the one that has it. */
export function takeDirectory(directory: string): void {
  const path = join(directory, RECORD);
  const owner = readOwner(path);
  if (owner && isRunning(owner))
    throw new StorageError(
      'Unavailable',
      `the data directory ${directory} is in use by process ${owner.pid}; stop that one, or choose another directory`,
    );
  rmSync(path, { force: true });
  symlinkSync(`${process.pid}:${startTime(process.pid)}`, path);
}

/** Gives the directory back. */
export function releaseDirectory(directory: string): void {
  rmSync(join(directory, RECORD), { force: true });
}

interface Owner {
  readonly pid: number;
  readonly started: string;
}

function readOwner(path: string): Owner | undefined {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return undefined;
  const [pid = '', started = ''] = readlinkSync(path).split(':');
  return { pid: Number(pid), started };
}

function isRunning({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startTime(pid) === started;
}

/** When a process began, in clock ticks since boot (proc(5), field 22 of stat), with the boot's id; '' where there is no /proc. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}@${boot}`;
  } catch {
    return '';
  }
}
