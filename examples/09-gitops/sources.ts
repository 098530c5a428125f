// What the repositories say, read once for each revision and asked about no more often than each sync wants.
// Invariant: what is answered is one whole revision.
import type { KubeObject } from 'pinnace/client';
import { keyOf } from 'pinnace/controllers';
import type { GitSync } from './kind.ts';
import { objectsIn } from './manifests.ts';
import type { Repositories } from './repository.ts';

/** A revision, read. */
export interface Source {
  readonly revision: string;
  readonly objects: readonly KubeObject[];
  /** When it was last seen to be the newest, by the monotonic clock. */
  readonly atMs: number;
}

/** The sources of one program's syncs. */
export class Sources {
  readonly #repositories: Repositories;
  readonly #read = new Map<string, Source & { readonly spec: string }>();

  constructor(repositories: Repositories) {
    this.#repositories = repositories;
  }

  /** The revision that the sync is about at this moment. Throws SourceError. */
  async of(sync: GitSync, nowMs: number, signal: AbortSignal): Promise<Source> {
    const { repository, ref, folder, intervalSeconds } = sync.spec;
    const key = keyOf(sync);
    const spec = JSON.stringify([repository, ref, folder]);
    const found = this.#read.get(key);
    const known = found?.spec === spec ? found : undefined;
    if (known && nowMs - known.atMs < intervalSeconds * 1000) return known;
    const revision = await this.#repositories.revisionOf(repository, ref, signal);
    const objects =
      known?.revision === revision
        ? known.objects
        : objectsIn(await this.#repositories.filesOf(repository, { revision, folder }, signal));
    const source = { spec, revision, objects, atMs: nowMs };
    this.#read.set(key, source);
    return source;
  }

  /** For a sync that goes. */
  forget(sync: GitSync): void {
    this.#read.delete(keyOf(sync));
  }
}
