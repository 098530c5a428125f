// The images of a node: configurations, names, blobs and shared unpacked layers below one directory.
// Invariants: records are files renamed into place and read afresh, so agent and command line may use the directory at once; an image is
// recorded only after all its layers are complete and on the disk; a failed load leaves nothing.
import { existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../base/logger.ts';
import type { System } from '../../system/system.ts';
import type { ImageInfo, ImageStore, ImageUsage } from '../runtime/runtime.ts';
import { type CheckedImage, manifestFrom, readArchive } from './archive.ts';
import { BlobStore, digestOf } from './blob-store.ts';
import { checkAfterBoot, flushed } from './durability.ts';
import { BadImageError, type ImageConfig, isDigest } from './image-config.ts';
import { normalizeImageName, parseImageName } from './image-name.ts';
import { type ImageRecord, ImageRecords, type NameRecord } from './image-records.ts';
import { LayerStore } from './layer-store.ts';
import { UNPACK_LIMITS, type UnpackLimits } from './limits.ts';
import { parseManifest } from './manifest.ts';
import { Staging } from './staging.ts';
import { unpackTar } from './unpack.ts';

/** An image to record; its layers must be there, and the blobs of its manifest. */
export interface NewImage {
  readonly config: ImageConfig;
  /** The configuration as it was loaded: its digest is the image's id. Made from `config` when not given. */
  readonly configBytes?: Uint8Array;
  /** With tags, or with digests. */
  readonly names: readonly string[];
  /** Digest of the manifest that it came with, a blob of the store. */
  readonly manifest?: string | undefined;
}

/** The images of a node, and how they get there. */
export interface OciImageStore extends ImageStore {
  readonly layers: LayerStore;
  readonly blobs: BlobStore;
  readonly records: ImageRecords;
  readonly staging: Staging;
  readonly limits: UnpackLimits;
  /** Absolute directories of the image's layers, uppermost first: what overlayfs takes. Throws when the image is gone. */
  layersOf(imageId: string): readonly string[];
  /** Loads an OCI layout or a `docker save` archive (tar; gzip or zstd). `name` names the only image of a nameless archive. */
  load(file: string, options?: { name?: string }): Promise<readonly ImageInfo[]>;
  /** Records an image once it is on the disk, and resolves when the record is. A name that another image had moves to this one. */
  add(image: NewImage): Promise<ImageInfo>;
  /** Unpacks a layer that is not there yet, within the limits and what the disk has left. */
  addLayer(
    layer: { file: string; sizeBytes: number; diffId: string },
    signal?: AbortSignal,
  ): Promise<void>;
  /** Bytes that the file system has for images, beyond what is reserved. */
  roomBytes(): Promise<number>;
  /** Takes a name away, or by id the image with all its names, and what nothing else uses. False when there is none. */
  remove(image: string): Promise<boolean>;
  /** The record of an image, by name or id. */
  find(image: string): ImageRecord | undefined;
  /** Removes images without names (except `keep`), and layers and blobs that no image and no live mount uses. Answers the bytes. */
  prune(keep?: ReadonlySet<string>): Promise<number>;
  /** As prune, but for the images: what was brought for one that did not come about goes. */
  sweep(): Promise<number>;
  usage(): Promise<ImageUsage>;
}

/** Opens the store below `dir`, making it when needed. */
export function createImageStore(doors: {
  system: System;
  dir: string;
  logger: Logger;
  limits?: Partial<UnpackLimits>;
}): OciImageStore {
  return new DirectoryImageStore(doors);
}

class DirectoryImageStore implements OciImageStore {
  readonly layers: LayerStore;
  readonly blobs: BlobStore;
  readonly records: ImageRecords;
  readonly staging: Staging;
  readonly limits: UnpackLimits;
  readonly #system: System;
  readonly #logger: Logger;
  readonly #dir: string;

  constructor(doors: {
    system: System;
    dir: string;
    logger: Logger;
    limits?: Partial<UnpackLimits>;
  }) {
    this.#system = doors.system;
    this.#logger = doors.logger;
    this.#dir = doors.dir;
    this.limits = { ...UNPACK_LIMITS, ...doors.limits };
    this.staging = new Staging(doors.system, doors.dir);
    this.layers = new LayerStore(doors.dir, this.staging);
    this.blobs = new BlobStore(doors.dir);
    this.records = new ImageRecords(doors.dir);
    const { records, layers, blobs, staging } = this;
    checkAfterBoot({ ...doors, records, layers, blobs, staging }, () => this.#kept());
  }

  resolve(image: string): Promise<ImageInfo | undefined> {
    const record = this.find(image);
    return Promise.resolve(record && infoOf(record, this.records.names()));
  }

  list(): Promise<readonly ImageInfo[]> {
    const names = this.records.names();
    return Promise.resolve(this.records.images().map((record) => infoOf(record, names)));
  }

  layersOf(imageId: string): readonly string[] {
    const record = this.records.image(imageId);
    if (!record) throw new BadImageError(`the image ${imageId} is not present`);
    return record.config.rootfs.diff_ids.toReversed().map((diffId) => this.layers.pathOf(diffId));
  }

  async load(file: string, options: { name?: string } = {}): Promise<readonly ImageInfo[]> {
    if (!existsSync(file)) throw new BadImageError(`there is no file ${file}`);
    const staging = this.staging.directory();
    try {
      const roomBytes = await this.roomBytes();
      // An archive holds layers that are compressed already: only the absolute limits tell a bomb.
      const limits = { ...this.limits, bombRatio: Number.POSITIVE_INFINITY };
      const source = { file, sizeBytes: statSync(file).size, directory: staging };
      await unpackTar(this.#system, source, { mode: 'archive', limits, roomBytes });
      const images = (await readArchive(staging)).map((image) => named(image, options.name));
      const loaded: ImageInfo[] = [];
      for (const image of images) loaded.push(await this.#take(image));
      return loaded;
    } finally {
      await this.staging.remove(staging);
    }
  }

  /** Layers first, then the blobs as they came, then the record. */
  async #take(image: CheckedImage): Promise<ImageInfo> {
    const digests = image.layers.map(({ digest }) => digest);
    const lease = this.staging.lease([...image.config.rootfs.diff_ids, ...digests]);
    try {
      for (const layer of image.layers) await this.addLayer(layer);
      const bytes = image.manifestBytes ?? manifestFrom(image);
      for (const { digest, file } of image.layers)
        if (existsSync(file)) this.blobs.adopt(digest, file);
      return await this.add({ ...image, manifest: this.blobs.put(bytes) });
    } finally {
      lease.release();
    }
  }

  async addLayer(
    layer: { file: string; sizeBytes: number; diffId: string },
    signal?: AbortSignal,
  ): Promise<void> {
    const roomBytes = await this.roomBytes();
    const abort = signal && { signal };
    await this.layers.unpack(this.#system, layer, { limits: this.limits, roomBytes, ...abort });
  }

  async roomBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#dir);
    return Math.max(0, bavail * bsize - this.limits.reservedBytes);
  }

  async add(image: NewImage): Promise<ImageInfo> {
    const bytes = image.configBytes ?? Buffer.from(JSON.stringify(image.config));
    const id = digestOf(bytes);
    const sizeBytes = image.config.rootfs.diff_ids.reduce((sum, diffId) => {
      const layer = this.layers.find(diffId);
      if (!layer) throw new BadImageError(`the layer ${diffId} is not present`);
      return sum + layer.sizeBytes;
    }, 0);
    this.blobs.put(bytes);
    const manifest = image.manifest ?? this.records.image(id)?.manifest;
    const came = manifest === undefined ? {} : { manifest };
    const record: ImageRecord = { id, sizeBytes, config: image.config, ...came };
    const names = image.names.map(mustNormalize);
    await this.#record(
      record,
      names.map((name) => ({ name, id, ...came })),
    );
    this.#logger.info('image recorded', { id, names: image.names, sizeBytes });
    return infoOf(record, this.records.names());
  }

  /** What a record names that is there already, is on the disk already. */
  async #record(image: ImageRecord, names: readonly NameRecord[]): Promise<void> {
    const known = this.records.image(image.id);
    if (known?.manifest !== image.manifest || !known) await flushed(this.#system, this.#dir);
    if (!isDeepStrictEqual(known, image)) await this.records.putImage(image);
    for (const name of names)
      if (!isDeepStrictEqual(this.records.name(name.name), name)) await this.records.putName(name);
  }

  async remove(image: string): Promise<boolean> {
    const record = this.find(image);
    if (!record) return false;
    const { id } = record;
    const all = this.records.names().filter((entry) => entry.id === id);
    const name = normalizeImageName(image);
    const gone = isDigest(image) ? all : all.filter((entry) => entry.name === name);
    for (const entry of gone) this.records.removeName(entry.name);
    // A digest is a remark of where the image came from: it goes with the last of its tags.
    const left = all.filter((entry) => !gone.includes(entry));
    if (left.every(isDigestName)) {
      for (const entry of left) this.records.removeName(entry.name);
      this.records.removeImage(id);
    }
    await this.sweep();
    return true;
  }

  find(image: string): ImageRecord | undefined {
    if (isDigest(image)) return this.records.image(image);
    const name = normalizeImageName(image);
    const digest = parseImageName(image)?.digest;
    const id = name === undefined ? undefined : (this.records.name(name)?.id ?? digest);
    return id === undefined ? undefined : this.records.image(id);
  }

  async prune(keep: ReadonlySet<string> = new Set()): Promise<number> {
    await this.staging.removeAbandoned();
    const named = new Set(this.records.names().map((entry) => entry.id));
    for (const { id } of this.records.images())
      if (!named.has(id) && !keep.has(id)) this.records.removeImage(id);
    return this.sweep();
  }

  async usage(): Promise<ImageUsage> {
    const [system, blobs] = await Promise.all([statfs(this.#dir), this.blobs.usedBytes()]);
    const layers = this.layers.used();
    return {
      usedBytes: layers.bytes + blobs.bytes,
      capacityBytes: system.blocks * system.bsize,
      availableBytes: system.bavail * system.bsize,
      inodesUsed: layers.files + blobs.files,
      inodes: system.files,
      inodesFree: system.ffree,
    };
  }

  async sweep(): Promise<number> {
    const kept = this.#kept();
    const overlays = this.#system.mounts().filter((mount) => mount.type === 'overlay');
    const options = overlays.map((mount) => mount.options);
    return (await this.layers.prune(kept, options)) + (await this.blobs.prune(kept));
  }

  /** What images and live processes need: layers and blobs. */
  #kept(): ReadonlySet<string> {
    const kept = new Set(this.staging.leased());
    for (const { id, config, manifest } of this.records.images()) {
      for (const digest of [id, ...config.rootfs.diff_ids]) kept.add(digest);
      this.#keepBlobs(manifest, kept);
    }
    for (const { manifest } of this.records.names()) this.#keepBlobs(manifest, kept);
    return kept;
  }

  #keepBlobs(manifest: string | undefined, kept: Set<string>): void {
    if (manifest === undefined || kept.has(manifest) || !this.blobs.has(manifest)) return;
    kept.add(manifest);
    const parsed = parseManifest(this.blobs.read(manifest));
    if (parsed.kind === 'manifest')
      for (const { digest } of [parsed.config, ...parsed.layers]) kept.add(digest);
  }
}

/** What others are told of an image. */
function infoOf(record: ImageRecord, names: readonly NameRecord[]): ImageInfo {
  const { config } = record.config;
  const own = names.filter((entry) => entry.id === record.id);
  return {
    id: record.id,
    names: own.filter((entry) => !isDigestName(entry)).map((entry) => entry.name),
    repoDigests: own.filter(isDigestName).map((entry) => entry.name),
    sizeBytes: record.sizeBytes,
    entrypoint: config.Entrypoint ?? [],
    cmd: config.Cmd ?? [],
    env: config.Env ?? [],
    workingDir: config.WorkingDir ?? '',
    user: config.User ?? '',
    stopSignal: config.StopSignal,
  };
}

function isDigestName({ name }: NameRecord): boolean {
  return name.includes('@');
}

function named(image: CheckedImage, name: string | undefined): CheckedImage {
  const names = name === undefined ? image.names : [name];
  names.forEach(mustNormalize);
  return { ...image, names };
}

function mustNormalize(name: string): string {
  const normal = normalizeImageName(name);
  if (normal === undefined) throw new BadImageError(`"${name}" is no image name`);
  return normal;
}
