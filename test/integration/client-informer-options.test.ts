// What informers may be told to hold, and how their handlers are told, against the real API server.
import { afterEach, describe, expect, it } from 'vitest';
import { Figures } from '../../base/figures.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemClock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { ConfigMap, Pod } from '../../api/generated/types.ts';
import { ConfigMaps, Nodes, Pods, Secrets } from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import {
  annotationValue,
  controllerUid,
  fieldValue,
  labelValue,
  ownerUids,
} from '../../client/informer/indexes.ts';
import { InformerFigures } from '../../client/informer/informer-figures.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import { type InformerFactoryOptions, REPLACE_TURN } from '../../client/informer/options.ts';
import { startCluster } from '../../testing/cluster/start-cluster.ts';
import { FaultyTransport } from '../support/faulty-transport.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { until } from '../support/until.ts';

const endings: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** A server and informers on it; they run once `start` is called. */
async function setUp(options: Partial<InformerFactoryOptions> = {}) {
  const { clock = systemClock } = options;
  const virtual = clock instanceof VirtualClock ? { clock } : {};
  const cluster = await startCluster({ controllers: 'none', scheduler: false, ...virtual });
  const { transport } = cluster.client;
  const seen = new FaultyTransport(() => transport);
  const informers = createInformerFactory({
    client: createClient(seen),
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    ...options,
  });
  const stop = new AbortController();
  endings.push(async () => {
    stop.abort(new Error('the test is over'));
    await informers.finished();
    await cluster.close();
  });
  return { cluster, seen, informers, start: () => informers.start(stop.signal) };
}

const aMap = (name: string, more: Partial<ConfigMap['metadata']> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', ...more },
  data: { large: 'x'.repeat(100) },
});

const names = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.name);

describe('an informer of metadata', () => {
  it.each(['list', 'stream'] as const)(
    'never sees the rest of objects, nor keeps it of its own writes (%s)',
    async (syncMode) => {
      const { cluster, seen, informers, start } = await setUp({ syncMode });
      const maps = cluster.client.resource(ConfigMaps);
      await maps.create(aMap('a', { labels: { app: 'x' } }));
      const informer = informers.informer(ConfigMaps, { metadataOnly: true });
      expect(informers.informer(ConfigMaps)).not.toBe(informer);
      informers.release(ConfigMaps);
      start();
      await informer.synced();
      informer.observeWrite(await maps.create(aMap('b')));
      await maps.create(aMap('c'));
      await until(() => informer.get('default/c') !== undefined);
      for (const object of informer.list('default'))
        expect(Object.keys(object).toSorted()).toEqual(['apiVersion', 'kind', 'metadata']);
      expect(informer.get('default/a')).toMatchObject({
        apiVersion: 'meta.k8s.io/v1',
        kind: 'PartialObjectMetadata',
        metadata: { labels: { app: 'x' } },
      });
      const asked = [...seen.requests, ...seen.watches].map(({ accept }) => accept);
      expect(asked.every((accept) => accept?.includes('as=PartialObjectMetadata'))).toBe(true);
    },
  );
});

describe('an informer of several namespaces', () => {
  it('holds these and no others, and is told of once each', async () => {
    const { cluster, informers, start } = await setUp();
    const create = (name: string, namespace: string) =>
      cluster.client.resource(ConfigMaps).create(aMap(name, { namespace }));
    for (const name of ['one', 'two', 'three'])
      await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await create('a', 'one');
    const scope = { namespaces: ['one', 'two', 'one'] };
    const informer = informers.informer(ConfigMaps, scope);
    informer.addIndex('name', fieldValue('metadata.name'));
    const told: (string | undefined)[] = [];
    const leave = informer.subscribe({ onAdd: ({ metadata }) => told.push(metadata.name) });
    start();
    await informer.synced();
    expect(informer.hasSynced).toBe(true);
    await create('other', 'three');
    await create('b', 'two');
    await create('a', 'two');
    await until(() => told.length === 3);
    expect(told).toEqual(['a', 'b', 'a']);
    expect(names(informer.list())).toEqual(['a', 'b', 'a']);
    expect(names(informer.list('two'))).toEqual(['b', 'a']);
    expect(names(informer.byIndex('name', 'a'))).toEqual(['a', 'a']);
    expect(informer.get('two/b')?.metadata.namespace).toBe('two');
    // A part is the informer of that namespace, shared with whoever asks for that alone.
    expect(informers.informer(ConfigMaps, { namespace: 'two' }).hasSynced).toBe(true);
    informer.observeWrite(await create('c', 'one'));
    expect(informer.get('one/c')).toBeDefined();
    leave();
    await create('d', 'one');
    await until(() => informer.get('one/d') !== undefined);
    expect(told).toHaveLength(4);
    expect(informers.counters()).toHaveLength(2);
  });
});

