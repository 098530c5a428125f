// A part of a volume made ready to be mounted alone, safe from links that would lead out of the volume.
// Invariant: what is mounted was reached from the volume's root without following any link, so that a container that
// swaps a folder for a link between check and mount gains nothing.
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { pid } from 'node:process';
import type { System } from '../../system/system.ts';
import { ConfigError } from './volume-error.ts';

/** Opens a place without opening what is there; open(2), Linux. */
const O_PATH = 0o10000000;
/** Folders that a subPath names and that are missing are made with it, as upstream. */
const FOLDER_MODE = 0o750;

/** Which part of which volume. */
export interface SubPath {
  /** Host path of the volume. */
  readonly root: string;
  /** Relative path in it. */
  readonly inside: string;
  /** Where it is to be made visible on the host. */
  readonly target: string;
}

/** Binds the part to its target, anew when something was there before. Throws ConfigError when it leads out of the volume. */
export function bindSubPath(system: System, part: SubPath): void {
  const place = openInside(part.root, part.inside);
  try {
    system.unmount(part.target);
    mkdirSync(dirname(part.target), { recursive: true, mode: 0o700 });
    if (fstatSync(place).isDirectory()) mkdirSync(part.target, { recursive: true });
    else writeFileSync(part.target, '', { flag: 'a' });
    system.mount({ source: procPath(place), target: part.target, flags: ['bind'] });
  } finally {
    closeSync(place);
  }
}

/** A descriptor of the place. The caller closes it. Throws ConfigError where the volume has no such place. */
export function openInside(root: string, inside: string): number {
  try {
    return walk(realpathSync(root), inside);
  } catch (error) {
    const why = UNREACHABLE.get((error as NodeJS.ErrnoException).code ?? '');
    throw why === undefined ? error : refused(inside, why);
  }
}

/** What pods bring about by what is in their volumes, and what is wrong then. */
const UNREACHABLE: ReadonlyMap<string, string> = new Map([
  ['ENOTDIR', 'a part of it is a file, and no directory'],
  ['ELOOP', 'its links lead in a circle'],
  ['ENAMETOOLONG', 'a name in it is too long'],
  ['EROFS', 'it is not there, and its volume is read-only'],
  ['ENOSPC', 'it is not there, and its volume is full'],
]);

function walk(base: string, inside: string): number {
  const names = resolved(base, inside);
  let place = openSync(base, O_PATH | constants.O_NOFOLLOW);
  for (const name of names) {
    const before = place;
    try {
      place = step(before, name, inside);
    } finally {
      closeSync(before);
    }
  }
  return place;
}

const procPath = (place: number): string => `/proc/${pid}/fd/${place}`;

function refused(inside: string, why: string): ConfigError {
  return new ConfigError(
    'CreateContainerConfigError',
    `failed to prepare subPath "${inside}": ${why}`,
  );
}

const outside = (inside: string) => refused(inside, 'it leads out of its volume');

/** The path's folders after links that lie in the volume: ConfigMaps consist of such links. */
function resolved(base: string, inside: string): string[] {
  if (normalize(`/${inside}`) !== join('/', inside) || inside.split('/').includes('..'))
    throw outside(inside);
  let known = join(base, inside);
  const missing: string[] = [];
  for (;;) {
    try {
      known = realpathSync(known);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || known === base) throw error;
      missing.unshift(known.slice(dirname(known).length + 1));
      known = dirname(known);
    }
  }
  const way = relative(base, known);
  if (way === '..' || way.startsWith('../')) throw outside(inside);
  return [...way.split('/').filter((name) => name !== ''), ...missing];
}

function step(place: number, name: string, inside: string): number {
  const path = `${procPath(place)}/${name}`;
  let next: number;
  try {
    next = openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(path, { mode: FOLDER_MODE });
    next = openSync(path, O_PATH | constants.O_NOFOLLOW);
  }
  if (!fstatSync(next).isSymbolicLink()) return next;
  closeSync(next);
  throw outside(inside);
}
