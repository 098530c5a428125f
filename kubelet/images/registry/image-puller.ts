// Brings one image from its registry, or a mirror of it, into the store: manifest, configuration, layers.
// Invariants: an image is recorded once everything of it is there and verified; a pull that fails or is given up leaves nothing of its
// own; layers that several pulls need at once are fetched once.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../../base/logger.ts';
import {
  type ImageInfo,
  PullError,
  type PullProgress,
  type RegistryCredential,
} from '../../runtime/runtime.ts';
import { BadImageError, type ImageConfig, parseImageConfig } from '../image-config.ts';
import { imageNameRefusal, type ImageName, parseImageName } from '../image-name.ts';
import type { OciImageStore } from '../image-store.ts';
import type { Descriptor } from '../manifest.ts';
import { hostPlatform, type Platform } from '../platform.ts';
import { downloadBlob } from './blob-download.ts';
import { RegistryConnection, type RegistryDoors } from './connection.ts';
import { inParallel } from './in-parallel.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryEndpoint, RegistrySettings } from './registry-settings.ts';
import { remoteDigest, type RemoteImage, remoteImage, type Repository } from './remote-image.ts';
import { SharedWork } from './shared-work.ts';

/** Layers of one image that are fetched at once. */
const MAX_PARALLEL_LAYERS = 3;
/** Between two tellings of progress. */
const PROGRESS_MS = 250;

/** What pulling needs. */
export interface PullerDoors extends RegistryDoors {
  readonly store: OciImageStore;
  readonly settings: RegistrySettings;
  readonly logger: Logger;
}

/** How an image is wanted. */
export interface PullOptions {
  /** For the registry itself; mirrors have their own. */
  readonly credentials?: readonly RegistryCredential[] | undefined;
  /** The registry is asked, also where all of it is here and its digest is known. */
  readonly verify?: boolean | undefined;
  /** This host's unless given. */
  readonly platform?: Platform | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
}

/** One pull under way. */
interface Pull extends PullOptions {
  readonly name: ImageName;
  readonly platform: Platform;
  /** Where it may be found, in order. */
  readonly repositories: readonly Repository[];
}

/** Pulls images into one store. */
export class RegistryPuller {
  readonly #doors: PullerDoors;
  readonly #blobs = new SharedWork<void>();
  readonly #layers = new SharedWork<void>();

  constructor(doors: PullerDoors) {
    this.#doors = doors;
  }

  /** Undefined where there is nowhere to pull it from. Rejects with PullError, and with the signal's reason when aborted. */
  pull(image: string, options: PullOptions): Promise<ImageInfo> | undefined {
    const name = parseImageName(image);
    if (!name) return Promise.reject(new PullError('InvalidImageName', imageNameRefusal(image)));
    const endpoints = this.#doors.settings.endpointsOf(registryOf(name));
    return endpoints.length === 0 ? undefined : this.#pull(name, endpoints, options);
  }

  /** The image, where it is here just as its registry has it now: one question, and nothing is fetched. */
  async present(image: string, options: PullOptions): Promise<ImageInfo | undefined> {
    const name = parseImageName(image);
    const endpoints = name && this.#doors.settings.endpointsOf(registryOf(name));
    if (!name || !endpoints || !this.#doors.store.find(image)) return undefined;
    return this.#ask(name, { endpoints, options }, (pull) => this.#present(pull));
  }

  async #pull(
    name: ImageName,
    endpoints: readonly RegistryEndpoint[],
    options: PullOptions,
  ): Promise<ImageInfo> {
    try {
      return await this.#ask(name, { endpoints, options }, (pull) => this.#fetch(pull));
    } catch (error) {
      await this.#doors.store.sweep();
      options.signal.throwIfAborted();
      throw pullErrorOf(error);
    }
  }

