// The memory backend of the storage contract, for tests and simulation: deterministic, and gone with the process.
import type { Storage } from '../storage.ts';
import type { HistoryOptions } from '../versioned-store.ts';
import { VersionedStore } from '../versioned-store.ts';
import { MemoryLog, type StoreImage } from './memory-log.ts';

/** A store in memory: empty, or beginning with the objects of an image. */
export function createMemoryStorage(options: HistoryOptions, image?: StoreImage): Storage {
  return new VersionedStore(new MemoryLog(image), options);
}

/** The objects of a store as they are now, for others to begin with. */
export async function imageOf(storage: Storage): Promise<StoreImage> {
  const { items, revision } = await storage.page('', {});
  return { live: items, revision };
}
