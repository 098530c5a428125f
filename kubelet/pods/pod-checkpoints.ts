// Pods as this node last knew them, on disk: what an agent goes by that starts while the API server is away.
// Invariant: only ever a stand-in; the API's list replaces it as soon as there is one.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '../../api/generated/types.ts';
import { readRecord, writeRecord } from '../../system/record-file.ts';

const SUFFIX = '.json';

/** What a node keeps of its pods beyond the agent's life. */
export interface PodCheckpoints {
  /** Keeps the pod, if it has changed. Failures are the caller's to tell. */
  save(pod: Pod): void;
  /** The pod is over. */
  forget(podUid: string): void;
  /** All that can be read. */
  load(): Pod[];
  /** Removes those of pods that nobody knows any more. */
  tidy(known: (podUid: string) => boolean): void;
}

/**
 * What of a pod an agent cannot find again by itself: whether it is over, and which of its containers were ready, as they are not to be
 * called unready meanwhile. The rest of its status comes from the runtime, and changes several times while a pod starts: a write to the
 * disk for each would hold up the others that start.
 */
function gistOf({ metadata, spec, status }: Pod): string {
  const { resourceVersion: _, managedFields: __, ...lasting } = metadata;
  const { startTime, phase = '', initContainerStatuses, containerStatuses } = status ?? {};
  const told = [...(initContainerStatuses ?? []), ...(containerStatuses ?? [])];
  const ready = told.flatMap(({ ready: isReady, containerID }) => (isReady ? [containerID] : []));
  const over = ['Succeeded', 'Failed'].includes(phase) && phase;
  return JSON.stringify([lasting, spec, startTime, over, ready]);
}

/** One file per pod, named by its uid. */
export class DiskCheckpoints implements PodCheckpoints {
  readonly #folder: string;
  /** The gist of what was written last, by uid. */
  readonly #written = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  save(pod: Pod): void {
    const { uid } = pod.metadata;
    const gist = gistOf(pod);
    if (!uid || this.#written.get(uid) === gist) return;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeRecord(this.#path(uid), pod);
    this.#written.set(uid, gist);
  }

  forget(podUid: string): void {
    this.#written.delete(podUid);
    rmSync(this.#path(podUid), { force: true });
  }

  /** A torn or foreign file is passed over. */
  load(): Pod[] {
    return this.#uids().flatMap((uid) => {
      try {
        const pod = readRecord(this.#path(uid)) as Pod | undefined;
        return pod?.metadata.uid === uid && pod.spec ? [pod] : [];
      } catch {
        return [];
      }
    });
  }

  tidy(known: (podUid: string) => boolean): void {
    for (const uid of this.#uids()) if (!known(uid)) this.forget(uid);
    // What an agent that died was writing.
    for (const name of this.#names())
      if (!name.endsWith(SUFFIX)) rmSync(join(this.#folder, name), { force: true });
  }

  #uids(): string[] {
    const files = this.#names().filter((name) => name.endsWith(SUFFIX));
    return files.map((name) => name.slice(0, -SUFFIX.length));
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder);
    } catch {
      return [];
    }
  }

  #path(uid: string): string {
    return join(this.#folder, `${uid}${SUFFIX}`);
  }
}
