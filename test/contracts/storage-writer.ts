// A program for crash tests: writes to an LMDB store as fast as it may and prints a line for each acknowledged write.
// Usage: node storage-writer.ts DIRECTORY. Ends only by a signal; refused writes are printed and tried again.
import { writeSync } from 'node:fs';
import { openLmdbStorage } from '../../apiserver/storage/lmdb/lmdb-storage.ts';
import { StorageError } from '../../apiserver/storage/storage.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { aValue } from './storage.ts';

const WRITERS = 16;
const PADDING = 'x'.repeat(1_200);

const [directory = ''] = process.argv.slice(2);

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

async function main(): Promise<void> {
  const storage = await openLmdbStorage({ directory, clock: systemClock, logger: silentLogger });
  say('ready');
  const keepAlive = setInterval(() => undefined, 1_000);
  const writer = async (id: number): Promise<void> => {
    const key = `/crash/${id}`;
    for (let n = 0; ; n++) {
      try {
        const expected = storage.pending(key)?.revision ?? 'absent';
        const result = await storage.commit(key, expected, aValue(key, { n, PADDING }));
        if (result.kind === 'committed') say(`ack ${key} ${n} ${result.revision}`);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        say(`refused ${error.reason}`);
        await systemClock.sleep(200);
      }
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, id) => writer(id)));
  clearInterval(keepAlive);
}

try {
  await main();
} catch (error) {
  say(`failed ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