describe('a transform', () => {
  it('says what is kept, of lists, events and own writes; where it throws, all is kept', async () => {
    const { cluster, informers, start } = await setUp({
      transform: (ref, object) => {
        if (object.metadata.name === 'odd') throw new Error('cannot be done');
        const { data: _, ...rest } = object as ConfigMap;
        return ref.plural === 'configmaps' ? rest : object;
      },
    });
    const maps = cluster.client.resource(ConfigMaps);
    await maps.create(aMap('listed'));
    const informer = informers.informer(ConfigMaps, { namespace: 'default' });
    start();
    await informer.synced();
    informer.observeWrite(await maps.create(aMap('own')));
    await maps.create(aMap('odd'));
    await maps.create(aMap('event'));
    await until(() => informer.get('default/event') !== undefined);
    const whole = informer.list().filter(({ data }) => data !== undefined);
    expect(names(whole)).toEqual(['odd']);
    expect(informer.list()).toHaveLength(4);
  });
});

describe('tuning by kind', () => {
  it('goes before that of all', async () => {
    const { seen, informers, start } = await setUp({
      pageSize: 7,
      forKind: ({ plural }) => {
        if (plural === 'pods') return { syncMode: 'stream' };
        return plural === 'nodes' ? { pageSize: 3 } : undefined;
      },
    });
    for (const ref of [Pods, Nodes, Secrets]) informers.informer<KubeObject>(ref);
    start();
    await informers.synced();
    const limits = seen.requests.map(({ path, query }) => [path, query?.['limit']]);
    expect(limits).toEqual([
      ['/api/v1/nodes', '3'],
      ['/api/v1/secrets', '7'],
    ]);
  });
});

describe('a large list', () => {
  it('lets others have a turn between two of its pages, though the server is in this process', async () => {
    const { cluster, informers, start } = await setUp({ pageSize: 2 });
    for (let i = 0; i < 20; i++) await cluster.apply(aMap(`m${i}`));
    const informer = informers.informer(ConfigMaps, { namespace: 'default' });
    let turns = 0;
    const turn = () => {
      turns++;
      if (!informer.hasSynced) setImmediate(turn);
    };
    start();
    setImmediate(turn);
    await informer.synced();
    expect(turns).toBeGreaterThanOrEqual(9);
  });
});

describe('resync', () => {
  it('tells of each object again every so often, unless the handler is still at work', async () => {
    const clock = new VirtualClock();
    const { cluster, informers, start } = await setUp({ clock, resyncMs: 60_000 });
    await cluster.apply(aMap('a'), aMap('b'));
    const informer = informers.informer(ConfigMaps, { namespace: 'default' });
    const told: string[] = [];
    const note = (object: KubeObject, old: KubeObject) => {
      expect(object).toBe(old);
      told.push(object.metadata.name ?? '');
    };
    const leave = informer.subscribe({ onUpdate: note });
    const gate = Promise.withResolvers<void>();
    let slow = 0;
    informer.subscribe(
      {
        onUpdate: () => {
          slow++;
          return gate.promise;
        },
      },
      { resyncMs: 30_000 },
    );
    let never = 0;
    informer.subscribe({ onUpdate: () => never++ }, { resyncMs: 0 });
    start();
    await cluster.advance(59_000);
    expect(told).toEqual([]);
    await cluster.advance(2_000);
    expect(told).toEqual(['a', 'b']);
    await cluster.advance(120_000);
    expect(told).toHaveLength(6);
    expect(slow).toBe(1);
    gate.resolve();
    await cluster.advance(31_000);
    expect(slow).toBeGreaterThanOrEqual(3);
    leave();
    await cluster.advance(120_000);
    expect(told).toHaveLength(6);
    expect(never).toBe(0);
  });
});

