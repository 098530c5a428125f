// The copy's rules: newer replaces older, never the other way round; indexes follow; each change is told once.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../api/meta/object.ts';
import { MAX_GONE, ObjectStore } from './store.ts';

function anObject(name: string, revision: number, more: object = {}): KubeObject {
  const metadata = { name, namespace: 'n', uid: `uid-${name}`, resourceVersion: String(revision) };
  return { apiVersion: 'v1', kind: 'Thing', metadata: { ...metadata, ...more } };
}

/** Takes a whole collection at once. */
const replace = (store: ObjectStore<KubeObject>, objects: KubeObject[], revision: number) =>
  [...store.replace(objects, revision)].flat();

const kinds = (changes: readonly { kind: string }[]) => changes.map(({ kind }) => kind);

describe('ObjectStore', () => {
  it('tells adds, updates and deletions, and shows the outcome', () => {
    const store = new ObjectStore();
    expect(kinds(store.apply(anObject('a', 1)))).toEqual(['add']);
    expect(kinds(store.apply(anObject('a', 2)))).toEqual(['update']);
    expect(store.get('n/a')?.metadata.resourceVersion).toBe('2');
    expect(kinds(store.remove(anObject('a', 3)))).toEqual(['delete']);
    expect(store.list()).toEqual([]);
  });

  it('passes over what it has already and what is older', () => {
    const store = new ObjectStore();
    store.apply(anObject('a', 5));
    expect(store.apply(anObject('a', 5))).toEqual([]);
    expect(store.apply(anObject('a', 4))).toEqual([]);
    expect(store.remove(anObject('a', 4))).toEqual([]);
    expect(store.get('n/a')?.metadata.resourceVersion).toBe('5');
  });

  it('shows an own write that a list knows already, though its turn in the list is still to come', () => {
    const store = new ObjectStore();
    replace(store, [anObject('a', 1), anObject('b', 2)], 2);
    const steps = store.replace([anObject('a', 3), anObject('b', 5)], 6, 1);
    steps.next();
    expect(store.get('n/b')?.metadata.resourceVersion).toBe('2');
    expect(kinds(store.observe(anObject('b', 4)))).toEqual(['update']);
    expect(store.get('n/b')?.metadata.resourceVersion).toBe('5');
    expect(kinds([...steps].flat())).toEqual([]);
    expect(store.observe(anObject('b', 4))).toEqual([]);
  });

  it('shows an own write at once, and is not told of it again by the stream', () => {
    const store = new ObjectStore();
    replace(store, [anObject('a', 1)], 1);
    expect(kinds(store.observe(anObject('a', 4)))).toEqual(['update']);
    expect(store.apply(anObject('a', 3))).toEqual([]);
    expect(store.apply(anObject('a', 4))).toEqual([]);
    expect(store.get('n/a')?.metadata.resourceVersion).toBe('4');
  });

  it('does not bring back an object whose deletion came before the answer of an earlier write', () => {
    const store = new ObjectStore();
    replace(store, [anObject('a', 1)], 1);
    store.remove(anObject('a', 6));
    expect(store.observe(anObject('a', 5))).toEqual([]);
    expect(store.get('n/a')).toBeUndefined();
  });

  it('passes over lines that come twice, so that what was deleted does not come back', () => {
    const store = new ObjectStore();
    store.apply(anObject('a', 5));
    store.remove(anObject('a', 6));
    expect(store.apply(anObject('a', 5))).toEqual([]);
    store.apply(anObject('a', 7, { uid: 'other' }));
    expect(store.remove(anObject('a', 6))).toEqual([]);
    expect(store.list()).toHaveLength(1);
  });

  it('takes a state that the list shows for the truth, though it has a newer one of another history', () => {
    const store = new ObjectStore();
    replace(store, [anObject('a', 90)], 100);
    expect(kinds(replace(store, [anObject('a', 50)], 200))).toEqual(['update']);
    expect(store.get('n/a')?.metadata.resourceVersion).toBe('50');
  });

  it('takes a large collection in steps, and keeps own writes that come between two of them', () => {
    const store = new ObjectStore();
    const names = Array.from({ length: 10 }, (_, i) => `o${i}`);
    replace(
      store,
      ['x', 'y'].map((name) => anObject(name, 1)),
      1,
    );
    const listed = names.map((name) => anObject(name, 2));
    const steps = store.replace(listed, 5, 4);
    const told = [...(steps.next().value as { kind: string }[])];
    expect(kinds(told)).toEqual(['delete', 'delete', 'add', 'add']);
    store.observe(anObject('o9', 7));
    store.observe(anObject('new', 8));
    for (const more of steps) told.push(...more);
    expect(kinds(told).filter((kind) => kind === 'add')).toHaveLength(9);
    expect(store.size).toBe(11);
    expect(store.get('n/o9')?.metadata.resourceVersion).toBe('7');
  });

  it('goes by what came last where revisions are no numbers, as aggregated servers may have them', () => {
    const store = new ObjectStore();
    const opaque = (revision: string) => anObject('a', 0, { resourceVersion: revision });
    expect(kinds(store.apply(opaque('b-2')))).toEqual(['add']);
    expect(kinds(store.apply(opaque('a-1')))).toEqual(['update']);
    expect(store.apply(opaque('a-1'))).toEqual([]);
    expect(store.observe(opaque('c'))).toEqual([]);
    expect(kinds(store.remove(opaque('d')))).toEqual(['delete']);
  });

  it('tells a new object under an old name as a deletion and an add', () => {
    const store = new ObjectStore();
    store.apply(anObject('a', 1));
    const changes = store.apply(anObject('a', 9, { uid: 'other' }));
    expect(kinds(changes)).toEqual(['delete', 'add']);
    expect(changes[0]?.object.metadata.uid).toBe('uid-a');
  });

  it('takes a list as the truth, but keeps own writes that the list is too old to show', () => {
    const store = new ObjectStore();
    replace(store, [anObject('a', 1), anObject('b', 2)], 2);
    store.observe(anObject('c', 8));
    store.observe(anObject('b', 9));
    const changes = replace(store, [anObject('b', 2), anObject('d', 3)], 5);
    expect(changes.map(({ kind, object }) => [kind, object.metadata.name])).toEqual([
      ['delete', 'a'],
      ['add', 'd'],
    ]);
    expect(store.get('n/b')?.metadata.resourceVersion).toBe('9');
    expect(store.get('n/c')).toBeDefined();
  });

  it('keeps nothing of another history, when a list is older than what was seen', () => {
    const store = new ObjectStore();
    replace(store, [anObject('a', 90), anObject('b', 91)], 100);
    replace(store, [anObject('a', 3)], 5);
    expect(store.list().map(({ metadata }) => metadata.resourceVersion)).toEqual(['3']);
    expect(kinds(store.apply(anObject('b', 6)))).toEqual(['add']);
  });

  it('finds objects by namespace and by index, before and after the index was added', () => {
    const store = new ObjectStore();
    store.apply(anObject('a', 1, { labels: { app: 'x' } }));
    store.addIndex('app', ({ metadata }) => (metadata.labels?.app ? [metadata.labels.app] : []));
    store.apply(anObject('b', 2, { labels: { app: 'x' } }));
    store.apply(anObject('a', 3, { labels: { app: 'y' } }));
    const names = (objects: KubeObject[]) => objects.map(({ metadata }) => metadata.name);
    expect(names(store.byIndex('app', 'x'))).toEqual(['b']);
    expect(names(store.byIndex('app', 'y'))).toEqual(['a']);
    expect(new Set(names(store.list('n')))).toEqual(new Set(['a', 'b']));
    expect(store.list('elsewhere')).toEqual([]);
    expect(() => store.byIndex('none', 'x')).toThrow(
      /^no index named "none": there are app; addIndex makes one, of a controller's own kind \.index\(…\)$/,
    );
  });

  it('never shows an older revision of an object than before, whatever the order of news', () => {
    const news = fc.record({
      how: fc.constantFrom('apply', 'observe', 'remove'),
      name: fc.constantFrom('a', 'b'),
      revision: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(fc.array(news), (all) => {
        const store = new ObjectStore();
        for (const { how, name, revision } of all) {
          const before = Number(store.get(`n/${name}`)?.metadata.resourceVersion ?? 0);
          store[how as 'apply'](anObject(name, revision));
          const after = Number(store.get(`n/${name}`)?.metadata.resourceVersion ?? Infinity);
          expect(after).toBeGreaterThanOrEqual(before);
        }
      }),
    );
  });

  it('remembers own deletes up to the limit, and forgets each once the stream has shown it', () => {
    const store = new ObjectStore();
    const of = (uid: string, revision: number) => {
      const object = anObject('a', revision);
      return { ...object, metadata: { ...object.metadata, uid } };
    };
    store.apply(of('u0', 1));
    expect(kinds(store.observeDelete('n/a', 'other'))).toEqual([]);
    expect(kinds(store.observeDelete('n/a', 'u0'))).toEqual(['delete']);
    expect(kinds(store.apply(of('u0', 2)))).toEqual([]);
    expect(kinds(store.remove(of('u0', 3)))).toEqual([]);
    expect(kinds(store.apply(of('u0', 4)))).toEqual(['add']);
    for (let i = 1; i <= MAX_GONE + 1; i++) store.observeDelete('n/b', `v${i}`);
    expect(kinds(store.apply(of('v2', 5)))).toEqual([]);
    expect(kinds(store.apply(of('v1', 6)))).toEqual(['delete', 'add']);
  });

  it('costs the same per event with 20,000 objects as with 200', () => {
    const perEvent = (size: number) => {
      const store = new ObjectStore();
      store.addIndex('uid', ({ metadata }) => [metadata.uid ?? '']);
      let revision = 0;
      for (let i = 0; i < size; i++) store.apply(anObject(`o${i}`, ++revision));
      const before = process.cpuUsage().user;
      for (let i = 0; i < 4000; i++) store.apply(anObject(`o${i % 200}`, ++revision));
      return process.cpuUsage().user - before;
    };
    perEvent(200);
    // A hundred times the objects: a linear cost would be a hundred times as high.
    expect(perEvent(20_000)).toBeLessThan(20 * Math.max(perEvent(200), 2000));
  });

  it('is as it was when an index function throws, and takes the object later', () => {
    const store = new ObjectStore();
    let broken = true;
    store.addIndex('broken', ({ metadata }) => {
      if (broken && metadata.resourceVersion === '2') throw new Error('no index');
      return [metadata.resourceVersion ?? ''];
    });
    store.apply(anObject('a', 1));
    for (const take of [() => store.apply(anObject('a', 2)), () => store.apply(anObject('b', 2))])
      expect(take).toThrow('no index');
    expect(store.list().map(({ metadata }) => metadata.resourceVersion)).toEqual(['1']);
    expect(store.byIndex('broken', '1')).toHaveLength(1);
    broken = false;
    expect(kinds(store.observe(anObject('b', 2)))).toEqual(['add']);
    expect(kinds(store.apply(anObject('a', 2)))).toEqual(['update']);
    expect(store.byIndex('broken', '2')).toHaveLength(2);
  });
});
