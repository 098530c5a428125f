// `pinnace image` for what lies in a cluster's image store: load, ls, rm, inspect, history, prune, and the shop's own images.
// Invariant: prints what scripts can read: one line for each thing done, JSON where that is asked for.
import { buildShopImages } from '../../examples/shop/images.ts';
import type { ImageInfo } from '../../kubelet/runtime/runtime.ts';
import { parseManifest } from '../../kubelet/images/manifest.ts';
import { asRecord, parseRecord } from '../../kubelet/images/image-config.ts';
import type { ImageRecord } from '../../kubelet/images/image-records.ts';
import type { RegistryImageStore } from '../../kubelet/images/registry/registry-image-store.ts';
import { imagesInUse } from '../../kubelet/runtime/oci/images-in-use.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { inColumns } from '../printers/columns.ts';
import { dataPaths, prepareDataDirectory, UsageError } from './data-directory.ts';
import { type ImageFlags, storeOf, storeThere } from './image-store.ts';

/** `128.5 MB`. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Loads archives. */
export async function loadImages(
  files: readonly string[],
  flags: ImageFlags & { readonly name?: string },
): Promise<void> {
  const { store } = storeOf(flags);
  // Folders that a layer leaves out are made with the usual mode: whoever loads it may keep its own files to itself.
  process.umask(0o022);
  for (const file of files) {
    const images = await store
      .load(file, flags.name === undefined ? {} : { name: flags.name })
      .catch((error: unknown) => {
        throw new UsageError(`${file}: ${(error as Error).message}`);
      });
    for (const image of images)
      process.stdout.write(`loaded ${image.names.join(', ') || image.id}\n`);
  }
}

/** Lists what is there. */
export async function listImages(flags: ImageFlags & { readonly output?: string }): Promise<void> {
  const images = await storeThere(flags).store.list();
  if (flags.output === 'json') {
    process.stdout.write(`${JSON.stringify(images, null, 2)}\n`);
    return;
  }
  const rows = images.map((image) => [
    image.names.join(', ') || image.repoDigests[0] || '<none>',
    image.id.slice(0, 19),
    megabytes(image.sizeBytes),
  ]);
  process.stdout.write(inColumns([['NAME', 'ID', 'SIZE'], ...rows], 3));
}

/** Removes a name, or an image by id. */
export async function removeImages(images: readonly string[], flags: ImageFlags): Promise<void> {
  const { store } = storeThere(flags);
  for (const image of images) {
    if (!(await store.remove(image))) throw new UsageError(`there is no image ${image}`);
    process.stdout.write(`removed ${image}\n`);
  }
  await store.prune();
}

/** Tells all that is known of images, as JSON. */
export async function inspectImages(images: readonly string[], flags: ImageFlags): Promise<void> {
  const { store } = storeThere(flags);
  const told = [];
  for (const image of images) {
    const { info, record } = await imageOf(store, image);
    const manifest = record.manifest === undefined ? undefined : store.blobs.read(record.manifest);
    told.push({
      ...info,
      manifestDigest: record.manifest,
      manifest: manifest && parseManifest(manifest),
      config: configurationOf(store, record),
    });
  }
  process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
}

/** Tells the steps by which an image was made, newest first. */
export async function imageHistory(image: string, flags: ImageFlags): Promise<void> {
  const { store } = storeThere(flags);
  const { record } = await imageOf(store, image);
  const steps = configurationOf(store, record)['history'];
  const layers = [...record.config.rootfs.diff_ids];
  const rows = (Array.isArray(steps) ? steps : layers.map(() => ({}))).map((raw: unknown) => {
    const { created, created_by: by, empty_layer: empty, comment } = asRecord(raw) ?? {};
    const diffId = empty === true ? undefined : layers.shift();
    const size = diffId === undefined ? 0 : (store.layers.find(diffId)?.sizeBytes ?? 0);
    return [
      diffId?.slice(0, 19) ?? '<none>',
      printable(created),
      megabytes(size),
      printable(by) || printable(comment),
    ];
  });
  const table = [['LAYER', 'CREATED', 'SIZE', 'CREATED BY'], ...rows.toReversed()];
  process.stdout.write(inColumns(table, 3));
}

/** What an image says of itself goes to a terminal: one line, no control characters. */
function printable(value: unknown): string {
  return typeof value === 'string'
    ? value
        .replaceAll(/[\p{C}\s]+/gu, ' ')
        .trim()
        .slice(0, 120)
    : '';
}

/** Removes images without names and what nothing uses; with `all` every image that no container is made from. */
export async function pruneImages(flags: ImageFlags & { readonly all?: boolean }): Promise<void> {
  const { store } = storeThere(flags);
  const before = (await store.usage()).usedBytes;
  if (flags.all) {
    const used = imagesInUse(dataPaths(flags.dataDir).runtime);
    for (const { id } of await store.list()) if (!used.has(id)) await store.remove(id);
  }
  await store.prune();
  const freed = Math.max(0, before - (await store.usage()).usedBytes);
  process.stdout.write(`freed ${megabytes(freed)}\n`);
}

/** Builds the shop's images. */
export async function buildShop(flags: ImageFlags): Promise<void> {
  const paths = dataPaths(flags.dataDir);
  prepareDataDirectory(paths);
  const names = await buildShopImages({ system: createLinuxSystem(), imagesDir: paths.images });
  for (const name of names) process.stdout.write(`built ${name}\n`);
}

async function imageOf(
  store: RegistryImageStore,
  image: string,
): Promise<{ info: ImageInfo; record: ImageRecord }> {
  const record = store.find(image);
  const info = await store.resolve(image);
  if (!record || !info) throw new UsageError(`there is no image ${image}`);
  return { info, record };
}

function configurationOf(
  store: RegistryImageStore,
  { id }: ImageRecord,
): Readonly<Record<string, unknown>> {
  return parseRecord(store.blobs.read(id).toString(), 'image configuration');
}
