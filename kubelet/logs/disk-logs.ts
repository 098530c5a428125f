// Containers' logs as files: one folder for each pod, one for each container, one file for each attempt, and those put aside.
// Invariant: the newest lines are always in the file that has the plain name; no line is lost.
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
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
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < limits.maxBytes) return false;
    const old = `${path}.${how.stamp()}`;
    renameSync(path, old);
    try {
      await how.reopen();
    } catch (error) {
      // The runtime still writes to the renamed file: it gets its name back, so that readers find it.
      renameSync(old, path);
      throw error;
    }
    removeOldest(path, limits.maxFiles - 1);
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

function removeOldest(path: string, keep: number): void {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const rotated = readdirSync(folder).filter((name) => name.startsWith(prefix));
  for (const name of rotated.toSorted().toReversed().slice(keep))
    rmSync(join(folder, name), { force: true });
}
