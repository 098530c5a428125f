// The contract of Storage: every backend runs these tests against a fresh store of its own.
// A difference between backends is a failing test here, never a note.
import { afterEach, describe, expect, it } from 'vitest';
import { encodeObject, readRevision } from '../../apiserver/storage/revision-gap.ts';
import type { NewValue, Storage, StorageEvent } from '../../apiserver/storage/storage.ts';
import { StorageError } from '../../apiserver/storage/storage.ts';

/** A store under test; `dispose` closes it and removes what it left. */
export interface StorageUnderTest {
  readonly storage: Storage;
  dispose(): Promise<void>;
}

/** A value as the server writes them. */
export function aValue(name: string, data: Record<string, unknown> = {}): NewValue {
  return encodeObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
}

function parsed(bytes: Uint8Array) {
  return JSON.parse(Buffer.from(bytes).toString()) as {
    metadata: { name: string; resourceVersion: string };
    data: Record<string, unknown>;
  };
}

/** Reads events until `count` of them came. */
export async function takeEvents(
  events: AsyncIterable<readonly StorageEvent[]>,
  count: number,
): Promise<StorageEvent[]> {
  const taken: StorageEvent[] = [];
  if (count === 0) return taken;
  for await (const batch of events) {
    taken.push(...batch);
    if (taken.length >= count) break;
  }
  return taken;
}

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof StorageError)) throw new Error(`not a StorageError: ${String(error)}`);
  return error.reason;
}

/** Runs the contract against stores that `makeStorage` makes. */
export function storageContract(name: string, makeStorage: () => Promise<StorageUnderTest>): void {
  describe(`storage contract: ${name}`, () => {
    const open: StorageUnderTest[] = [];
    const make = async (): Promise<Storage> => {
      const made = await makeStorage();
      open.push(made);
      return made.storage;
    };
    afterEach(async () => {
      for (const made of open.splice(0)) await made.dispose();
    });
    const put = async (storage: Storage, key: string, data = {}): Promise<bigint> => {
      const result = await storage.commit(key, 'any', aValue(key, data));
      if (result.kind !== 'committed') throw new Error('conflict');
      return result.revision;
    };
    writes(make, put);
    pages(make, put);
    watches(make, put);
    history(make, put);
  });
}

type Make = () => Promise<Storage>;
type Put = (storage: Storage, key: string, data?: object) => Promise<bigint>;

