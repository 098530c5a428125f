// What the members of a layer may be: names and links that stay inside, within the limits; and which names of lower layers it hides.
// GNU tar, which writes the files, has its own guard; this one says in words what is wrong, before anything is written. Pure.
// Invariant: a member that passes can be written below the layer's directory by a tar that follows only links that stay inside.
import { BadImageError } from './image-config.ts';
import { MAX_LAYER_MEMBERS, MAX_NAME_MEMORY_BYTES } from './limits.ts';
import { shown } from './manifest.ts';
import type { TarMember } from './tar-scan.ts';

/** What a layer hides of those below it. Paths are relative, without `.` and `..`. */
export interface Hidden {
  /** Names that are gone. */
  readonly names: readonly string[];
  /** Directories of which nothing shows but what this layer has in them. */
  readonly opaque: readonly string[];
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const RESERVED = '.wh..wh.';
/** What a file system takes. */
const MAX_PATH_BYTES = 4095;
const MAX_NAME_BYTES = 255;

/** Vets members one after the other, and collects what they hide. */
export class LayerRules {
  readonly #names: string[] = [];
  readonly #opaque: string[] = [];
  /** Links that lead outside, or would if followed from the host: nothing may be written through them. */
  readonly #outward = new Set<string>();
  #members = 0;
  #remembered = 0;

  /** Members so far. */
  get members(): number {
    return this.#members;
  }

  /** What the layer hides. */
  get hidden(): Hidden {
    return { names: this.#names, opaque: this.#opaque };
  }

  /** Throws BadImageError when the member must not be written. */
  vet(member: TarMember): void {
    if (++this.#members > MAX_LAYER_MEMBERS)
      throw new BadImageError(`the layer has more than ${MAX_LAYER_MEMBERS} files`);
    const path = inside(member.path, 'path');
    this.#refuseThroughLink(path, member.path);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name.startsWith(WHITEOUT)) {
      this.#hide(path, name);
      return;
    }
    if (this.#outward.size > 0) this.#outward.delete(path);
    if (member.kind === 'hardlink')
      this.#refuseThroughLink(inside(member.linkTarget, 'hard link to'), member.linkTarget);
    if (member.kind === 'symlink' && isOutward(member.linkTarget)) {
      this.#remember(path);
      this.#outward.add(path);
    }
  }

  #hide(path: string, name: string): void {
    const parent = path.slice(0, path.length - name.length);
    const hidden = name.slice(WHITEOUT.length);
    if (name === OPAQUE) {
      this.#remember(parent);
      this.#opaque.push(parent.replace(/\/$/, ''));
    } else if (!name.startsWith(RESERVED)) {
      if (['', '.', '..'].includes(hidden))
        throw new BadImageError(`the layer hides no name with ${shown(path)}`);
      this.#remember(path);
      this.#names.push(`${parent}${hidden}`);
    }
  }

  #remember(name: string): void {
    this.#remembered += 2 * name.length + 64;
    if (this.#remembered > MAX_NAME_MEMORY_BYTES)
      throw new BadImageError('the layer has too many links that lead outside, or hidden names');
  }

  #refuseThroughLink(path: string, told: string): void {
    if (this.#outward.size === 0) return;
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash);
      if (this.#outward.has(parent))
        throw new BadImageError(
          `the layer's ${shown(told)} goes through ${shown(parent)}, a link that leads out of the image`,
        );
    }
  }
}

/** The path without leading slash and empty parts; throws where it would leave the layer's directory. */
function inside(path: string, what: string): string {
  if (path.includes('\0')) throw new BadImageError(`the layer's ${what} ${shown(path)} has a NUL`);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw new BadImageError(`the layer's ${what} ${shown(path)}… is longer than a path can be`);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw new BadImageError(`the layer's ${what} ${shown(path)} leaves the image (..)`);
  if (parts.some((part) => part.length > MAX_NAME_BYTES / 4 && tooLong(part)))
    throw new BadImageError(`the layer's ${what} ${shown(path)}… has a name that is too long`);
  return parts.join('/');
}

function tooLong(name: string): boolean {
  return Buffer.byteLength(name) > MAX_NAME_BYTES;
}

function isOutward(target: string): boolean {
  return target.startsWith('/') || target.split('/').includes('..');
}
