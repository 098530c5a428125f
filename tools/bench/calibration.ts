// What this host can do at this moment without our code. Whatever else ran on it shows here as it shows in the other parts.
// Invariant: nothing here goes through our server, store or runtime.
import { performance } from 'node:perf_hooks';
import { open } from 'lmdb';
import { median, type Part } from './part.ts';

const ROUNDS = 5;
const PARSE_MS = 200;
const COMMITS = 4_000;
const WRITERS = 64;

function parsesPerSecond(): number {
  const sample = JSON.stringify({
    data: Array.from({ length: 40 }, (_, i) => ({ name: `n${i}`, value: i })),
  });
  const startedAt = performance.now();
  let count = 0;
  while (performance.now() - startedAt < PARSE_MS) {
    for (let i = 0; i < 100; i++) JSON.parse(sample);
    count += 100;
  }
  return (1000 * count) / (performance.now() - startedAt);
}

/** Durable transactions of two rows, as the store writes an object: its event and its index. */
async function commitsPerSecond(directory: string): Promise<number> {
  const root = open<Buffer, string>({ path: `${directory}/raw`, encoding: 'binary' });
  const value = Buffer.alloc(2_800, 'x');
  let next = 0;
  const writer = async () => {
    while (next < COMMITS) {
      const key = next++;
      await root.transaction(() => {
        void root.put(`event/${key}`, value);
        void root.put(`index/${key}`, Buffer.from([0]));
      });
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: WRITERS }, writer));
  const perSecond = (1000 * COMMITS) / (performance.now() - startedAt);
  await root.close();
  return perSecond;
}

/** The calibration. */
export const calibration: Part = {
  name: 'calibration',
  async measure(note, directory) {
    const parses = Array.from({ length: ROUNDS }, parsesPerSecond);
    note({ what: 'calibration: JSON.parse of 1.1 KB', value: median(parses), unit: '/s' });
    note({
      what: `calibration: raw LMDB, durable commits of 2.8 KB, ${WRITERS} writers`,
      value: await commitsPerSecond(directory),
      unit: '/s',
    });
  },
};
