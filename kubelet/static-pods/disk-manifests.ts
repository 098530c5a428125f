// Manifests of static pods as files of a directory, watched by the kernel.
// Invariant: a directory that is not there yet is waited for where its parents are; nobody polls, but where the kernel gives no watch.
import { existsSync, type FSWatcher, statSync, unwatchFile, watch, watchFile } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type ManifestFiles,
  type ManifestText,
  MAX_MANIFEST_BYTES,
  MAX_MANIFESTS,
} from './manifest-files.ts';

/** The files of this host. */
export const diskManifests: ManifestFiles = {
  async read(directory) {
    const names = await namesIn(directory);
    const texts = names
      .filter((name) => !name.startsWith('.'))
      .toSorted()
      .slice(0, MAX_MANIFESTS)
      .map(async (name) => [name, await textOf(join(directory, name))] as const);
    const known = await Promise.all(texts);
    return new Map(known.flatMap(([name, text]) => (text ? [[name, text]] : [])));
  },

  watch(directory, onChange, signal) {
    let watcher: Pick<FSWatcher, 'close'> | undefined;
    const arm = () => {
      watcher?.close();
      if (signal.aborted) return;
      const there = nearest(directory);
      const known = identityOf(there);
      watcher = watched(there, () => {
        // The directory has come, gone, or been put in another's place: it, or the one that is left, is watched from now on.
        if (there !== nearest(directory) || known !== identityOf(there)) arm();
        onChange();
      });
    };
    signal.addEventListener('abort', () => watcher?.close(), { once: true });
    arm();
  },
};

/** Where the kernel gives no watch (its limit of them is reached), it is looked at as often as upstream looks. */
const LOOK_MS = 20_000;

function watched(path: string, look: () => void): Pick<FSWatcher, 'close'> {
  try {
    const watcher = watch(path, { persistent: false }, look);
    // One that has gone says so by an error at most.
    return watcher.on('error', look);
  } catch {
    watchFile(path, { persistent: false, interval: LOOK_MS }, look);
    return { close: () => unwatchFile(path, look) };
  }
}

/** What tells a directory from another one of its name; undefined where there is none. */
function identityOf(path: string): string | undefined {
  const facts = statSync(path, { throwIfNoEntry: false });
  return facts && `${facts.dev} ${facts.ino}`;
}

/** The directory, or the first of its parents that is there. */
function nearest(directory: string): string {
  const parent = dirname(directory);
  return existsSync(directory) || parent === directory ? directory : nearest(parent);
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch {
    return [];
  }
}

/** Undefined for what is no file, or has gone. */
async function textOf(path: string): Promise<ManifestText | undefined> {
  try {
    const facts = await stat(path);
    if (!facts.isFile()) return undefined;
    if (facts.size > MAX_MANIFEST_BYTES)
      return { problem: `it has ${facts.size} bytes, and ${MAX_MANIFEST_BYTES} are read at most` };
    return { text: await readFile(path, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return { problem: (error as Error).message };
  }
}
