// A repository in memory: what tests and simulation have in place of git. Every path leads to it.
// Invariant: commits never change; HEAD is the newest.
import { isManifest, type ManifestFile, type Repositories, SourceError } from './repository.ts';

/** Texts by their paths. */
export type Tree = Readonly<Record<string, string>>;

/** A repository in memory. */
export class MemoryRepository implements Repositories {
  readonly #commits: Tree[] = [];
  /** How often it was asked for files. */
  reads = 0;

  /** Commits a tree; answers the revision. */
  commit(tree: Tree): string {
    this.#commits.push(tree);
    return this.#head();
  }

  /** As it was at first. */
  reset(): void {
    this.#commits.length = 0;
  }

  async revisionOf(path: string, ref: string): Promise<string> {
    if (ref !== 'HEAD' || this.#commits.length === 0)
      throw new SourceError(`${path}: there is no ${ref}`);
    return this.#head();
  }

  async filesOf(
    path: string,
    { revision, folder }: { readonly revision: string; readonly folder: string },
  ): Promise<readonly ManifestFile[]> {
    this.reads++;
    const prefix = folder === '' ? '' : `${folder}/`;
    const files = Object.entries(this.#commits[Number(revision) - 1] ?? {})
      .filter(([name]) => name.startsWith(prefix) && isManifest(name))
      .map(([name, text]) => ({ path: name, text }));
    if (folder !== '' && files.length === 0)
      throw new SourceError(`${path}: there is no folder ${folder} at ${revision}`);
    return files;
  }

  #head(): string {
    return String(this.#commits.length).padStart(40, '0');
  }
}
