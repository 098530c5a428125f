// What is known of images and their names: one small file each below the store's directory.
// Invariants: a record is renamed into place and read afresh, so agent and command line may use the directory at once; a name belongs to
// one image, and remembers the manifest under which it came.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from './blob-store.ts';
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

  putImage(record: ImageRecord): void {
    writeWhole(this.#imagePath(record.id), JSON.stringify(record));
  }

  putName(record: NameRecord): void {
    writeWhole(this.#namePath(record.name), JSON.stringify(record));
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
