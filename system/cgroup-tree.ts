// Walks and removes directories of one cgroup hierarchy. A cgroup directory is removed by rmdir, deepest first; its files cannot be removed.
import { join } from 'node:path';
import type { System } from './system.ts';

/** Deepest nesting that is followed: runc makes one level below ours, nested runtimes a few more. */
const MAX_DEPTH = 16;

/** The directory and all below it, parents first; empty when it is not there. */
export function groupsBelow(system: System, directory: string, depth = 0): readonly string[] {
  if (depth > MAX_DEPTH || !system.exists(join(directory, 'cgroup.procs'))) return [];
  const below = childGroups(system, directory).flatMap((name) =>
    groupsBelow(system, join(directory, name), depth + 1),
  );
  return [directory, ...below];
}

/** Names of the groups directly below a directory. */
export function childGroups(system: System, directory: string): readonly string[] {
  return system
    .list(directory)
    .filter((name) => !name.includes('.') || isDirectoryName(system, directory, name));
}

/** Interface files are `controller.name`; a group whose name has a dot still has a cgroup.procs of its own. */
function isDirectoryName(system: System, directory: string, name: string): boolean {
  return system.exists(join(directory, name, 'cgroup.procs'));
}

/** Process ids in the directory and all below it. */
export function processesBelow(system: System, directory: string): readonly number[] {
  return groupsBelow(system, directory).flatMap((group) =>
    (system.read(join(group, 'cgroup.procs')) ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map(Number),
  );
}

/** Removes the directory and all below it. */
export function removeTree(system: System, directory: string): void {
  for (const group of groupsBelow(system, directory).toReversed()) system.removeDirectory(group);
}

/** Value of `key` in a file of `key value` lines. */
export function keyedValue(text: string | undefined, key: string): number | undefined {
  if (text === undefined) return undefined;
  // Without a list of the lines: some of these files are read for each container each second.
  const at = text.startsWith(`${key} `) ? 0 : text.indexOf(`\n${key} `) + 1;
  if (at === 0 && !text.startsWith(`${key} `)) return undefined;
  const end = text.indexOf('\n', at);
  return Number(text.slice(at + key.length + 1, end < 0 ? text.length : end));
}
