// Containers' logs as files: one folder for each pod, one for each container, one file for each attempt, and those put aside.
// Invariant: the newest lines are always in the file that has the plain name; the last file put aside stays plain, for readers that are
// still at it, and older ones are packed. No line is lost but with the oldest file.
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Pod } from '../../api/generated/types.ts';
import { fileLines } from './log-file.ts';
import { type LinesAsked, LogNotFound, type PodLogs, type RotationLimits } from './pod-logs.ts';

/** Logs below a folder. */
export class DiskLogs implements PodLogs {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the folder. */
  prepare(): void {
    mkdirSync(this.#root, { recursive: true });
  }

  pathOf(pod: Pod, container: string, attempt: number): string {
    return join(this.#folderOf(pod), container, `${attempt}.log`);
  }

  attempts(pod: Pod, container: string): number {
    const logs = namesIn(join(this.#folderOf(pod), container));
    // Those put aside count too: they may be all that is left of one.
    const numbers = logs.map((name) => Number(/^(\d+)\.log(\.|$)/.exec(name)?.[1] ?? NaN));
    return Math.max(-1, ...numbers.filter(Number.isSafeInteger)) + 1;
  }

  async *lines(path: string, asked: LinesAsked): AsyncGenerator<readonly Uint8Array[]> {
    try {
      yield* fileLines(path, asked);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new LogNotFound(`there is no log ${path}`, { cause: error });
    }
  }

  async rotate(
    path: string,
    limits: RotationLimits,
    how: { stamp(): string; reopen(): Promise<void> },
  ): Promise<boolean> {
    const facts = statSync(path, { throwIfNoEntry: false });
    // An agent that died while it put the log aside has left the runtime writing to the renamed file.
    if (!facts) await how.reopen();
    if (!facts || facts.size <= limits.maxBytes) return false;
    const old = `${path}.${how.stamp()}`;
    // Rotated within this second already: the next look does it.
    if (existsSync(old)) return false;
    renameSync(path, old);
    try {
      await how.reopen();
    } catch (error) {
      // The runtime still writes to the renamed file: it gets its name back, so that readers find it.
      renameSync(old, path);
      throw error;
    }
    removeOldest(path, limits.maxFiles - 1);
    await pack(path);
    return true;
  }

  async remove(pod: Pod): Promise<void> {
    await rm(this.#folderOf(pod), { recursive: true, force: true });
  }

  tidy(known: (podUid: string) => boolean): void {
    for (const folder of namesIn(this.#root)) {
      const [, , uid] = folder.split('_');
      if (uid !== undefined && !known(uid))
        rmSync(join(this.#root, folder), { recursive: true, force: true });
    }
  }

  /** Named NAMESPACE_NAME_UID; neither name has an underscore. */
  #folderOf({ metadata: { namespace, name, uid } }: Pod): string {
    return join(this.#root, `${namespace}_${name}_${uid}`);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const PACKED = '.gz';
const UNFINISHED = '.tmp';

/** Files put aside of a log, newest first; what an agent that died has left half packed is removed. */
function putAside(path: string): string[] {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix));
  for (const name of names)
    if (name.endsWith(UNFINISHED)) rmSync(join(folder, name), { force: true });
  return names
    .filter((name) => !name.endsWith(UNFINISHED))
    .sort()
    .reverse()
    .map((name) => join(folder, name));
}

function removeOldest(path: string, keep: number): void {
  for (const file of putAside(path).slice(keep)) rmSync(file, { force: true });
}

/** Packs all files put aside but the newest, off the event loop. */
async function pack(path: string): Promise<void> {
  for (const file of putAside(path).slice(1)) {
    if (file.endsWith(PACKED)) continue;
    const half = `${file}${UNFINISHED}`;
    const sink = createWriteStream(half, { mode: 0o640 });
    await pipeline(createReadStream(file), createGzip(), sink);
    await rename(half, `${file}${PACKED}`);
    rmSync(file, { force: true });
  }
}
