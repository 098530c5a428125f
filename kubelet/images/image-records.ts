// What is known of images and their names: one small file each below the store's directory.
// Invariants: a record is renamed into place and read afresh, so agent and command line may use the directory at once; a name belongs to
// one image, and remembers the manifest under which it came.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from './durability.ts';
import type { ImageConfig } from './image-config.ts';

/** An image. */
export interface ImageRecord {
  readonly id: string;
  /** Bytes of its layers, unpacked. */
  readonly sizeBytes: number;
  readonly config: ImageConfig;
  /** Digest of the manifest with which it came last; none of an image that was built here and is not pushed yet. */
  readonly manifest?: string;
}

/** A name of an image: with a tag, or with a registry's digest. */
export interface NameRecord {
  readonly name: string;
  readonly id: string;
  /** As in ImageRecord, of this name. */
  readonly manifest?: string;
}

/** The records below one directory. */
export class ImageRecords {
  readonly #images: string;
  readonly #names: string;

  constructor(dir: string) {
    this.#images = join(dir, 'images');
    this.#names = join(dir, 'names');
    for (const path of [this.#images, this.#names]) mkdirSync(path, { recursive: true });
  }

  /** Undefined when it is not there. */
  image(id: string): ImageRecord | undefined {
    return readRecord<ImageRecord>(this.#imagePath(id));
  }

  images(): readonly ImageRecord[] {
    return recordsIn<ImageRecord>(this.#images);
  }

  /** Undefined when no image has the name. */
  name(name: string): NameRecord | undefined {
    return readRecord<NameRecord>(this.#namePath(name));
  }

  names(): readonly NameRecord[] {
    return recordsIn<NameRecord>(this.#names);
  }

  /** Resolves once it is on the disk; what it names must be there before. */
  putImage(record: ImageRecord): Promise<void> {
    return writeDurably(this.#imagePath(record.id), JSON.stringify(record));
  }

  /** Resolves once it is on the disk; the image must be there before. */
  putName(record: NameRecord): Promise<void> {
    return writeDurably(this.#namePath(record.name), JSON.stringify(record));
  }

  /** Removes records that cannot be read, images that are not `whole`, and names of images that are not there; answers their files. */
  dropTorn(whole: (image: ImageRecord) => boolean): readonly string[] {
    return [
      ...dropped<ImageRecord>(this.#images, whole),
      ...dropped<NameRecord>(this.#names, ({ id }) => existsSync(this.#imagePath(id))),
    ];
  }

  removeImage(id: string): void {
    rmSync(this.#imagePath(id), { force: true });
  }

  removeName(name: string): void {
    rmSync(this.#namePath(name), { force: true });
  }

  #imagePath(id: string): string {
    return join(this.#images, `${id.slice('sha256:'.length)}.json`);
  }

  #namePath(name: string): string {
    return join(this.#names, `${createHash('sha256').update(name).digest('hex')}.json`);
  }
}

function recordsIn<T>(directory: string): T[] {
  return readdirSync(directory).flatMap((file) => readRecord<T>(join(directory, file)) ?? []);
}

/** Removes the records of a directory that are none, or not as they must be. */
function dropped<T>(directory: string, holds: (record: T) => boolean): readonly string[] {
  const bad = readdirSync(directory).filter((file) => {
    if (!file.endsWith('.json')) return false;
    try {
      const record = readRecord<T>(join(directory, file));
      return record !== undefined && !holds(record);
    } catch {
      return true;
    }
  });
  for (const file of bad) rmSync(join(directory, file), { force: true });
  return bad;
}

/** Undefined when the file is not there, or is still being written under its temporary name. */
function readRecord<T>(path: string): T | undefined {
  if (!path.endsWith('.json')) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
