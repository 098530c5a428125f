// The images of a node: configurations, names and shared unpacked layers below one directory.
// Invariants: each record is one file renamed into place and read afresh, so agent and command line may use the directory at once;
// an image is recorded only after all its layers are complete; a failed load leaves nothing.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../../base/logger.ts';
import type { System } from '../../system/system.ts';
import type { ImageInfo, ImageStore } from '../runtime/runtime.ts';
import { type ArchivedImage, readArchive } from './archive.ts';
import { BadImageError, type ImageConfig, isDigest } from './image-config.ts';
import { normalizeImageName, parseImageName } from './image-name.ts';
import { LayerStore } from './layer-store.ts';
import { convertWhiteouts, unpackTar } from './unpack.ts';

/** An image to record; its layers must be there. */
export interface NewImage {
  readonly config: ImageConfig;
  /** The configuration as it was loaded: its digest is the image's id. Made from `config` when not given. */
  readonly configBytes?: Uint8Array;
  readonly names: readonly string[];
}

/** The images of a node, and how they get there. */
export interface OciImageStore extends ImageStore {
  readonly layers: LayerStore;
  /** Absolute directories of the image's layers, uppermost first: what overlayfs takes. Throws when the image is gone. */
  layersOf(imageId: string): readonly string[];
  /** Loads an OCI layout or a `docker save` archive (tar; gzip or zstd). `name` names the only image of a nameless archive. */
  load(file: string, options?: { name?: string }): Promise<readonly ImageInfo[]>;
  /** Records an image. A name that another image had moves to this one. */
  add(image: NewImage): ImageInfo;
  /** Takes a name away, or by id the image with all its names. False when there is none. Layers stay until `prune`. */
  remove(image: string): Promise<boolean>;
  /** Removes images without names (except `keep`) and layers that no image and no live mount uses. */
  prune(keep?: ReadonlySet<string>): void;
}

interface ImageRecord {
  readonly id: string;
  readonly sizeBytes: number;
  readonly config: ImageConfig;
}

interface NameRecord {
  readonly name: string;
  readonly id: string;
}

/** Opens the store below `dir`, making it when needed. */
export function createImageStore(doors: {
  system: System;
  dir: string;
  logger: Logger;
}): OciImageStore {
  return new DirectoryImageStore(doors);
}

class DirectoryImageStore implements OciImageStore {
  readonly layers: LayerStore;
  readonly #system: System;
  readonly #logger: Logger;
  readonly #images: string;
  readonly #names: string;
  readonly #blobs: string;

