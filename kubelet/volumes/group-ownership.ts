// Gives a volume to the group of a pod (fsGroup): who owns it, and what the group may do, as upstream.
// Invariants: no link is followed, whatever a container that has the volume already does meanwhile; the root comes last, so that a
// walk that was cut off is known by it and walked again.
import { chmodSync, chownSync, closeSync, fstatSync, readdirSync, type Stats } from 'node:fs';
import { descriptorPath, openPlace, openRoot } from './inside.ts';
import { ConfigError } from './volume-error.ts';

/** Whose, and when. */
export interface GroupOwnership {
  readonly group: number;
  /** Nothing is done where the root belongs to the group and lets it in already (`fsGroupChangePolicy: OnRootMismatch`). */
  readonly onRootMismatch: boolean;
  /** The group may read, and not write. */
  readonly readOnly: boolean;
}

const MAY_READ = 0o440;
const MAY_WRITE = 0o220;
/** Folders: their group may enter, and hands itself on. */
const FOLDER = 0o2110;
/** One descriptor for each level; a volume that is deeper is refused. */
export const MAX_OWNED_LEVELS = 2_000;

/** What cannot be changed stays as it is, as upstream: a file system may have owners of its own. */
const UNCHANGEABLE = new Set(['EPERM', 'EROFS', 'EOPNOTSUPP', 'EACCES']);

/** Walks the whole volume, and waits for its file system: not to be called on an event loop. Throws ConfigError. */
export function giveToGroup(root: string, ownership: GroupOwnership): void {
  const place = openRoot(root);
  try {
    const stat = fstatSync(place);
    if (ownership.onRootMismatch && fits(stat, ownership)) return;
    give(place, stat, { ...ownership, level: 0 });
  } finally {
    closeSync(place);
  }
}

/** The permission bits of what the group is to have. */
function wantedMode(stat: Stats, { readOnly }: GroupOwnership): number {
  const rights = MAY_READ | (readOnly ? 0 : MAY_WRITE) | (stat.isDirectory() ? FOLDER : 0);
  return (stat.mode & 0o7777) | rights;
}

function fits(stat: Stats, ownership: GroupOwnership): boolean {
  return stat.gid === ownership.group && (stat.mode & 0o7777) === wantedMode(stat, ownership);
}

function give(place: number, stat: Stats, how: GroupOwnership & { readonly level: number }): void {
  if (how.level > MAX_OWNED_LEVELS)
    throw new ConfigError(
      'FailedMount',
      `the volume is more than ${MAX_OWNED_LEVELS} folders deep, and cannot be given to group ${how.group}`,
    );
  const path = descriptorPath(place);
  if (stat.isDirectory()) for (const name of readdirSync(path)) giveNamed(`${path}/${name}`, how);
  if (fits(stat, how)) return;
  change(() => chownSync(path, -1, how.group));
  if (!stat.isSymbolicLink()) change(() => chmodSync(path, wantedMode(stat, how)));
}

function giveNamed(path: string, how: GroupOwnership & { readonly level: number }): void {
  const place = openUnlessGone(path);
  if (place === undefined) return;
  try {
    give(place, fstatSync(place), { ...how, level: how.level + 1 });
  } finally {
    closeSync(place);
  }
}

function openUnlessGone(path: string): number | undefined {
  try {
    return openPlace(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function change(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!UNCHANGEABLE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
