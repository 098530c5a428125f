// Content-addressed files: configurations, manifests and compressed layers, each named by its digest, as a registry would give them.
// They are kept so that an image can be pushed and saved as it came (docs/decisions/0018-blobs-are-kept.md).
// Invariant: a file below `blobs/` is complete and has the digest of its name: it is renamed into place after that was checked.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BadImageError } from './image-config.ts';

const HEX = /^[0-9a-f]{64}$/;

/** Blobs below one directory. */
export class BlobStore {
  readonly #directory: string;

  constructor(dir: string) {
    this.#directory = join(dir, 'blobs', 'sha256');
    mkdirSync(this.#directory, { recursive: true });
  }

  /** Where a blob lies, whether it is there or not. */
  pathOf(digest: string): string {
    return join(this.#directory, digest.slice('sha256:'.length));
  }

  /** Is it there, and of this size where one is given? */
  has(digest: string, sizeBytes?: number): boolean {
    const there = statSync(this.pathOf(digest), { throwIfNoEntry: false });
    return there !== undefined && (sizeBytes === undefined || there.size === sizeBytes);
  }

  /** The bytes of a small blob. Throws BadImageError when it is not there. */
  read(digest: string): Buffer {
    const path = this.pathOf(digest);
    if (!existsSync(path)) throw new BadImageError(`the blob ${digest} is not kept on this node`);
    return readFileSync(path);
  }

  /** Writes a small blob; answers its digest. */
  put(bytes: Uint8Array): string {
    const digest = digestOf(bytes);
    writeWhole(this.pathOf(digest), bytes);
    return digest;
  }

  /** Takes a file, whose digest the caller has checked, from the same file system. */
  adopt(digest: string, file: string): void {
    renameSync(file, this.pathOf(digest));
  }

  /** Bytes of all blobs. */
  async usedBytes(): Promise<{ bytes: number; files: number }> {
    const names = await readdir(this.#directory);
    const sizes = await Promise.all(
      names.map((name) =>
        stat(join(this.#directory, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    return { bytes: sizes.reduce((sum, size) => sum + size, 0), files: names.length };
  }

  /** Removes all blobs but these; answers how many bytes that were. */
  async prune(keep: ReadonlySet<string>): Promise<number> {
    let freed = 0;
    for (const name of await readdir(this.#directory)) {
      // Others may be writing a file that has its name not yet.
      if (!HEX.test(name) || keep.has(`sha256:${name}`)) continue;
      const path = join(this.#directory, name);
      freed += (await stat(path).catch(() => undefined))?.size ?? 0;
      await rm(path, { force: true });
    }
    return freed;
  }

  /** Moves all blobs but these into a directory of the same file system; answers their names. */
  putAway(keep: ReadonlySet<string>, into: string): readonly string[] {
    const away = readdirSync(this.#directory).filter((name) => !keep.has(`sha256:${name}`));
    for (const name of away) moveAway(join(this.#directory, name), join(into, name));
    return away;
  }
}

/** Renames; quiet where another process, which puts the same away, has done it. */
export function moveAway(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (existsSync(from)) throw error;
  }
}

/** `sha256:…` of the bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Replaces a file: readers see the old one or the new one, never a part. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}
