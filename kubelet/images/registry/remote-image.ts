// What a registry has under a name: which manifest that is, and its bytes, each checked against its digest.
// Invariant: no byte is believed that does not have the digest by which it was asked for; sizes stay within the limits.
import { BadImageError, isDigest } from '../image-config.ts';
import type { ImageName } from '../image-name.ts';
import { digestOf } from '../blob-store.ts';
import { MAX_MANIFEST_BYTES } from '../limits.ts';
import {
  type Descriptor,
  type ImageManifest,
  MANIFEST_TYPES,
  manifestFor,
  parseManifest,
} from '../manifest.ts';
import type { Platform } from '../platform.ts';
import type { RegistryConnection } from './connection.ts';
import { readBody } from './exchange.ts';
import { RegistryError } from './registry-error.ts';

const ACCEPT = { accept: MANIFEST_TYPES.join(', ') };

/** A repository of a registry, as one user. */
export interface Repository {
  readonly connection: RegistryConnection;
  /** Without the registry: `library/busybox`. */
  readonly path: string;
  readonly signal?: AbortSignal | undefined;
}

/** What a name stands for. */
export interface RemoteImage {
  /** Digest under which the registry has the name: of an index or of a manifest. */
  readonly digest: string;
  readonly manifestDigest: string;
  readonly manifestBytes: Uint8Array;
  readonly manifest: ImageManifest;
}

/** What token servers are asked for. */
export function scopeOf(path: string, actions: 'pull' | 'pull,push'): string {
  return `repository:${path}:${actions}`;
}

/** The digest of a tag as the registry tells it without the manifest; undefined where it does not tell. */
export async function remoteDigest(
  { connection, path, signal }: Repository,
  reference: string,
): Promise<string | undefined> {
  const request = {
    method: 'HEAD',
    path: `${path}/manifests/${reference}`,
    headers: ACCEPT,
  } as const;
  const scope = scopeOf(path, 'pull');
  const reply = await connection.ask({ ...request, scope, signal }, [200, 405]);
  reply.body.resume();
  const digest = reply.header('docker-content-digest');
  return reply.status === 200 && isDigest(digest) ? digest : undefined;
}

/** The image for a platform. Throws BadImageError or RegistryError. */
export async function remoteImage(
  repository: Repository,
  name: Pick<ImageName, 'tag' | 'digest'>,
  platform: Platform,
): Promise<RemoteImage> {
  const top = await fetchManifest(repository, name.digest ?? name.tag ?? '', name.digest);
  const parsed = parseManifest(top.bytes, top.contentType);
  if (parsed.kind === 'manifest') return imageOf(top, top.digest, parsed);
  const chosen: Descriptor = manifestFor(parsed, platform);
  const inner = await fetchManifest(repository, chosen.digest, chosen.digest);
  if (inner.bytes.length !== chosen.size)
    throw new BadImageError(
      `the manifest ${chosen.digest} is not of the size that its index tells`,
    );
  const manifest = parseManifest(inner.bytes, inner.contentType);
  if (manifest.kind === 'index') throw new BadImageError('the image index lists another index');
  return imageOf(inner, top.digest, manifest);
}

function imageOf(
  fetched: { bytes: Uint8Array; digest: string },
  digest: string,
  manifest: ImageManifest,
): RemoteImage {
  return { digest, manifest, manifestDigest: fetched.digest, manifestBytes: fetched.bytes };
}

async function fetchManifest(
  { connection, path, signal }: Repository,
  reference: string,
  expected: string | undefined,
): Promise<{ bytes: Buffer; digest: string; contentType: string | undefined }> {
  const request = {
    method: 'GET',
    path: `${path}/manifests/${reference}`,
    headers: ACCEPT,
  } as const;
  const reply = await connection.ask({ ...request, scope: scopeOf(path, 'pull'), signal }, [200]);
  const { clock, patience } = connection.doors;
  const limits = { clock, stallMs: patience.stallMs, maxBytes: MAX_MANIFEST_BYTES };
  const bytes = await readBody(reply, { ...limits, what: 'the manifest' });
  const digest = digestOf(bytes);
  const told = expected ?? reply.header('docker-content-digest');
  if (told !== undefined && told !== digest)
    throw new RegistryError(
      'refused',
      `${connection.host}: the manifest does not have the digest ${told}`,
    );
  return { bytes, digest, contentType: reply.header('content-type') };
}