describe('a large resync', () => {
  it('lets others in between, and is over when its handler is left', async () => {
    const pods = Array.from({ length: 2 * REPLACE_TURN + 1 }, (_, i) => aMap(`m-${i}`));
    const { cluster, informers, start } = await setUp({ clock: new VirtualClock() });
    const informer = informers.informer(ConfigMaps, { namespace: 'default' });
    start();
    await informer.synced();
    for (const [i, pod] of pods.entries())
      informer.observeWrite({
        ...pod,
        metadata: { ...pod.metadata, uid: `${i}`, resourceVersion: `${1e6 + i}` },
      });
    let told = 0;
    const leave = informer.subscribe({ onUpdate: () => told++ }, { resyncMs: 10_000 });
    const passed = cluster.advance(10_000);
    while (told === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(told).toBeLessThan(pods.length);
    await passed;
    expect(told).toBe(pods.length);
    leave();
    await cluster.advance(20_000);
    expect(told).toBe(pods.length);
  });
});

describe('the end of informers', () => {
  it('leaves no timer of their resyncs, nor of those asked for later', async () => {
    const { cluster } = await setUp();
    const clock = new VirtualClock();
    const random = seededRandom(1);
    const { client } = cluster;
    const informers = createInformerFactory({ client, clock, random, logger: silentLogger });
    const informer = informers.informer(ConfigMaps);
    const stop = new AbortController();
    informers.start(stop.signal);
    informer.subscribe({}, { resyncMs: 3_600_000 });
    await informer.synced();
    expect(clock.pendingTimers).toBe(1);
    stop.abort(new Error('the program ends'));
    await informers.finished();
    informer.subscribe({}, { resyncMs: 3_600_000 });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('handlers', () => {
  it('that come late are told of what is there in the order in which it came, before anything newer', async () => {
    const { cluster, informers, start } = await setUp();
    const maps = cluster.client.resource(ConfigMaps);
    const informer = informers.informer(ConfigMaps, { namespace: 'default' });
    start();
    await informer.synced();
    for (const name of ['z', 'a', 'm']) await maps.create(aMap(name));
    await until(() => informer.list().length === 3);
    const told: (string | undefined)[] = [];
    informer.subscribe({
      onAdd: ({ metadata }) => {
        told.push(metadata.name);
        if (metadata.name === 'z')
          informer.observeWrite({
            ...aMap('new', { uid: 'u', resourceVersion: '999999' }),
          });
      },
    });
    expect(told).toEqual(['z', 'a', 'm', 'new']);
  });

  it('are told of changes in one order, though one of them makes a change when it is told', async () => {
    const { cluster, informers, start } = await setUp();
    const informer = informers.informer(ConfigMaps, { namespace: 'default' });
    const later = { uid: 'u', resourceVersion: '999999' };
    informer.subscribe({
      onAdd: ({ metadata }) => {
        if (metadata.name === 'first') informer.observeWrite(aMap('second', later));
      },
    });
    const told: (string | undefined)[] = [];
    informer.subscribe({ onAdd: ({ metadata }) => told.push(metadata.name) });
    start();
    await informer.synced();
    await cluster.apply(aMap('first'));
    await until(() => told.length === 2);
    expect(told).toEqual(['first', 'second']);
  });

  it('that are slow hold nobody else up, and are told of the newest', async () => {
    const { cluster, informers, start } = await setUp();
    const maps = cluster.client.resource(ConfigMaps);
    const informer = informers.informer(ConfigMaps, { namespace: 'default' });
    const gate = Promise.withResolvers<void>();
    const slow: (string | undefined)[] = [];
    informer.subscribe({
      onAdd: () => gate.promise,
      onUpdate: ({ data }) => void slow.push(data?.['n']),
    });
    let quick = 0;
    informer.subscribe({ onUpdate: () => quick++ });
    start();
    await informer.synced();
    await maps.create(aMap('a'));
    for (let n = 1; n <= 5; n++)
      await maps.patch(
        { namespace: 'default', name: 'a' },
        { type: 'merge', body: { data: { n: String(n) } } },
      );
    await until(() => quick === 5);
    expect(informers.counters()[0]).toMatchObject({ backlog: 1, objects: 1, synced: true });
    gate.resolve();
    await until(() => slow.length > 0);
    expect(slow).toEqual(['5']);
  });
});

describe('indexes', () => {
  const owner = { apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u1' };
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      labels: { app: 'a' },
      annotations: { note: 'b' },
      ownerReferences: [owner, { ...owner, uid: 'u2', controller: true }],
    },
    spec: { nodeName: 'n', containers: [] },
  };

  it('find objects by owner, label, annotation and field', () => {
    expect(controllerUid(pod)).toEqual(['u2']);
    expect(ownerUids(pod)).toEqual(['u1', 'u2']);
    expect(labelValue('app')(pod)).toEqual(['a']);
    expect(annotationValue('note')(pod)).toEqual(['b']);
    expect(fieldValue('spec.nodeName')(pod)).toEqual(['n']);
  });

  it('leave out objects that lack what they go by', () => {
    const bare: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } };
    for (const values of [
      controllerUid,
      ownerUids,
      labelValue('app'),
      annotationValue('note'),
      fieldValue('spec.nodeName'),
      fieldValue('metadata'),
      fieldValue('metadata.constructor'),
    ])
      expect(values(bare)).toEqual([]);
  });
});

describe('figures', () => {
  it('show what befell informers, those of one resource added up', async () => {
    const { cluster, informers, start } = await setUp();
    const figures = new Figures();
    const shown = new InformerFigures(figures);
    shown.follow('test', informers);
    const maps = informers.informer(ConfigMaps, { namespace: 'default' });
    informers.informer(ConfigMaps, { namespace: 'kube-system' });
    maps.subscribe({
      onAdd: () => {
        throw new Error('broken');
      },
    });
    start();
    await informers.synced();
    await cluster.apply(aMap('a'));
    await until(() => maps.get('default/a') !== undefined);
    const text = await figures.text();
    const of = (name: string, more = '') =>
      new RegExp(`^${name}{name="test",resource="configmaps"${more}} (\\d+)$`, 'm').exec(text)?.[1];
    expect(of('reflector_lists_total')).toBe('2');
    expect(of('reflector_watches_total')).toBe('2');
    expect(of('reflector_transitions_total', ',transition="synced"')).toBe('2');
    expect(of('informer_handler_errors_total')).toBe('1');
    expect(Number(of('informer_objects'))).toBeGreaterThanOrEqual(1);
    expect(of('informer_unsynced')).toBe('0');
    expect(of('informer_handler_backlog')).toBe('0');
    expect(Number(of('reflector_events_total'))).toBeGreaterThanOrEqual(1);
  });
});
