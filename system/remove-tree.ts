// Removes a directory that others have filled, outside of the event loop.
// Invariant: works however many files there are, and however deep: a path has at most 4,096 bytes, a tree any number of levels.
import { rm } from 'node:fs/promises';
import type { System } from './system.ts';

/** What a process that removes may take: a container may have left millions of files. */
const REMOVAL_TIMEOUT_MS = 600_000;

/** Removes a file or a directory and all below it; quiet when there is none. Nothing may be mounted below. */
export async function removeTree(system: Pick<System, 'run'>, path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENAMETOOLONG') throw error;
    // It descends by directory rather than by path.
    await system.run('rm', ['-rf', '--', path], { timeoutMs: REMOVAL_TIMEOUT_MS });
  }
}
