// `pinnace image`: what lies in a cluster's image store, and how it gets there without a registry.
// Invariant: works on the store's folder, so it needs no running cluster; a running node sees new images at once.
import { existsSync } from 'node:fs';
import { createLogger } from '../../base/logger.ts';
import { createImageStore, type OciImageStore } from '../../kubelet/images/image-store.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { buildShopImages } from '../../examples/shop/images.ts';
import { inColumns } from '../printers/columns.ts';
import { dataPaths, prepareDataDirectory, UsageError } from './data-directory.ts';

interface ImageFlags {
  readonly dataDir: string;
  readonly name?: string;
}

/** The store of a data directory that is there: only what puts images into it makes one. */
function storeThere(flags: ImageFlags): OciImageStore {
  const { root } = dataPaths(flags.dataDir);
  if (!existsSync(root))
    throw new UsageError(
      `there is no data directory ${root}; name another with --data-dir, or make it with "npx pinnace up"`,
    );
  return storeOf(flags);
}

function storeOf(flags: ImageFlags): OciImageStore {
  const paths = dataPaths(flags.dataDir);
  prepareDataDirectory(paths);
  return createImageStore({
    system: createLinuxSystem(),
    dir: paths.images,
    logger: createLogger('warn'),
  });
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Loads archives. */
export async function loadImages(files: readonly string[], flags: ImageFlags): Promise<void> {
  const store = storeOf(flags);
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
export async function listImages(flags: ImageFlags): Promise<void> {
  const rows = (await storeThere(flags).list()).map((image) => [
    image.names.join(', ') || '<none>',
    image.id.slice(0, 19),
    megabytes(image.sizeBytes),
  ]);
  process.stdout.write(inColumns([['NAME', 'ID', 'SIZE'], ...rows], 3));
}

/** Removes a name, or an image by id. */
export async function removeImages(images: readonly string[], flags: ImageFlags): Promise<void> {
  const store = storeThere(flags);
  for (const image of images) {
    if (!(await store.remove(image))) throw new UsageError(`there is no image ${image}`);
    process.stdout.write(`removed ${image}\n`);
  }
  await store.prune();
}

/** Builds the shop's images. */
export async function buildShop(flags: ImageFlags): Promise<void> {
  const paths = dataPaths(flags.dataDir);
  prepareDataDirectory(paths);
  const names = await buildShopImages({ system: createLinuxSystem(), imagesDir: paths.images });
  for (const name of names) process.stdout.write(`built ${name}\n`);
}
