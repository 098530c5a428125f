// What of an image must be on the disk, and what is trusted when the host comes back after a loss of power.
// Invariant: whatever a record names was on the disk before the record was, so that after a boot records and what they name are whole, and
// everything else may be half there: it goes.
import { rmdirSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '../../base/logger.ts';
import { CommandError, type System } from '../../system/system.ts';
import { type BlobStore, writeWhole } from './blob-store.ts';
import { BadImageError } from './image-config.ts';
import type { ImageRecords } from './image-records.ts';
import type { LayerStore } from './layer-store.ts';
import type { Staging } from './staging.ts';

/** Longest that a disk may take to write what images have brought; a pull fails then, and is tried again. */
export const SYNC_TIMEOUT_MS = 300_000;
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Resolves once all that was written to the file system of `dir` is on its disk. Throws BadImageError when the disk does not take it. */
export async function flushed(system: System, dir: string): Promise<void> {
  try {
    await system.run('sync', ['--file-system', dir], { timeoutMs: SYNC_TIMEOUT_MS });
  } catch (error) {
    const why = error instanceof CommandError ? error.stderr.trim() || error.message : error;
    throw new BadImageError(`the disk does not take the image: ${String(why)}`, { cause: error });
  }
}

/** Writes of this process so far: each has a temporary file of its own, as several may replace one file at once. */
let writes = 0;

/** Replaces a file: readers see the old one or the new one, never a part, after a loss of power too. */
export async function writeDurably(path: string, content: string): Promise<void> {
  const temporary = `${path}.${process.pid}.${writes++}.new`;
  await synced(temporary, 'w', (file) => file.writeFile(content));
  await rename(temporary, path);
  await synced(dirname(path), 'r', () => Promise.resolve());
}

/** Opens a file or directory, works on it, and has what became of it on the disk. */
async function synced(
  path: string,
  flags: 'r' | 'w',
  work: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await work(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A store's parts. */
export interface StoreParts {
  readonly system: System;
  readonly logger: Logger;
  readonly dir: string;
  readonly records: ImageRecords;
  readonly layers: LayerStore;
  readonly blobs: BlobStore;
  readonly staging: Staging;
}

/** Once after each boot of the host: puts away what may be half there. `kept` names what records and live processes need. */
export function checkAfterBoot(parts: StoreParts, kept: () => ReadonlySet<string>): void {
  const { system, logger, dir, records, layers, blobs, staging } = parts;
  const mark = join(dir, 'boot');
  const boot = system.read(BOOT_ID)?.trim() ?? '';
  if (system.read(mark)?.trim() === boot) return;
  const torn = records.dropTorn(({ config }) =>
    config.rootfs.diff_ids.every((diffId) => layers.find(diffId)),
  );
  const needed = kept();
  const mounts = system.mounts().filter(({ type }) => type === 'overlay');
  const trash = staging.trash();
  const away = [
    ...layers.putAway(
      needed,
      mounts.map(({ options }) => options),
      trash,
    ),
    ...blobs.putAway(needed, trash),
  ];
  if (away.length === 0) rmdirSync(trash);
  if (torn.length + away.length > 0)
    logger.warn('images were not written whole before the host went down; they are brought anew', {
      records: torn,
      files: away,
    });
  writeWhole(mark, boot);
}
