// Any history of writes, deletions and compactions against a plain model, on both backends.
// The model is a list of whole states, one per revision: too slow to ship, too simple to be wrong.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { aValue, takeEvents } from '../../test/contracts/storage.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { openLmdbStorage } from './lmdb/lmdb-storage.ts';
import { createMemoryStorage } from './memory/memory-storage.ts';
import type { Storage } from './storage.ts';

type Step =
  | { readonly do: 'put' | 'delete'; readonly key: string; readonly at: 'pending' | 'stale' }
  | { readonly do: 'compact'; readonly percent: number };

const key = fc.constantFrom('/a/1', '/a/2', '/ab/1', '/b/1');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: write('put') },
  { weight: 3, arbitrary: write('delete') },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('compact' as const),
      percent: fc.nat(100),
    }),
  },
);

function write(kind: 'put' | 'delete') {
  const at = fc.constantFrom('pending' as const, 'pending' as const, 'stale' as const);
  return fc.record({ do: fc.constant(kind), key, at });
}

/** The states of the model: revision of each key, by revision of the store. */
class Model {
  readonly states: Map<string, bigint>[] = [new Map()];

  get newest(): bigint {
    return BigInt(this.states.length - 1);
  }

  at(revision: bigint): Map<string, bigint> {
    return this.states[Number(revision)] ?? new Map<string, bigint>();
  }

  write(kind: 'put' | 'delete', of: string): void {
    const next = new Map(this.at(this.newest));
    if (kind === 'put') next.set(of, this.newest + 1n);
    else next.delete(of);
    this.states.push(next);
  }
}

async function run(storage: Storage, steps: readonly Step[]): Promise<void> {
  const model = new Model();
  const asked: Promise<unknown>[] = [];
  for (const next of steps) {
    if (next.do === 'compact') {
      await Promise.all(asked);
      const { newest } = storage.range();
      await storage.compact(BigInt(Math.floor((Number(newest) * next.percent) / 100)));
      continue;
    }
    const current = model.at(model.newest).get(next.key);
    expect(storage.pending(next.key)?.revision).toBe(current);
    const stale = next.at === 'stale';
    const expected = stale ? 999_999n : (current ?? 'absent');
    const value = next.do === 'delete' ? 'delete' : aValue(next.key, { n: Number(model.newest) });
    const wins = !stale && !(next.do === 'delete' && current === undefined);
    const result = storage.commit(next.key, expected, value);
    asked.push(result.then(({ kind }) => expect(kind).toBe(wins ? 'committed' : 'conflict')));
    if (wins) model.write(next.do, next.key);
  }
  await Promise.all(asked);
  await compare(storage, model);
}

async function compare(storage: Storage, model: Model): Promise<void> {
  const { oldest, newest } = storage.range();
  expect(newest).toBe(model.newest);
  for (let at = oldest; at <= newest; at++)
    for (const prefix of ['', '/a/']) {
      const page = await storage.page(prefix, { at });
      const expected = [...model.at(at)]
        .filter(([of]) => of.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1));
      expect(page.items.map((item) => [item.key, item.revision])).toEqual(expected);
    }
  const signal = new AbortController().signal;
  const events = await takeEvents(storage.watch('', oldest, signal), Number(newest - oldest));
  const folded = new Map(model.at(oldest));
  for (const { type, key: of, revision, previous } of events) {
    expect(previous?.revision).toBe(folded.get(of));
    if (type === 'put') folded.set(of, revision);
    else folded.delete(of);
    expect(folded).toEqual(model.at(revision));
  }
}

describe('VersionedStore', () => {
  it('agrees with a model of whole states, in memory', async () => {
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 60, size: 'max' }),
      async (steps) => {
        const storage = createMemoryStorage({ clock: systemClock, logger: silentLogger });
        await run(storage, steps);
        await storage.close();
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  it('agrees with a model of whole states, on disk and after it was opened again', async () => {
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 60, size: 'max' }),
      async (steps) => {
        const directory = mkdtempSync(join(tmpdir(), 'pinnace-model-'));
        const options = { directory, clock: systemClock, logger: silentLogger };
        const storage = await openLmdbStorage(options);
        await run(storage, steps);
        const { items } = await storage.page('', {});
        const range = storage.range();
        await storage.close();
        const again = await openLmdbStorage(options);
        expect(again.range()).toEqual(range);
        expect((await again.page('', {})).items).toEqual(items);
        for (const item of items) expect(again.pending(item.key)).toEqual(item);
        await again.close();
        rmSync(directory, { recursive: true, force: true });
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });
});
