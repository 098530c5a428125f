// The memory backend keeps the storage contract.
// Whatever differs between backends shows as a failure here.
import { storageContract } from '../../../test/contracts/storage.ts';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/logger.ts';
import { createMemoryStorage } from './memory-storage.ts';

storageContract('memory', async () => {
  const storage = createMemoryStorage({ clock: systemClock, logger: silentLogger });
  return { storage, dispose: () => storage.close() };
});