function writes(make: Make, put: Put): void {
  it('tells how many bytes it takes up', async () => {
    const storage = await make();
    const before = storage.sizeBytes();
    await put(storage, '/a/1', { text: 'x'.repeat(100_000) });
    expect(storage.sizeBytes() - before).toBeGreaterThan(100_000);
    expect(storage.sizeBytes() - before).toBeLessThan(1_000_000);
  });

  it('gives each write the next revision and writes it into the bytes', async () => {
    const storage = await make();
    const first = await storage.commit('/a/1', 'absent', aValue('one'));
    const second = await storage.commit('/a/2', 'absent', aValue('two'));
    if (first.kind !== 'committed' || second.kind !== 'committed') throw new Error('conflict');
    expect(second.revision).toBe(first.revision + 1n);
    expect(parsed(first.bytes).metadata.resourceVersion).toBe(String(first.revision));
    expect(storage.range().newest).toBe(second.revision);
  });

  it('refuses a write that rests on another state and says which state it found', async () => {
    const storage = await make();
    const revision = await put(storage, '/a/1', { n: 1 });
    const conflict = await storage.commit('/a/1', revision - 1n, aValue('x'));
    expect(conflict).toMatchObject({ kind: 'conflict', found: { key: '/a/1', revision } });
    expect(await storage.commit('/a/1', 'absent', aValue('x'))).toMatchObject({ kind: 'conflict' });
    expect(await storage.commit('/a/2', revision, aValue('x'))).toEqual({
      kind: 'conflict',
      found: 'absent',
    });
    expect(await storage.commit('/a/2', 'any', 'delete')).toEqual({
      kind: 'conflict',
      found: 'absent',
    });
    expect(storage.range().newest).toBe(revision);
  });

  it('lets exactly one of many concurrent creates of a key win, and answers the others when it is durable', async () => {
    const storage = await make();
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => storage.commit('/a/1', 'absent', aValue(`n${i}`))),
    );
    const winners = results.filter((result) => result.kind === 'committed');
    expect(winners).toHaveLength(1);
    for (const result of results)
      if (result.kind === 'conflict')
        expect(result.found).toMatchObject({ revision: storage.range().newest });
  });

  it('decides against writes that are not durable yet, so a chain of writes may be asked for at once', async () => {
    const storage = await make();
    const first = storage.commit('/a/1', 'absent', aValue('one'));
    const pending = storage.pending('/a/1');
    expect(pending).toBeDefined();
    const second = storage.commit('/a/1', pending?.revision ?? 0n, aValue('two'));
    const third = storage.commit('/a/1', storage.pending('/a/1')?.revision ?? 0n, 'delete');
    expect(storage.pending('/a/1')).toBeUndefined();
    const fourth = storage.commit('/a/1', 'absent', aValue('four'));
    const kinds = (await Promise.all([first, second, third, fourth])).map(({ kind }) => kind);
    expect(kinds).toEqual(['committed', 'committed', 'committed', 'committed']);
    const page = await storage.page('/a/', {});
    expect(page.items.map(({ bytes }) => parsed(bytes).metadata.name)).toEqual(['four']);
  });

  it('deletes, and tells the last state with the revision of the deletion', async () => {
    const storage = await make();
    await put(storage, '/a/1', { n: 1 });
    const deleted = await storage.commit('/a/1', 'any', 'delete');
    if (deleted.kind !== 'committed') throw new Error('conflict');
    const last = parsed(deleted.bytes);
    expect(last).toMatchObject({
      metadata: { resourceVersion: String(deleted.revision) },
      data: { n: 1 },
    });
    expect(storage.pending('/a/1')).toBeUndefined();
    expect((await storage.page('/a/', {})).items).toEqual([]);
  });

  it('refuses a value that is too large and a key that is too long', async () => {
    const storage = await make();
    const huge = aValue('x', { text: 'x'.repeat(4 * 1024 * 1024) });
    expect(await reasonOf(storage.commit('/a/1', 'any', huge))).toBe('TooLarge');
    const long = `/a/${'x'.repeat(2_000)}`;
    expect(await reasonOf(storage.commit(long, 'any', aValue('x')))).toBe('TooLarge');
  });

  it('takes nothing after it was closed, and closes twice without harm', async () => {
    const storage = await make();
    const asked = storage.commit('/a/1', 'any', aValue('x'));
    await storage.close();
    expect((await asked).kind).toBe('committed');
    expect(await reasonOf(storage.commit('/a/1', 'any', aValue('x')))).toBe('Unavailable');
    await storage.close();
  });
}

function pages(make: Make, put: Put): void {
  it('pages keys in byte order, from anywhere, within a prefix', async () => {
    const storage = await make();
    for (const key of ['/a/b/2', '/a/b/10', '/a/b-c/1', '/a/b/1', '/b/1']) await put(storage, key);
    const all = await storage.page('/a/', {});
    expect(all.items.map(({ key }) => key)).toEqual(['/a/b-c/1', '/a/b/1', '/a/b/10', '/a/b/2']);
    expect(all.more).toBe(false);
    const first = await storage.page('/a/b/', { limit: 2 });
    expect(first.items.map(({ key }) => key)).toEqual(['/a/b/1', '/a/b/10']);
    expect(first.more).toBe(true);
    const rest = await storage.page('/a/b/', { limit: 2, after: '/a/b/10' });
    expect(rest.items.map(({ key }) => key)).toEqual(['/a/b/2']);
    expect(rest.more).toBe(false);
    const [item] = rest.items;
    expect(readRevision(item?.bytes ?? new Uint8Array(), item?.revisionAt ?? 0)).toBe(
      item?.revision,
    );
  });

  it('shows the past as it was', async () => {
    const storage = await make();
    await put(storage, '/a/1', { n: 1 });
    const then = await put(storage, '/a/2', { n: 1 });
    await put(storage, '/a/1', { n: 2 });
    await storage.commit('/a/2', 'any', 'delete');
    await put(storage, '/a/3', { n: 1 });
    const past = await storage.page('/a/', { at: then });
    expect(past.items.map(({ key, bytes }) => [key, parsed(bytes).data])).toEqual([
      ['/a/1', { n: 1 }],
      ['/a/2', { n: 1 }],
    ]);
    expect(past.revision).toBe(then);
    const present = await storage.page('/a/', {});
    expect(present.items.map(({ key }) => key)).toEqual(['/a/1', '/a/3']);
  });

  it('pages through thousands of keys without losing or doubling one', async () => {
    const storage = await make();
    const keys = Array.from({ length: 2_500 }, (_, i) => `/a/${String(i).padStart(5, '0')}`);
    await Promise.all(keys.map((key) => put(storage, key)));
    await Promise.all(keys.map((key) => put(storage, key, { again: true })));
    const seen: string[] = [];
    for (let more = true; more; ) {
      const page = await storage.page('/a/', { limit: 300, after: seen.at(-1) ?? '' });
      seen.push(...page.items.map(({ key }) => key));
      more = page.more;
    }
    expect(seen).toEqual(keys);
  });
}