  /** Connections for as long as the work goes on. */
  async #ask<T>(
    name: ImageName,
    { endpoints, options }: { endpoints: readonly RegistryEndpoint[]; options: PullOptions },
    work: (pull: Pull) => Promise<T>,
  ): Promise<T> {
    const path = name.repository.slice(registryOf(name).length + 1);
    const connections = endpoints.flatMap((endpoint) =>
      credentialsFor(endpoint, options).map(
        (credential) => new RegistryConnection(endpoint, credential, this.#doors),
      ),
    );
    const { signal } = options;
    const repositories = connections.map((connection) => ({ connection, path, signal }));
    const platform = options.platform ?? hostPlatform();
    try {
      return await work({ ...options, name, platform, repositories });
    } finally {
      for (const connection of connections) connection.close();
    }
  }

  async #fetch(pull: Pull): Promise<ImageInfo> {
    const present = await this.#present(pull);
    if (present) return present;
    const { found, from } = await this.#find(pull);
    const { config, layers } = found.manifest;
    const lease = this.#doors.store.staging.lease([
      ...[config, ...layers].map(({ digest }) => digest),
      found.manifestDigest,
    ]);
    try {
      await this.#refuseTooLarge(found);
      return await this.#take({ ...pull, repositories: from }, found);
    } finally {
      lease.release();
    }
  }

  /** The image, where what the registry has under the name is here already. */
  async #present(pull: Pull): Promise<ImageInfo | undefined> {
    const { store } = this.#doors;
    const { name } = pull;
    const known = pull.verify ? undefined : name.digest;
    const digest = known ?? (await this.#remoteDigest(pull));
    const record = digest && store.records.name(`${name.repository}@${digest}`);
    const image = record && store.records.image(record.id);
    if (!image || !samePlatform(image.config, pull.platform)) return undefined;
    return store.add({
      config: image.config,
      configBytes: store.blobs.read(image.id),
      names: namesOf(name, digest),
      manifest: record.manifest,
    });
  }

  /** Asked of the first that answers; whatever fails is told by the manifest's own way. */
  async #remoteDigest({ name, repositories, signal }: Pull): Promise<string | undefined> {
    const reference = name.digest ?? name.tag ?? '';
    const local = `${name.repository}${name.digest === undefined ? ':' : '@'}${reference}`;
    if (this.#doors.store.find(local) === undefined) return undefined;
    for (const repository of repositories)
      try {
        return await remoteDigest(repository, reference);
      } catch {
        signal.throwIfAborted();
      }
    return undefined;
  }

  /** The manifest from the first that has it, and that one and those after it, for the blobs. */
  async #find(pull: Pull): Promise<{ found: RemoteImage; from: readonly Repository[] }> {
    const failures: Error[] = [];
    for (const [i, repository] of pull.repositories.entries()) {
      try {
        const found = await remoteImage(repository, pull.name, pull.platform);
        return { found, from: pull.repositories.slice(i) };
      } catch (error) {
        pull.signal.throwIfAborted();
        failures.push(error as Error);
      }
    }
    throw joined(failures, pull.name);
  }

  async #refuseTooLarge({ manifest }: RemoteImage): Promise<void> {
    const { store } = this.#doors;
    const missing = manifest.layers.filter(({ digest, size }) => !store.blobs.has(digest, size));
    const needed = missing.reduce((sum, { size }) => sum + size, 0);
    const room = await store.roomBytes();
    // The layers unpacked are larger still; how much is known only then.
    if (needed <= room) return;
    throw new BadImageError(
      `the image has ${needed} bytes to fetch, and the disk has ${room} left for images`,
    );
  }

  async #take(pull: Pull, found: RemoteImage): Promise<ImageInfo> {
    const { store, logger } = this.#doors;
    const { manifest } = found;
    const progress = new ProgressTeller(pull, manifest.layers, this.#doors);
    await this.#blob(pull, manifest.config, () => undefined);
    const configBytes = store.blobs.read(manifest.config.digest);
    const config = parseImageConfig(configBytes.toString(), pull.platform);
    const diffIds = config.rootfs.diff_ids;
    if (diffIds.length !== manifest.layers.length)
      throw new BadImageError(
        `the manifest lists ${manifest.layers.length} layers, the configuration ${diffIds.length}`,
      );
    const lease = store.staging.lease(diffIds);
    try {
      const bounds = { limit: MAX_PARALLEL_LAYERS, signal: pull.signal };
      await inParallel(manifest.layers, bounds, async (layer, i, signal) => {
        await this.#blob({ ...pull, signal }, layer, (count) => progress.bytes(count));
        await this.#layer({ ...pull, signal }, layer, diffIds[i] ?? '');
        progress.layerDone();
      });
      store.blobs.put(found.manifestBytes);
      const names = namesOf(pull.name, found.digest);
      logger.info('image pulled', { name: names[0], digest: found.digest });
      return await store.add({ config, configBytes, names, manifest: found.manifestDigest });
    } finally {
      lease.release();
    }
  }

  #blob(pull: Pull, blob: Descriptor, onBytes: (count: number) => void): Promise<void> {
    const { store } = this.#doors;
    if (store.blobs.has(blob.digest, blob.size)) {
      onBytes(blob.size);
      return Promise.resolve();
    }
    // Who joins another's download sees all of its bytes at the end.
    let mine = false;
    const work = (signal: AbortSignal) => {
      mine = true;
      return this.#download({ ...pull, signal }, blob, onBytes);
    };
    return this.#blobs.join(blob.digest, pull.signal, work).then(() => {
      if (!mine) onBytes(blob.size);
    });
  }

  /** From the first that gives it whole; a mirror that fails is passed by. */
  async #download(pull: Pull, blob: Descriptor, onBytes: (count: number) => void): Promise<void> {
    const { store } = this.#doors;
    const directory = store.staging.directory();
    const file = join(directory, 'blob');
    const failures: Error[] = [];
    try {
      for (const repository of pull.repositories) {
        let came = 0;
        const count = (bytes: number) => {
          came += bytes;
          onBytes(bytes);
        };
        try {
          const asked = { ...repository, signal: pull.signal };
          await downloadBlob(asked, blob, { file, onBytes: count });
          store.blobs.adopt(blob.digest, file);
          return;
        } catch (error) {
          pull.signal.throwIfAborted();
          onBytes(-came);
          failures.push(error as Error);
        }
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
    throw joined(failures, pull.name);
  }

  #layer(pull: Pull, blob: Descriptor, diffId: string): Promise<void> {
    const { store } = this.#doors;
    const source = { file: store.blobs.pathOf(blob.digest), sizeBytes: blob.size, diffId };
    return this.#layers.join(diffId, pull.signal, async (signal) => {
      try {
        await store.addLayer(source, signal);
      } catch (error) {
        if (!(error instanceof BadImageError)) throw error;
        throw new BadImageError(`layer ${blob.digest}: ${error.message}`, { cause: error });
      }
    });
  }
}

