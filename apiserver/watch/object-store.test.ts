// The object store over a real memory storage: what readers and watchers are promised.
// Nothing is doubled but the clock.
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createMemoryStorage } from '../storage/memory/memory-storage.ts';
import { encodeObject } from '../storage/revision-gap.ts';
import type { Storage } from '../storage/storage.ts';
import { StorageError } from '../storage/storage.ts';
import type { ObjectStoreOptions, StoreEvent, StoreWatch } from './object-store.ts';
import { ObjectStore } from './object-store.ts';

const PODS = '/registry/core/pods/';

function aPod(name: string, labels: Record<string, string> = {}) {
  return encodeObject({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels } });
}

describe('ObjectStore', () => {
  const stores: ObjectStore[] = [];
  const clock = new VirtualClock();
  const newStorage = () => createMemoryStorage({ clock, logger: silentLogger });
  const openOn = async (storage: Storage, limits: Partial<ObjectStoreOptions> = {}) => {
    const store = await ObjectStore.open(storage, { clock, logger: silentLogger, ...limits });
    stores.push(store);
    return store;
  };
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
  });
  const put = async (store: ObjectStore, path: string, labels = {}): Promise<bigint> => {
    const result = await store.commit(`${PODS}${path}`, 'any', aPod(path, labels));
    if (result.kind !== 'committed') throw new Error('conflict');
    return result.revision;
  };
  const take = async (watch: StoreWatch, count: number): Promise<StoreEvent[]> => {
    const taken: StoreEvent[] = [];
    try {
      while (taken.length < count) {
        const batch = await watch.next();
        if (!batch) break;
        taken.push(...batch);
      }
      return taken;
    } finally {
      watch.close();
    }
  };
  const signal = () => new AbortController().signal;

  it('shows a write in get and list as soon as commit has answered, parsed once and frozen', async () => {
    const store = await openOn(newStorage());
    const revision = await put(store, 'a/one');
    const object = store.get(`${PODS}a/one`);
    expect(object?.revision).toBe(revision);
    expect(store.revision).toBe(revision);
    expect(object?.object().metadata.resourceVersion).toBe(String(revision));
    expect(object?.object()).toBe(object?.object());
    expect(Object.isFrozen(object?.object().metadata.labels)).toBe(true);
    expect(store.list(`${PODS}a/`).items).toEqual([object]);
  });

  it('hands what large bytes were made of to readers, with the write’s revision', async () => {
    const store = await openOn(newStorage());
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one' }, spec: { a: [1] } };
    const seen: unknown[] = [];
    store.subscribe(PODS, ({ value }) => seen.push(value.object()['spec'], value.object()));
    const result = await store.commit(`${PODS}a/one`, 'any', { ...encodeObject(object), object });
    const { revision } = result as { revision: bigint };
    expect(seen[0]).toBe(object.spec);
    const metadata = { resourceVersion: String(revision), name: 'one' };
    expect(seen[1]).toEqual({ ...object, metadata });
  });

  it('never shows a write that is not durable, but tells the writer of it', async () => {
    const store = await openOn(newStorage());
    const asked = put(store, 'a/one');
    expect(store.get(`${PODS}a/one`)).toBeUndefined();
    expect(store.latest(`${PODS}a/one`)).toBeDefined();
    await asked;
    expect(store.latest(`${PODS}a/one`)).toBe(store.get(`${PODS}a/one`));
  });

  it('has a conflicting write visible when it answers with a conflict', async () => {
    const store = await openOn(newStorage());
    const winner = put(store, 'a/one');
    const loser = store.commit(`${PODS}a/one`, 'absent', aPod('x'));
    expect((await loser).kind).toBe('conflict');
    expect(store.get(`${PODS}a/one`)).toBeDefined();
    await winner;
  });

  it('pages a namespace or a kind, and says how many remain', async () => {
    const store = await openOn(newStorage());
    for (const path of ['a/1', 'a/2', 'a/3', 'ab/1', 'b/1']) await put(store, path);
    const first = store.list(`${PODS}a/`, { limit: 2 });
    expect(first.items.map(({ key }) => key)).toEqual([`${PODS}a/1`, `${PODS}a/2`]);
    expect([first.more, first.remaining]).toEqual([true, 1]);
    const rest = store.list(`${PODS}a/`, { limit: 2, after: `${PODS}a/2` });
    expect(rest.items.map(({ key }) => key)).toEqual([`${PODS}a/3`]);
    expect([rest.more, rest.remaining]).toEqual([false, 0]);
    expect(store.list(PODS).items).toHaveLength(5);
    expect(store.list(`${PODS}a/1`).items).toHaveLength(1);
    expect(store.list('/registry/core/secrets/').items).toEqual([]);
  });

  it('goes on with a page of the past while objects change', async () => {
    const store = await openOn(newStorage());
    await put(store, 'a/1');
    const at = await put(store, 'a/2');
    await store.commit(`${PODS}a/2`, 'any', 'delete');
    const page = await store.pageAt(PODS, { at, limit: 1, after: `${PODS}a/1` });
    expect(page.items.map(({ key }) => key)).toEqual([`${PODS}a/2`]);
    expect(page.revision).toBe(at);
  });

  it('watches from now on, from a past revision, and with the present objects first', async () => {
    const store = await openOn(newStorage());
    const one = await put(store, 'a/1');
    await put(store, 'b/1');
    const fromNow = store.watch(`${PODS}a/`, { signal: signal() });
    const fromOne = store.watch(PODS, { from: one, signal: signal() });
    const listed = store.watch(PODS, { initial: 'list', signal: signal() });
    await put(store, 'a/1', { changed: 'yes' });
    expect((await take(fromNow, 1)).map(({ key }) => key)).toEqual([`${PODS}a/1`]);
    const replayed = await take(fromOne, 2);
    expect(replayed.map(({ key }) => key)).toEqual([`${PODS}b/1`, `${PODS}a/1`]);
    expect(replayed[1]?.previous?.revision).toBe(one);
    const all = await take(listed, 3);
    expect(all.map(({ key, previous }) => [key, previous?.revision])).toEqual([
      [`${PODS}a/1`, undefined],
      [`${PODS}b/1`, undefined],
      [`${PODS}a/1`, one],
    ]);
    expect(store.watchers).toBe(0);
  });

  it('watches one object by its key, and not those whose key begins with it', async () => {
    const store = await openOn(newStorage());
    const watch = store.watch(`${PODS}a/one`, { signal: signal() });
    await put(store, 'a/one-more');
    await put(store, 'a/one');
    expect((await take(watch, 1)).map(({ key }) => key)).toEqual([`${PODS}a/one`]);
  });

  it('resumes a watch after a restart from history in storage', async () => {
    const storage = newStorage();
    const first = await openOn(storage);
    const from = await put(first, 'a/1');
    await put(first, 'a/2');
    await first.close();
    const second = await openOn(storage);
    const events = await take(second.watch(PODS, { from, signal: signal() }), 1);
    expect(events.map(({ key }) => key)).toEqual([`${PODS}a/2`]);
  });

  it('answers Expired for a start that the ring no longer covers', async () => {
    const store = await openOn(newStorage(), { ringMaxEvents: 3 });
    const from = await put(store, 'a/1');
    for (let i = 0; i < 5; i++) await put(store, 'a/1', { i: String(i) });
    expect(() => store.watch(PODS, { from, signal: signal() })).toThrow(StorageError);
    const covered = store.watch(PODS, { from: store.revision - 3n, signal: signal() });
    expect(await take(covered, 3)).toHaveLength(3);
  });

  it('ends a watcher that falls behind with Expired, and leaves the others alone', async () => {
    const store = await openOn(newStorage(), { watcherMaxEvents: 4 });
    const slow = store.watch(PODS, { signal: signal() });
    const quick = store.watch(PODS, { signal: signal() });
    const seen = take(quick, 8);
    for (let i = 0; i < 8; i++) await put(store, `a/${i}`);
    expect(await seen).toHaveLength(8);
    await expect(take(slow, 8)).rejects.toMatchObject({ reason: 'Expired' });
    expect(store.watchers).toBe(0);
  });

  it('tells views inside the server before commit answers, and survives one that throws', async () => {
    const store = await openOn(newStorage());
    const seen: string[] = [];
    store.subscribe(PODS, () => {
      throw new Error('a broken view');
    });
    const stop = store.subscribe(PODS, ({ type, key }) => seen.push(`${type} ${key}`));
    await put(store, 'a/1');
    expect(seen).toEqual([`put ${PODS}a/1`]);
    await store.commit(`${PODS}a/1`, 'any', 'delete');
    stop();
    await put(store, 'a/2');
    expect(seen).toEqual([`put ${PODS}a/1`, `delete ${PODS}a/1`]);
  });

  it('shares one batch among the watchers of a prefix', async () => {
    const store = await openOn(newStorage());
    const watches = Array.from({ length: 3 }, () => store.watch(PODS, { signal: signal() }));
    await put(store, 'a/1');
    const events = await Promise.all(watches.map((watch) => take(watch, 1)));
    expect(events[0]?.[0]).toBe(events[1]?.[0]);
    expect(events[0]?.[0]).toBe(events[2]?.[0]);
  });

  it('ends watchers on abort and on close', async () => {
    const store = await openOn(newStorage());
    const controller = new AbortController();
    const aborted = take(store.watch(PODS, { signal: controller.signal }), 1);
    const open = take(store.watch(PODS, { signal: signal() }), 1);
    controller.abort();
    expect(await aborted).toEqual([]);
    await store.close();
    expect(await open).toEqual([]);
    expect(() => store.watch(PODS, { signal: signal() })).toThrow(StorageError);
  });
});
