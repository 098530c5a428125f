// Watches under a selector, over a real store: the lines that a client sees.
// Each line is checked to be JSON that says what its event() says.
import { afterEach, describe, expect, it } from 'vitest';
import { StatusError } from '../../api/status.ts';
import type { WatchFrame } from '../../api/wire/exchange.ts';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { isKept } from '../../test/support/garbage.ts';
import { until } from '../../test/support/until.ts';
import { pour } from '../pour.ts';
import { createMemoryStorage } from '../storage/memory/memory-storage.ts';
import { encodeObject } from '../storage/revision-gap.ts';
import { ObjectStore } from './object-store.ts';
import type { SelectedWatchOptions } from './selected-watch.ts';
import { BOOKMARK_EVERY_MS, selectedWatch } from './selected-watch.ts';

const PREFIX = '/registry/core/pods/';

type Frames = AsyncIterable<readonly WatchFrame[]>;
/** Both ways of reading: hands on each batch until it is told that this was enough. */
const WAYS: Record<
  string,
  (frames: Frames, isEnough: (batch: readonly WatchFrame[]) => boolean) => Promise<void>
> = {
  'iterated over': async (frames, isEnough) => {
    for await (const batch of frames) if (isEnough(batch)) break;
  },
  poured: (frames, isEnough) => pour(frames, (batch) => !isEnough(batch)),
  'poured to who is slow': (frames, isEnough) =>
    pour(frames, (batch) => Promise.resolve(!isEnough(batch))),
};

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function setUp(watcherMaxEvents = 100) {
  const clock = new VirtualClock();
  const storage = createMemoryStorage({ clock, logger: silentLogger });
  const store = await ObjectStore.open(storage, {
    clock,
    logger: silentLogger,
    watcherMaxEvents,
  });
  closers.push(async () => {
    await store.close();
    await storage.close();
  });
  const write = (name: string, app: string) =>
    store.commit(
      PREFIX + name,
      'any',
      encodeObject({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app } } }),
    );
  const remove = (name: string) => store.commit(PREFIX + name, 'any', 'delete');
  const watch = (options: Partial<SelectedWatchOptions> = {}) =>
    selectedWatch(store, {
      clock,
      signal: new AbortController().signal,
      prefix: PREFIX,
      start: 'now',
      apiVersion: 'v1',
      kind: 'Pod',
      ...options,
    });
  return { clock, store, write, remove, watch };
}

