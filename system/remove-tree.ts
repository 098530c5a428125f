// Removes a directory that others have filled, outside of the event loop.
// Invariant: works however many files there are, and however deep: a path has at most 4,096 bytes, a tree any number of levels; this
// process lists no more of them than a named number.
import { opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { System } from './system.ts';

/** What a process that removes may take: a container may have left millions of files. */
const REMOVAL_TIMEOUT_MS = 600_000;
/** Files and directories that are removed without a process for it; 200,000 took seconds of this one, and half a gigabyte. */
const MAX_REMOVED_HERE = 1_000;

/** Removes a file or a directory and all below it; quiet when there is none. Nothing may be mounted below. */
export async function removeTree(system: Pick<System, 'run'>, path: string): Promise<void> {
  if (await isSmall(path)) await rm(path, { recursive: true, force: true });
  // It descends by directory rather than by path.
  else await system.run('rm', ['-rf', '--', path], { timeoutMs: REMOVAL_TIMEOUT_MS });
}

/** Is it few enough to be removed here? What cannot be listed by its path is not. */
async function isSmall(path: string): Promise<boolean> {
  const folders = [path];
  let count = 0;
  try {
    for (const folder of folders)
      for await (const entry of await opendir(folder)) {
        if (++count > MAX_REMOVED_HERE) return false;
        if (entry.isDirectory()) folders.push(join(folder, entry.name));
      }
    return true;
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}
