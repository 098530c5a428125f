// The manifest of an image that was built on this node, made when somebody wants to push or save it: its layers are written as plain tars.
// Invariant: a layer's tar has the layer's own digest, since it is the one that the build hashed (build.ts): owner root, time zero,
// names in order. A layer that comes out otherwise is refused.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BadImageError } from './image-config.ts';
import type { ImageRecord } from './image-records.ts';
import type { OciImageStore } from './image-store.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from './manifest.ts';
import { TAR_END, tarHeader, tarPadding } from './tar-header.ts';

const READ_BYTES = 256 * 1024;

/** The digest of the image's manifest: the one that it came with, or one that is made now and kept. Throws BadImageError. */
export async function manifestOf(store: OciImageStore, image: ImageRecord): Promise<string> {
  if (image.manifest !== undefined && store.blobs.has(image.manifest)) return image.manifest;
  const lease = store.staging.lease([image.id, ...image.config.rootfs.diff_ids]);
  try {
    const layers = [];
    for (const digest of image.config.rootfs.diff_ids)
      layers.push({ mediaType: OCI_LAYER, digest, size: await layerBlob(store, digest) });
    const size = store.blobs.read(image.id).length;
    const config = { mediaType: OCI_CONFIG, digest: image.id, size };
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers };
    const digest = store.blobs.put(Buffer.from(JSON.stringify(manifest)));
    await store.records.putImage({ ...image, manifest: digest });
    return digest;
  } finally {
    lease.release();
  }
}

/** Sees to it that the layer's tar is a blob; answers its size. */
async function layerBlob(store: OciImageStore, diffId: string): Promise<number> {
  const path = store.blobs.pathOf(diffId);
  if (!store.blobs.has(diffId)) {
    const staging = store.staging.directory();
    try {
      const file = join(staging, 'layer.tar');
      const digest = await writeTar(store.layers.pathOf(diffId), file);
      if (digest !== diffId)
        throw new BadImageError(
          `the layer ${diffId} is not kept as it came, and was not built here; load or pull its image again`,
        );
      store.blobs.adopt(diffId, file);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }
  return (await lstat(path)).size;
}

/** Writes the tar that stands for a built layer; answers its digest. */
async function writeTar(directory: string, file: string): Promise<string> {
  const hash = createHash('sha256');
  const output = await open(file, 'w', 0o600);
  const write = async (bytes: Buffer) => {
    hash.update(bytes);
    await output.write(bytes);
  };
  try {
    // As the build orders them: by the whole path, not directory by directory.
    for (const path of (await pathsBelow(directory, '')).sort((a, b) => (a < b ? -1 : 1)))
      await writeMember({ directory, path, write });
    await write(TAR_END);
  } finally {
    await closed(output);
  }
  return `sha256:${hash.digest('hex')}`;
}

const closed = (output: FileHandle): Promise<void> => output.close();

async function pathsBelow(directory: string, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(directory, prefix), { withFileTypes: true })) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    found.push(path);
    if (entry.isDirectory()) found.push(...(await pathsBelow(directory, path)));
  }
  return found;
}

async function writeMember({
  directory,
  path,
  write,
}: {
  directory: string;
  path: string;
  write: (bytes: Buffer) => Promise<void>;
}): Promise<void> {
  const source = join(directory, path);
  const stat = await lstat(source);
  if (stat.isSymbolicLink()) {
    const target = await readlink(source);
    await write(tarHeader({ path, kind: 'link', mode: 0o777, sizeBytes: 0, target }));
    return;
  }
  const kind = stat.isDirectory() ? 'directory' : 'file';
  if (kind === 'file' && !stat.isFile())
    throw new BadImageError(`the layer's ${path} is of a kind that no build makes`);
  const sizeBytes = kind === 'file' ? stat.size : 0;
  await write(tarHeader({ path, kind, mode: stat.mode & 0o7777, sizeBytes }));
  if (sizeBytes === 0) return;
  for await (const chunk of createReadStream(source, { highWaterMark: READ_BYTES }))
    await write(chunk as Buffer);
  await write(tarPadding(sizeBytes));
}