/** The host of a name's registry. */
export function registryOf({ repository }: ImageName): string {
  return repository.slice(0, repository.indexOf('/'));
}

/** A pod's credentials are for the registry that it names; without any, nothing is said of who asks. */
function credentialsFor(
  endpoint: RegistryEndpoint,
  { credentials = [] }: PullOptions,
): readonly (RegistryCredential | undefined)[] {
  const own = endpoint.credential ? [endpoint.credential] : [];
  const all = endpoint.namespace === undefined ? [...credentials, ...own] : own;
  return all.length === 0 ? [undefined] : all;
}

/** The name by which it was asked for, and the one with the registry's digest. */
function namesOf({ repository, tag, digest }: ImageName, found: string | undefined): string[] {
  const byDigest = found === undefined ? [] : [`${repository}@${found}`];
  return digest === undefined ? [`${repository}:${tag}`, ...byDigest] : byDigest;
}

function samePlatform(config: ImageConfig, { os, architecture }: Platform): boolean {
  return config.os === os && config.architecture === architecture;
}

/** What is told counts most: that it is not for who asks, or what is wrong with it, rather than that a mirror is away. */
function joined(failures: readonly Error[], { repository, tag, digest }: ImageName): Error {
  const name = digest === undefined ? `${repository}:${tag}` : `${repository}@${digest}`;
  const last = failures.at(-1) ?? new RegistryError('missing', 'there is nowhere to ask');
  const told = failures.find((error) => !(error instanceof RegistryError)) ?? last;
  const messages = [...new Set(failures.map((error) => error.message))];
  const message = `${name}: ${messages.join('; ')}`;
  if (!(told instanceof RegistryError)) return new BadImageError(message, { cause: told });
  return new RegistryError(told.failure, message, { cause: told });
}

function pullErrorOf(error: unknown): Error {
  if (error instanceof PullError) return error;
  const { message } = error as Error;
  const isAway = error instanceof RegistryError && error.failure === 'unavailable';
  return new PullError(isAway ? 'RegistryUnavailable' : 'ErrImagePull', message, error);
}

/** Tells progress now and then, and at the end. */
class ProgressTeller {
  readonly #pull: Pull;
  readonly #clock: RegistryDoors['clock'];
  readonly #total: { layers: number; bytes: number };
  #layers = 0;
  #bytes = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(pull: Pull, layers: readonly Descriptor[], { clock }: RegistryDoors) {
    this.#pull = pull;
    this.#clock = clock;
    this.#total = { layers: layers.length, bytes: layers.reduce((sum, { size }) => sum + size, 0) };
  }

  bytes(count: number): void {
    this.#bytes += count;
    if (this.#clock.monotonic() - this.#toldAt >= PROGRESS_MS) this.#tell();
  }

  layerDone(): void {
    this.#layers++;
    this.#tell();
  }

  #tell(): void {
    this.#toldAt = this.#clock.monotonic();
    const { name, onProgress } = this.#pull;
    onProgress?.({
      image: `${name.repository}${name.digest === undefined ? `:${name.tag}` : `@${name.digest}`}`,
      layersDone: this.#layers,
      layersTotal: this.#total.layers,
      bytesDone: this.#bytes,
      bytesTotal: this.#total.bytes,
    });
  }
}
