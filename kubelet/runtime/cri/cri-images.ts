// ImageStore over CRI: the images are the runtime's, and so is the way to registries.
// Invariants: a pull ends with its signal; what was said to be the configuration of an image is remembered only while it is there; no
// secret is in a message.
import { statfs } from 'node:fs/promises';
import { isDigest } from '../../images/image-config.ts';
import { parseImageName } from '../../images/image-name.ts';
import {
  type ImageInfo,
  type ImageStore,
  type ImageUsage,
  PullError,
  type PullReason,
  type PullRequest,
  type RegistryCredential,
} from '../runtime.ts';
import { messageOf, unlessGone } from './failures.ts';
import { GrpcError, type GrpcConnection } from './grpc.ts';
import type { ImageMessage } from './messages.ts';
import { IMAGES } from './services.ts';

/** How long one try to pull may take: registries and lines are slow, and the pod's leaving ends it anyway. */
const PULL_TIMEOUT_MS = 60 * 60 * 1000;
/** Reasons that runtimes put before their message, as CRI's errors have it; any other failure is ErrImagePull. */
const REASONS: readonly PullReason[] = ['RegistryUnavailable', 'SignatureValidationFailed'];

/** The images of the runtime behind a connection. */
export function createCriImages(connection: () => GrpcConnection): ImageStore {
  return new CriImages(connection);
}

class CriImages implements ImageStore {
  readonly #connection: () => GrpcConnection;
  /** Configurations by image id, which names their contents: asked for once. */
  readonly #configs = new Map<string, ImageProcess>();
  #listed: readonly ImageInfo[] = [];

  constructor(connection: () => GrpcConnection) {
    this.#connection = connection;
  }

  async resolve(image: string): Promise<ImageInfo | undefined> {
    if (!isDigest(image) && !parseImageName(image)) return undefined;
    const brief = await this.#status(image, false);
    if (!brief.image) return undefined;
    const id = brief.image.id ?? '';
    const known = this.#configs.get(id);
    if (known) return infoOf(brief.image, known);
    const full = await this.#status(image, true);
    if (!full.image) return undefined;
    const config = processOf(full.info);
    this.#configs.set(id, config);
    return infoOf(full.image, config);
  }

  /** A runtime that does not answer has the images that it had: a node must be able to say that it is down. */
  async list(): Promise<readonly ImageInfo[]> {
    try {
      this.#listed = await this.#list();
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
    }
    return this.#listed;
  }

  async #list(): Promise<readonly ImageInfo[]> {
    const { images } = await this.#connection().call(IMAGES.list, {});
    const ids = new Set(images.map(({ id }) => id));
    for (const id of this.#configs.keys()) if (!ids.has(id)) this.#configs.delete(id);
    return images.map((image) => infoOf(image, this.#configs.get(image.id ?? '') ?? {}));
  }

  async pull(image: string, request: PullRequest): Promise<ImageInfo> {
    const { credentials = [], signal } = request;
    let failure: unknown;
    // As upstream: what the pod brings is tried in turn; what the runtime knows itself, only where it brings nothing.
    for (const auth of credentials.length > 0 ? credentials : [undefined])
      try {
        return await this.#pullOnce(image, auth, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        failure = error;
      }
    throw pullError(failure);
  }

  async #pullOnce(
    image: string,
    auth: RegistryCredential | undefined,
    signal: AbortSignal,
  ): Promise<ImageInfo> {
    const request = { image: { image }, ...(auth && { auth }) };
    const limits = { signal, timeoutMs: PULL_TIMEOUT_MS };
    const { imageRef } = await this.#connection().call(IMAGES.pull, request, limits);
    const pulled = await this.resolve(imageRef);
    if (!pulled) throw new Error(`image "${image}" was pulled, and is gone already`);
    return pulled;
  }

  async remove(imageId: string): Promise<boolean> {
    const { image } = await this.#status(imageId, false);
    if (!image) return false;
    await unlessGone(() => this.#connection().call(IMAGES.remove, { image: { image: imageId } }));
    this.#configs.delete(imageId);
    return true;
  }

  async usage(): Promise<ImageUsage> {
    const { imageFilesystems } = await this.#connection().call(IMAGES.fsInfo, {});
    const sum = (field: 'usedBytes' | 'inodesUsed') =>
      imageFilesystems.reduce((total, each) => total + (each[field]?.value ?? 0), 0);
    const disk = await statfs(imageFilesystems[0]?.id?.mountpoint || '/');
    return {
      usedBytes: sum('usedBytes'),
      inodesUsed: sum('inodesUsed'),
      capacityBytes: disk.blocks * disk.bsize,
      availableBytes: disk.bavail * disk.bsize,
      inodes: disk.files,
      inodesFree: disk.ffree,
    };
  }

  #status(image: string, verbose: boolean) {
    return this.#connection().call(IMAGES.status, { image: { image }, verbose });
  }
}

/** The part of an image's configuration that says what runs, as the OCI image specification writes it. */
interface ImageProcess {
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Env?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
}

/** Containerd and CRI-O tell the configuration when asked for all; from others it is not known. */
function processOf(info: Readonly<Record<string, string>>): ImageProcess {
  try {
    const { imageSpec } = JSON.parse(info['info'] ?? '{}') as {
      imageSpec?: { config?: ImageProcess };
    };
    return imageSpec?.config ?? {};
  } catch {
    return {};
  }
}

function infoOf(image: ImageMessage, config: ImageProcess): ImageInfo {
  return {
    id: image.id ?? '',
    names: image.repoTags ?? [],
    repoDigests: image.repoDigests ?? [],
    sizeBytes: image.size ?? 0,
    entrypoint: config.Entrypoint ?? [],
    cmd: config.Cmd ?? [],
    env: config.Env ?? [],
    workingDir: config.WorkingDir ?? '',
    user: image.username || (image.uid ? String(image.uid.value ?? 0) : ''),
    stopSignal: config.StopSignal,
    pinned: image.pinned || (image.repoTags ?? []).some((name) => SANDBOX_IMAGE.test(name)),
  };
}

/** What sandboxes are made from: containerd says so of itself from 1.7 on only. */
const SANDBOX_IMAGE = /\/pause:[^/]+$/;

function pullError(error: unknown): PullError {
  const message = messageOf(error);
  const reason = REASONS.find((each) => message.includes(each)) ?? 'ErrImagePull';
  return new PullError(reason, message, error);
}