describe.each(Object.entries(WAYS))('selectedWatch, %s', (_, readBy) => {
  async function take(frames: Frames, count: number) {
    const taken: WatchFrame[] = [];
    await readBy(frames, (batch) => taken.push(...batch) >= count);
    return taken;
  }

  const told = (frames: readonly WatchFrame[]) =>
    frames.map((frame) => {
      const line = Buffer.from(frame.bytes).toString();
      expect(line.endsWith('\n')).toBe(true);
      expect(JSON.parse(line)).toEqual(frame.event());
      const { type, object } = frame.event();
      return `${type} ${object.metadata.name ?? ''}@${object.metadata.resourceVersion ?? ''}`;
    });

  const ofPayment: SelectedWatchOptions['predicate'] = ({ metadata }) =>
    metadata.labels?.['app'] === 'payment';

  it('tells of objects that come, change and go', async () => {
    const { write, remove, watch } = await setUp();
    const frames = watch();
    await write('one', 'payment');
    await write('one', 'catalog');
    await remove('one');
    expect(told(await take(frames, 3))).toEqual(['ADDED one@1', 'MODIFIED one@2', 'DELETED one@3']);
  });

  it('tells of an object that comes to match as added, and of one that no longer does as deleted with its last matching state', async () => {
    const { write, remove, watch } = await setUp();
    const frames = watch({ predicate: ofPayment });
    await write('one', 'catalog');
    await write('one', 'payment');
    await write('one', 'payment');
    await write('one', 'catalog');
    await remove('one');
    await write('two', 'payment');
    await remove('two');
    const lines = await take(frames, 5);
    expect(told(lines)).toEqual([
      'ADDED one@2',
      'MODIFIED one@3',
      'DELETED one@4',
      'ADDED two@6',
      'DELETED two@7',
    ]);
    expect(lines[2]?.event().object.metadata.labels).toEqual({ app: 'payment' });
  });

  it('begins with the present objects and marks their end', async () => {
    const { write, watch } = await setUp();
    await write('one', 'payment');
    await write('two', 'catalog');
    const frames = watch({ start: 'list', predicate: ofPayment, initialEventsEnd: true });
    await write('three', 'payment');
    const lines = await take(frames, 3);
    expect(told(lines)).toEqual(['ADDED one@1', 'BOOKMARK @2', 'ADDED three@3']);
    expect(lines[1]?.event().object).toEqual({
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { resourceVersion: '2', annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
  });

  it('resumes after a revision', async () => {
    const { write, watch } = await setUp();
    await write('one', 'payment');
    await write('two', 'payment');
    expect(told(await take(watch({ start: 1n }), 1))).toEqual(['ADDED two@2']);
  });

  it('says how far it has come every minute when bookmarks are allowed, though nothing matched', async () => {
    const { clock, write, watch } = await setUp();
    const frames = watch({ predicate: ofPayment, allowBookmarks: true });
    const lines = take(frames, 2);
    await write('one', 'catalog');
    await clock.advance(BOOKMARK_EVERY_MS);
    await write('two', 'catalog');
    await clock.advance(BOOKMARK_EVERY_MS);
    expect(told(await lines)).toEqual(['BOOKMARK @1', 'BOOKMARK @2']);
    expect(clock.pendingTimers).toBe(1);
  });

  it('frames an event once, whoever watches', async () => {
    const { write, watch } = await setUp();
    const [one, two] = [watch(), watch()];
    await write('one', 'payment');
    const [ofOne, ofTwo] = [await take(one, 1), await take(two, 1)];
    expect(ofOne[0]).toBe(ofTwo[0]);
  });

  it('says that it is over, and lets go of the store, however it ends', async () => {
    const { store, watch, write } = await setUp(3);
    const ending = new AbortController();
    const told: string[] = [];
    const named = (name: string, options: Partial<SelectedWatchOptions> = {}) =>
      watch({ ...options, over: () => told.push(name) })[Symbol.asyncIterator]();
    const [left, aborted, behind] = [
      named('left unread'),
      named('aborted', { signal: ending.signal }),
      named('behind'),
    ];
    await left.return?.();
    ending.abort();
    expect(await aborted.next()).toMatchObject({ done: true });
    for (let i = 0; i < 4; i++) await write(`n${i}`, 'payment');
    expect((await behind.next()).value?.at(0)?.event().type).toBe('ERROR');
    expect(told).toEqual(['left unread', 'aborted', 'behind']);
    expect(await behind.next()).toMatchObject({ done: true });
    expect(store.watchers).toBe(0);
  });

  it('lets go of the store when its reader has enough, or it is aborted', async () => {
    const { store, watch, write } = await setUp();
    const ending = new AbortController();
    const told: string[] = [];
    const enough = take(watch({ over: () => told.push('enough') }), 1);
    const aborted = take(watch({ signal: ending.signal, over: () => told.push('aborted') }), 2);
    await write('one', 'payment');
    expect(await enough).toHaveLength(1);
    expect(told).toEqual(['enough']);
    expect(store.watchers).toBe(1);
    ending.abort();
    expect(await aborted).toHaveLength(1);
    expect(told).toEqual(['enough', 'aborted']);
    expect(store.watchers).toBe(0);
  });

  it('serves objects in another form, be it at once or later; what fails there is told before the end', async () => {
    const { write, watch } = await setUp();
    await write('one', 'payment');
    const served = (events: NonNullable<SelectedWatchOptions['served']>['events']) =>
      watch({ start: 'list', served: { objects: (items) => Promise.resolve(items), events } });
    const atOnce = take(
      served((batch) => batch),
      2,
    );
    const later = take(
      served((batch) => Promise.resolve(batch)),
      2,
    );
    const refused = take(
      served(() => Promise.reject(new StatusError('Conflict', 'no'))),
      2,
    );
    const broken = take(
      served(() => {
        throw new StatusError('Conflict', 'no');
      }),
      2,
    );
    await write('two', 'payment');
    for (const lines of [atOnce, later])
      expect(told(await lines)).toEqual(['ADDED one@1', 'ADDED two@2']);
    for (const lines of [refused, broken])
      expect((await lines).at(-1)?.event()).toMatchObject({
        type: 'ERROR',
        object: { reason: 'Conflict' },
      });
  });

  it('ends a watcher that fell behind with a line that says Expired', async () => {
    const { write, watch } = await setUp(3);
    const frames = watch();
    for (let i = 0; i < 10; i++) await write(`n${i}`, 'payment');
    const lines = await take(frames, 100);
    expect(lines.at(-1)?.event()).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', reason: 'Expired', code: 410 },
    });
  });
});

describe('a watch that is poured', () => {
  it('lets go of the present objects once they are told', async () => {
    const { store, write, watch } = await setUp();
    await write('one', 'payment');
    const lists: object[] = [];
    const list = store.list.bind(store);
    store.list = (...asked) => {
      const answer = list(...asked);
      lists.push(answer.items);
      return answer;
    };
    const ending = new AbortController();
    let told = 0;
    const poured = pour(watch({ start: 'list', signal: ending.signal }), () => ++told > 0);
    await write('two', 'payment');
    await until(() => told === 2);
    expect(lists).toHaveLength(1);
    expect(await isKept(() => lists.pop() ?? {})).toBe(false);
    ending.abort();
    await poured;
  });

  it('keeps what comes while its reader is busy, and hands it on as one', async () => {
    const { watch, write } = await setUp();
    const ending = new AbortController();
    const frames = watch({ signal: ending.signal });
    const taken: number[] = [];
    const busy = Promise.withResolvers<boolean>();
    const poured = pour(frames, (batch) => {
      taken.push(batch.length);
      return taken.length > 1 || busy.promise;
    });
    for (const name of ['one', 'two', 'three']) await write(name, 'payment');
    expect(taken).toEqual([1]);
    busy.resolve(true);
    await until(() => taken.length === 2);
    ending.abort();
    await poured;
    expect(taken).toEqual([1, 2]);
  });
});
