// The LMDB backend keeps the storage contract.
// What LMDB promises beyond it stands in lmdb-durability.test.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storageContract } from '../../../test/contracts/storage.ts';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/logger.ts';
import { openLmdbStorage } from './lmdb-storage.ts';

storageContract('lmdb', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pinnace-lmdb-'));
  const storage = await openLmdbStorage({ directory, clock: systemClock, logger: silentLogger });
  const dispose = async () => {
    await storage.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { storage, dispose };
});