  constructor(doors: { system: System; dir: string; logger: Logger }) {
    this.#system = doors.system;
    this.#logger = doors.logger;
    this.layers = new LayerStore(doors.dir);
    this.#images = join(doors.dir, 'images');
    this.#names = join(doors.dir, 'names');
    this.#blobs = join(doors.dir, 'blobs', 'sha256');
    for (const path of [this.#images, this.#names, this.#blobs])
      mkdirSync(path, { recursive: true });
  }

  resolve(image: string): Promise<ImageInfo | undefined> {
    const id = this.#idOf(image);
    return Promise.resolve(id === undefined ? undefined : this.#info(id));
  }

  list(): Promise<readonly ImageInfo[]> {
    const ids = readdirSync(this.#images).flatMap((file) =>
      file.endsWith('.json') ? [`sha256:${file.slice(0, -'.json'.length)}`] : [],
    );
    const names = this.#allNames();
    return Promise.resolve(ids.flatMap((id) => this.#info(id, names) ?? []));
  }

  layersOf(imageId: string): readonly string[] {
    const record = this.#record(imageId);
    if (!record) throw new BadImageError(`the image ${imageId} is not present`);
    return record.config.rootfs.diff_ids.toReversed().map((diffId) => this.layers.pathOf(diffId));
  }

  async load(file: string, options: { name?: string } = {}): Promise<readonly ImageInfo[]> {
    if (!existsSync(file)) throw new BadImageError(`there is no file ${file}`);
    const staging = this.layers.stage();
    try {
      await unpackTar(this.#system, { file, directory: staging }, 'archive');
      const images = readArchive(staging).map((image) => this.#named(image, options.name));
      for (const image of images) for (const layer of image.layers) await this.#unpackLayer(layer);
      return images.map((image) => this.add(image));
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  }

  add(image: NewImage): ImageInfo {
    const bytes = image.configBytes ?? Buffer.from(JSON.stringify(image.config));
    const id = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const sizeBytes = image.config.rootfs.diff_ids.reduce((sum, diffId) => {
      const layer = this.layers.find(diffId);
      if (!layer) throw new BadImageError(`the layer ${diffId} is not present`);
      return sum + layer.sizeBytes;
    }, 0);
    writeWhole(join(this.#blobs, hexOf(id)), bytes);
    const record: ImageRecord = { id, sizeBytes, config: image.config };
    writeWhole(this.#imagePath(id), JSON.stringify(record));
    for (const name of image.names.map(mustNormalize)) {
      const entry: NameRecord = { name, id };
      writeWhole(this.#namePath(name), JSON.stringify(entry));
    }
    this.#logger.info('image recorded', { id, names: image.names, sizeBytes });
    const info = this.#info(id);
    if (!info) throw new BadImageError(`the image ${id} went away while it was recorded`);
    return info;
  }

  remove(image: string): Promise<boolean> {
    return Promise.resolve(this.#remove(image));
  }

  #remove(image: string): boolean {
    const id = this.#idOf(image);
    if (id === undefined || !this.#record(id)) return false;
    const all = this.#allNames().filter((entry) => entry.id === id);
    const name = normalizeImageName(image);
    const gone = isDigest(image) ? all : all.filter((entry) => entry.name === name);
    for (const entry of gone) rmSync(this.#namePath(entry.name), { force: true });
    if (gone.length === all.length) this.#forget(id);
    return true;
  }

  prune(keep: ReadonlySet<string> = new Set()): void {
    const named = new Set(this.#allNames().map((entry) => entry.id));
    const kept = new Set<string>();
    for (const file of readdirSync(this.#images)) {
      const record = readRecord<ImageRecord>(join(this.#images, file));
      if (!record) continue;
      if (named.has(record.id) || keep.has(record.id))
        record.config.rootfs.diff_ids.forEach((diffId) => kept.add(diffId));
      else this.#forget(record.id);
    }
    const overlays = this.#system.mounts().filter((mount) => mount.type === 'overlay');
    this.layers.prune(
      kept,
      overlays.map((mount) => mount.options),
    );
  }

  #forget(id: string): void {
    rmSync(this.#imagePath(id), { force: true });
    rmSync(join(this.#blobs, hexOf(id)), { force: true });
  }

  #named(image: ArchivedImage, name: string | undefined): ArchivedImage {
    const names = name === undefined ? image.names : [name];
    names.forEach(mustNormalize);
    return { ...image, names };
  }

  async #unpackLayer(layer: ArchivedImage['layers'][number]): Promise<void> {
    if (this.layers.find(layer.diffId)) return;
    const directory = this.layers.stage();
    try {
      const source = { file: layer.file, directory };
      const unpacked = await unpackTar(this.#system, source, 'layer');
      if (layer.digest !== undefined && unpacked.digest !== layer.digest)
        throw new BadImageError(`a layer does not have the digest ${layer.digest}`);
      if (unpacked.diffId !== layer.diffId)
        throw new BadImageError(`a layer's content does not have the digest ${layer.diffId}`);
      convertWhiteouts(this.#system, directory);
      this.layers.adopt({ diffId: layer.diffId, sizeBytes: unpacked.sizeBytes }, directory);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  #idOf(image: string): string | undefined {
    if (isDigest(image)) return image;
    const parsed = parseImageName(image);
    if (!parsed) return undefined;
    if (parsed.digest !== undefined) return parsed.digest;
    const path = this.#namePath(`${parsed.repository}:${parsed.tag}`);
    return readRecord<NameRecord>(path)?.id;
  }

  #info(id: string, names: readonly NameRecord[] = this.#allNames()): ImageInfo | undefined {
    const record = this.#record(id);
    if (!record) return undefined;
    const { config } = record.config;
    return {
      id,
      names: names.filter((entry) => entry.id === id).map((entry) => entry.name),
      repoDigests: [],
      sizeBytes: record.sizeBytes,
      entrypoint: config.Entrypoint ?? [],
      cmd: config.Cmd ?? [],
      env: config.Env ?? [],
      workingDir: config.WorkingDir ?? '',
      user: config.User ?? '',
      stopSignal: config.StopSignal,
    };
  }

  #record(id: string): ImageRecord | undefined {
    return readRecord<ImageRecord>(this.#imagePath(id));
  }

  #allNames(): readonly NameRecord[] {
    return readdirSync(this.#names).flatMap(
      (file) => readRecord<NameRecord>(join(this.#names, file)) ?? [],
    );
  }

  #imagePath(id: string): string {
    return join(this.#images, `${hexOf(id)}.json`);
  }

  #namePath(name: string): string {
    return join(this.#names, `${createHash('sha256').update(name).digest('hex')}.json`);
  }
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length);
}

function mustNormalize(name: string): string {
  const normal = normalizeImageName(name);
  if (normal === undefined) throw new BadImageError(`"${name}" is no image name`);
  return normal;
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

/** Readers see the old file or the new one, never a part. */
function writeWhole(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}
