// Reaches into a volume by a relative path, safe from links that would lead out of it.
// Invariant: each step begins at a descriptor of the step before and follows no link; where a link leads is walked likewise, from the
// volume's own folders. A container that swaps a folder for a link meanwhile gains nothing, and no path outside is looked at.
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
} from 'node:fs';
import { pid } from 'node:process';
import { ConfigError } from './volume-error.ts';

/** Opens a place without opening what is there; open(2), Linux. */
const O_PATH = 0o10000000;
/** Bits of the volume that folders which a subPath names and that are missing get, as upstream. */
const MADE_MODE = 0o2777;
/** Links on one way: as many as the kernel follows. */
export const MAX_LINKS = 40;
/** Folders on one way. */
export const MAX_LEVELS = 256;

/** The path of what a descriptor of this process has open. */
export const descriptorPath = (place: number): string => `/proc/${pid}/fd/${place}`;

/** Opens a volume; one that is a link is where that leads. */
export const openRoot = (path: string): number => openSync(path, O_PATH);

/** Opens a place by its last name, which may be a link and is not followed. */
export const openPlace = (path: string): number => openSync(path, O_PATH | constants.O_NOFOLLOW);

/**
 * A descriptor of the place, which is made where it is missing. The caller closes it. Throws ConfigError where the volume has no such
 * place. Waits as long as the file systems on the way do.
 */
export function openInside(root: string, inside: string): number {
  try {
    return new Walk(root, inside).end();
  } catch (error) {
    const why = UNREACHABLE.get((error as NodeJS.ErrnoException).code ?? '');
    throw why === undefined ? error : refused(inside, why);
  }
}

/** What pods bring about by what is in their volumes, and what is wrong then. */
const UNREACHABLE: ReadonlyMap<string, string> = new Map([
  ['ENOTDIR', 'a part of it is a file, and no directory'],
  ['EINVAL', 'a part of it changes while it is looked at'],
  ['ENOENT', 'a part of it changes while it is looked at'],
  ['EEXIST', 'a part of it changes while it is looked at'],
  ['ENAMETOOLONG', 'a name in it is too long'],
  ['EROFS', 'it is not there, and its volume is read-only'],
  ['ENOSPC', 'it is not there, and its volume is full'],
]);

function refused(inside: string, why: string): ConfigError {
  return new ConfigError(
    'CreateContainerConfigError',
    `failed to prepare subPath "${inside}": ${why}`,
  );
}

const namesOf = (path: string): string[] =>
  path.split('/').filter((name) => name !== '' && name !== '.');

/** One way into a volume, by descriptors of all folders on it. */
class Walk {
  readonly #inside: string;
  readonly #held: number[];
  readonly #base: string;
  readonly #mode: number;
  readonly #left: string[];
  #links = 0;

  constructor(root: string, inside: string) {
    this.#inside = inside;
    this.#left = namesOf(inside);
    if (inside.startsWith('/') || this.#left.includes('..')) throw this.#outside();
    const place = this.#begin(root);
    this.#held = [place];
    this.#base = readlinkSync(descriptorPath(place));
    this.#mode = fstatSync(place).mode & MADE_MODE;
  }

  #begin(root: string): number {
    try {
      return openRoot(root);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw refused(this.#inside, 'its volume is not there');
    }
  }

  /** Goes it; only the place at its end stays open. */
  end(): number {
    try {
      for (let name = this.#left.shift(); name !== undefined; name = this.#left.shift())
        this.#step(name);
      return this.#held.pop() as number;
    } finally {
      for (const place of this.#held) closeSync(place);
    }
  }

  #step(name: string): void {
    if (name === '..') {
      if (this.#held.length === 1) throw this.#outside();
      closeSync(this.#held.pop() as number);
      return;
    }
    if (this.#held.length > MAX_LEVELS) throw refused(this.#inside, 'it is too deep');
    const path = `${descriptorPath(this.#held.at(-1) as number)}/${name}`;
    const next = this.#open(path);
    if (!fstatSync(next).isSymbolicLink()) {
      this.#held.push(next);
      return;
    }
    closeSync(next);
    this.#follow(readlinkSync(path));
  }

  #open(path: string): number {
    try {
      return openPlace(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    mkdirSync(path, { mode: this.#mode });
    const made = openPlace(path);
    // What the umask of this process has taken away. Somebody may have put a link there meanwhile, which has no mode of its own.
    if (fstatSync(made).isDirectory()) chmodSync(descriptorPath(made), this.#mode);
    return made;
  }

  /** ConfigMaps consist of links within their volume. */
  #follow(target: string): void {
    this.#links += 1;
    if (this.#links > MAX_LINKS) throw refused(this.#inside, 'its links lead in a circle');
    if (!target.startsWith('/')) {
      this.#left.unshift(...namesOf(target));
      return;
    }
    if (!`${target}/`.startsWith(`${this.#base}/`)) throw this.#outside();
    for (const place of this.#held.splice(1)) closeSync(place);
    this.#left.unshift(...namesOf(target.slice(this.#base.length)));
  }

  #outside(): ConfigError {
    return refused(this.#inside, 'it leads out of its volume');
  }
}
