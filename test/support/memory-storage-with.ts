// Storage in memory of which a test has some verbs its own way. Invariant: all others are those of the real one.
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import type { Storage } from '../../apiserver/storage/storage.ts';

/** `changed` is given the real one, to go on with; what it answers takes the place of that one's verbs. */
export function memoryStorageWith(changed: (real: Storage) => Partial<Storage>): Storage {
  const real = createMemoryStorage({ clock: systemClock, logger: silentLogger });
  return {
    commit: (...all) => real.commit(...all),
    pending: (key) => real.pending(key),
    page: (...all) => real.page(...all),
    watch: (...all) => real.watch(...all),
    compact: (to) => real.compact(to),
    range: () => real.range(),
    sizeBytes: () => real.sizeBytes(),
    close: () => real.close(),
    barrier: (signal) => real.barrier(signal),
    ...changed(real),
  };
}