function watches(make: Make, put: Put): void {
  it('replays history after a revision and goes on with what comes, each event once and in order', async () => {
    const storage = await make();
    const from = await put(storage, '/a/0');
    for (let i = 1; i <= 600; i++) void put(storage, `/a/${i}`);
    await storage.commit('/a/0', 'any', 'delete');
    const events = storage.watch('/a/', from, new AbortController().signal);
    for (let i = 0; i < 400; i++) void put(storage, `/a/later-${i}`);
    const seen = await takeEvents(events, 1_001);
    expect(seen.map(({ revision }) => revision)).toEqual(seen.map((_, i) => from + 1n + BigInt(i)));
    expect(seen.find(({ type }) => type === 'delete')).toMatchObject({
      key: '/a/0',
      previous: { revision: from },
    });
  });

  it('tells what each change replaced, whether it comes from history or as it happens', async () => {
    const storage = await make();
    const start = storage.range().newest;
    const live = storage.watch('/a/', start, new AbortController().signal);
    const one = await put(storage, '/a/1', { n: 1 });
    await put(storage, '/b/1');
    await put(storage, '/a/1', { n: 2 });
    await storage.commit('/a/1', 'any', 'delete');
    const replayed = storage.watch('/a/', start, new AbortController().signal);
    for (const events of [await takeEvents(live, 3), await takeEvents(replayed, 3)]) {
      expect(events.map(({ type }) => type)).toEqual(['put', 'put', 'delete']);
      expect(events[0]?.previous).toBeUndefined();
      expect(events[1]?.previous?.revision).toBe(one);
      expect(parsed(events[2]?.value.bytes ?? new Uint8Array())).toMatchObject({
        metadata: { resourceVersion: String(events[2]?.revision) },
        data: { n: 2 },
      });
    }
  });

  it('ends a watch when it is aborted and when the store is closed', async () => {
    const storage = await make();
    const controller = new AbortController();
    const aborted = takeEvents(storage.watch('', 0n, controller.signal), 1);
    controller.abort();
    expect(await aborted).toEqual([]);
    const closed = takeEvents(storage.watch('', 0n, new AbortController().signal), 1);
    await storage.close();
    expect(await closed).toEqual([]);
  });
}

function history(make: Make, put: Put): void {
  it('forgets what is asked, keeps the newest state of each key, and answers Expired for the rest', async () => {
    const storage = await make();
    const early = await put(storage, '/a/kept', { n: 1 });
    await put(storage, '/a/changed', { n: 1 });
    await put(storage, '/a/gone', { n: 1 });
    await put(storage, '/a/changed', { n: 2 });
    const point = (await storage.commit('/a/gone', 'any', 'delete')) as { revision: bigint };
    const later = await put(storage, '/a/changed', { n: 3 });
    await storage.compact(point.revision);
    expect(storage.range()).toEqual({ oldest: point.revision, newest: later });
    expect(await reasonOf(storage.page('/a/', { at: early }))).toBe('Expired');
    const signal = new AbortController().signal;
    expect(await reasonOf(takeEvents(storage.watch('', early, signal), 1))).toBe('Expired');
    const atPoint = await storage.page('/a/', { at: point.revision });
    expect(atPoint.items.map(({ key, bytes }) => [key, parsed(bytes).data])).toEqual([
      ['/a/changed', { n: 2 }],
      ['/a/kept', { n: 1 }],
    ]);
    const [event] = await takeEvents(storage.watch('', point.revision, signal), 1);
    expect(parsed(event?.previous?.bytes ?? new Uint8Array()).data).toEqual({ n: 2 });
    const now = await storage.page('/a/', {});
    expect(now.items.map(({ bytes }) => parsed(bytes).data)).toEqual([{ n: 3 }, { n: 1 }]);
  });

  it('forgets online: writes and reads go on while thousands of revisions go', async () => {
    const storage = await make();
    for (let i = 0; i < 3_000; i++) void put(storage, `/a/${i % 100}`, { i });
    const middle = await put(storage, '/a/last');
    const compaction = storage.compact(middle - 10n);
    const during = await Promise.all(Array.from({ length: 50 }, (_, i) => put(storage, `/b/${i}`)));
    await compaction;
    expect(during).toHaveLength(50);
    expect(storage.range().oldest).toBe(middle - 10n);
    expect((await storage.page('/a/', {})).items).toHaveLength(101);
    expect((await storage.page('/a/', { at: middle - 10n })).items).toHaveLength(100);
  });
}
