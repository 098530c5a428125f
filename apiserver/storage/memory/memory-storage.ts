// The memory backend of the storage contract, for tests and simulation: deterministic, and gone with the process.
import type { Storage } from '../storage.ts';
import type { HistoryOptions } from '../versioned-store.ts';
import { VersionedStore } from '../versioned-store.ts';
import { MemoryLog } from './memory-log.ts';

/** An empty store in memory. */
export function createMemoryStorage(options: HistoryOptions): Storage {
  return new VersionedStore(new MemoryLog(), options);
}
