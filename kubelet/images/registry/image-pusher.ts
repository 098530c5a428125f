// Sends an image to a registry: the blobs that are not there, then the manifest, byte for byte as it came.
// Invariant: a manifest is sent once all its blobs are there; the registry's digest for it must be ours.
import { createReadStream } from 'node:fs';
import { PullError, type PullProgress, type RegistryCredential } from '../../runtime/runtime.ts';
import { BadImageError } from '../image-config.ts';
import { type ImageName, parseImageName } from '../image-name.ts';
import { type Descriptor, parseManifest } from '../manifest.ts';
import { manifestOf } from '../built-manifest.ts';
import { RegistryConnection } from './connection.ts';
import { inParallel } from './in-parallel.ts';
import { type PullerDoors, registryOf } from './image-puller.ts';
import { RegistryError } from './registry-error.ts';
import { type Repository, scopeOf } from './remote-image.ts';
import { withRetries } from './retries.ts';

/** Blobs of one image that are sent at once. */
const MAX_PARALLEL_BLOBS = 3;

/** How an image is sent. */
export interface PushOptions {
  /** Where to, when not to its own name. */
  readonly target?: string | undefined;
  readonly credential?: RegistryCredential | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
}

/** Pushes a name of the store; answers the digest under which the registry has it. Throws BadImageError, RegistryError, PullError. */
export async function pushImage(
  doors: PullerDoors,
  image: string,
  options: PushOptions,
): Promise<string> {
  const { store } = doors;
  const record = store.find(image);
  if (!record) throw new BadImageError(`there is no image ${image}`);
  const name = parseImageName(options.target ?? image);
  if (name?.tag === undefined)
    throw new PullError('InvalidImageName', 'push wants a name with a tag');
  const endpoint = doors.settings.originOf(registryOf(name));
  if (!endpoint)
    throw new BadImageError(`the settings allow no access to the registry ${registryOf(name)}`);
  const digest = ownManifest(doors, image) ?? (await manifestOf(store, record));
  const credential = options.credential ?? endpoint.credential;
  const connection = new RegistryConnection(endpoint, credential, doors);
  const path = name.repository.slice(registryOf(name).length + 1);
  const repository = { connection, path, signal: options.signal };
  try {
    await sendAll(doors, { repository, name, digest, options });
    await store.records.putName({
      name: `${name.repository}@${digest}`,
      id: record.id,
      manifest: digest,
    });
    return digest;
  } finally {
    connection.close();
  }
}

/** The manifest under which this very name came; another name of the image may have come under another. */
function ownManifest({ store }: PullerDoors, image: string): string | undefined {
  const parsed = parseImageName(image);
  const name = parsed && store.records.name(`${parsed.repository}:${parsed.tag}`);
  const digest = name?.manifest;
  return digest !== undefined && store.blobs.has(digest) ? digest : undefined;
}

interface Push {
  readonly repository: Repository;
  readonly name: ImageName;
  readonly digest: string;
  readonly options: PushOptions;
}

async function sendAll(doors: PullerDoors, push: Push): Promise<void> {
  const { store } = doors;
  const { repository, name, digest, options } = push;
  const bytes = store.blobs.read(digest);
  const manifest = parseManifest(bytes);
  if (manifest.kind === 'index') throw new BadImageError(`${digest} is an index, not an image`);
  const blobs = [...manifest.layers, manifest.config];
  const total = blobs.reduce((sum, { size }) => sum + size, 0);
  const done = { blobs: 0, bytes: 0 };
  const bounds = { limit: MAX_PARALLEL_BLOBS, signal: options.signal };
  await inParallel(blobs, bounds, async (blob, _, signal) => {
    await sendBlob(doors, { ...repository, signal }, blob);
    done.blobs++;
    done.bytes += blob.size;
    const layers = { layersDone: done.blobs, layersTotal: blobs.length };
    const image = `${name.repository}:${name.tag}`;
    options.onProgress?.({ image, ...layers, bytesDone: done.bytes, bytesTotal: total });
  });
  await sendManifest(repository, name, { bytes, digest, mediaType: manifest.mediaType });
}

async function sendBlob(
  doors: PullerDoors,
  repository: Repository,
  blob: Descriptor,
): Promise<void> {
  const { connection, path, signal } = repository;
  const scope = scopeOf(path, 'pull,push');
  const { store } = doors;
  if (!store.blobs.has(blob.digest, blob.size))
    throw new BadImageError(
      `the blob ${blob.digest} is not kept on this node; pull the image again`,
    );
  const there = await connection.ask(
    { method: 'HEAD', path: `${path}/blobs/${blob.digest}`, scope, signal },
    [200, 404],
  );
  there.body.resume();
  if (there.status === 200) return;
  // An upload that failed is begun anew: what a registry has of the old one it forgets by itself.
  await withRetries(doors, signal, async () => {
    const begun = await connection.ask(
      {
        method: 'POST',
        path: `${path}/blobs/uploads/`,
        scope,
        signal,
        headers: { 'content-length': '0' },
      },
      [202],
    );
    begun.body.resume();
    const location = URL.parse(begun.header('location') ?? '', begun.url.href);
    if (!location)
      throw new RegistryError('refused', `${connection.host}: it names no place to upload to`);
    location.searchParams.set('digest', blob.digest);
    const file = store.blobs.pathOf(blob.digest);
    const reply = await connection.send({
      method: 'PUT',
      path: location,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) },
      body: () => createReadStream(file),
      scope,
      signal,
    });
    if (reply.status !== 201) throw await connection.failureOf(reply);
    reply.body.resume();
  });
}

async function sendManifest(
  { connection, path, signal }: Repository,
  { tag }: ImageName,
  manifest: { bytes: Buffer; digest: string; mediaType: string },
): Promise<void> {
  const { bytes, mediaType } = manifest;
  const headers = { 'content-type': mediaType, 'content-length': String(bytes.length) };
  const scope = scopeOf(path, 'pull,push');
  const request = {
    method: 'PUT',
    path: `${path}/manifests/${tag}`,
    headers,
    body: bytes,
  } as const;
  const reply = await connection.ask({ ...request, scope, signal }, [201]);
  reply.body.resume();
  const digest = reply.header('docker-content-digest');
  if (digest !== undefined && digest !== manifest.digest)
    throw new RegistryError(
      'refused',
      `${connection.host}: it has the manifest as ${digest}, not as ${manifest.digest}`,
    );
}
