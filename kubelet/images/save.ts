// Writes images into an archive: an OCI layout as a tar, which `image load`, containerd, podman and docker (25 and newer) read.
// Invariant: manifests, configurations and layers are in it byte for byte as they came, each blob once, so that a loaded image is the same.
import { createReadStream, lstatSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { once } from 'node:events';
import { manifestOf } from './built-manifest.ts';
import { BadImageError } from './image-config.ts';
import { parseImageName } from './image-name.ts';
import type { OciImageStore } from './image-store.ts';
import { type ImageManifest, parseManifest } from './manifest.ts';
import { TAR_END, tarHeader, tarPadding } from './tar-header.ts';

/** Largest file that a plain tar header can tell the size of. */
const MAX_MEMBER_BYTES = 8 * 1024 ** 3 - 1;
const READ_BYTES = 256 * 1024;

interface Saved {
  readonly digest: string;
  readonly bytes: Buffer;
  readonly manifest: ImageManifest;
  readonly names: readonly string[];
}

/** Writes these images, by name or id, and ends the output. Throws BadImageError where one is not there. */
export async function saveImages(
  store: OciImageStore,
  images: readonly string[],
  output: Writable,
): Promise<void> {
  const saved: Saved[] = [];
  for (const image of images) saved.push(await savedOf(store, image));
  const write = async (bytes: Buffer) => {
    if (!output.write(bytes)) await once(output, 'drain');
  };
  const small = async (path: string, bytes: Buffer) => {
    const head = tarHeader({ path, kind: 'file', mode: 0o644, sizeBytes: bytes.length });
    await write(Buffer.concat([head, bytes, tarPadding(bytes.length)]));
  };
  await small('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  await small('index.json', Buffer.from(JSON.stringify(indexOf(saved))));
  for (const digest of blobsOf(saved)) {
    const file = store.blobs.pathOf(digest);
    const sizeBytes = lstatSync(file).size;
    if (sizeBytes > MAX_MEMBER_BYTES)
      throw new BadImageError(`the blob ${digest} is too large for an archive`);
    const path = `blobs/sha256/${digest.slice('sha256:'.length)}`;
    await write(tarHeader({ path, kind: 'file', mode: 0o644, sizeBytes }));
    for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES }))
      await write(chunk as Buffer);
    await write(tarPadding(sizeBytes));
  }
  await write(TAR_END);
  output.end();
}

async function savedOf(store: OciImageStore, image: string): Promise<Saved> {
  const record = store.find(image);
  if (!record) throw new BadImageError(`there is no image ${image}`);
  const parsed = parseImageName(image);
  const name = parsed?.tag === undefined ? undefined : `${parsed.repository}:${parsed.tag}`;
  const known = name === undefined ? undefined : store.records.name(name);
  const digest = known?.manifest ?? (await manifestOf(store, record));
  const bytes = store.blobs.read(digest);
  const manifest = parseManifest(bytes);
  if (manifest.kind === 'index') throw new BadImageError(`${digest} is an index, not an image`);
  return { digest, bytes, manifest, names: known ? [known.name] : [] };
}

function indexOf(saved: readonly Saved[]): object {
  const manifests = saved.flatMap(({ digest, bytes, manifest, names }) => {
    const descriptor = { mediaType: manifest.mediaType, digest, size: bytes.length };
    if (names.length === 0) return [descriptor];
    return names.map((name) => ({
      ...descriptor,
      annotations: {
        'io.containerd.image.name': name,
        'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
      },
    }));
  });
  return { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests };
}

function blobsOf(saved: readonly Saved[]): ReadonlySet<string> {
  return new Set(
    saved.flatMap(({ digest, manifest }) => [
      digest,
      ...[manifest.config, ...manifest.layers].map((blob) => blob.digest),
    ]),
  );
}
