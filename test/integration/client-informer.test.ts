// Informers against the real API server: they follow, they mend themselves, they never go back.
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import { ConfigMaps } from '../../api/kinds.ts';
import { expired } from '../../api/status.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import type { OwnedInformerFactory } from '../../client/informer/informer-factory.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { ConnectionError } from '../../client/transport/connection-error.ts';
import type { Transport } from '../../client/transport/transport.ts';
import { anApiServer } from '../support/client-server.ts';
import { FaultyTransport } from '../support/faulty-transport.ts';
import { until } from '../support/until.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function aTransport(): Promise<Transport> {
  const server = await anApiServer();
  endings.push(() => server.close());
  return server.transport;
}

/** A server, a faulty way to it, and informers on that way. */
async function setUp(options: { syncMode?: 'list' | 'stream'; pageSize?: number } = {}) {
  const home = { transport: await aTransport() };
  const transport = new FaultyTransport(() => home.transport);
  const direct = () => createClient(home.transport).resource(ConfigMaps);
  const client = createClient(transport);
  const informers = createInformerFactory({
    client,
    clock: systemClock,
    random: seededRandom(1),
    logger: silentLogger,
    ...options,
  });
  const stop = new AbortController();
  const start = () => {
    informers.start(stop.signal);
    endings.push(() => end(informers, stop));
  };
  return { home, transport, direct, informers, start };
}

async function end(informers: OwnedInformerFactory, stop: AbortController): Promise<void> {
  stop.abort(new Error('the test is over'));
  await informers.finished();
}

const aConfigMap = (name: string, more: Partial<ConfigMap> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  ...more,
  metadata: { name, namespace: 'default', ...more.metadata },
});

describe('an informer', () => {
  it.each(['list', 'stream'] as const)(
    'shows what was there and what changes (%s)',
    async (syncMode) => {
      const { direct, informers, start } = await setUp({ syncMode });
      await direct().create(aConfigMap('a'));
      const informer = informers.informer(ConfigMaps, { namespace: 'default' });
      const told: string[] = [];
      informer.subscribe({
        onAdd: (object) => {
          expect(informer.get(`default/${object.metadata.name}`)).toBe(object);
          told.push(`+${object.metadata.name}`);
        },
        onUpdate: (object, old) =>
          told.push(`~${object.metadata.name} ${old.data?.k} ${object.data?.k}`),
        onDelete: (object) => told.push(`-${object.metadata.name}`),
      });
      expect(informer.hasSynced).toBe(false);
      start();
      await informer.synced();
      expect(informer.get('default/a')?.metadata.uid).toMatch(/-/);
      const b = await direct().create(aConfigMap('b'));
      await direct().update({ ...b, data: { k: '1' } });
      await direct().delete({ namespace: 'default', name: 'a' });
      await until(() => told.length === 4);
      expect(told).toEqual(['+a', '+b', '~b undefined 1', '-a']);
      expect(informer.list('default').map(({ metadata }) => metadata.name)).toEqual(['b']);
      expect(Object.isFrozen(informer.get('default/b')?.metadata)).toBe(true);
    },
  );

  it('reads large collections page by page', async () => {
    const { direct, transport, informers, start } = await setUp({ pageSize: 10 });
    for (let i = 0; i < 25; i++) await direct().create(aConfigMap(`c${i}`));
    const informer = informers.informer(ConfigMaps, { namespace: 'default' });
    start();
    await informer.synced();
    expect(informer.list().length).toBe(25);
    expect(transport.requests.length).toBe(3);
  });

  it('keeps to its scope', async () => {
    const { direct, informers, start } = await setUp();
    await direct().create(aConfigMap('a', { metadata: { labels: { app: 'x' } } }));
    await direct().create(aConfigMap('b'));
    const informer = informers.informer(ConfigMaps, {
      namespace: 'default',
      labelSelector: 'app=x',
    });
    start();
    await informer.synced();
    expect(informer.list().map(({ metadata }) => metadata.name)).toEqual(['a']);
    const b = await direct().get({ namespace: 'default', name: 'b' });
    const labelled = { ...b, metadata: { ...b.metadata, labels: { app: 'x' } } };
    informer.observeWrite(await direct().update(labelled));
    await until(() => informer.get('default/b') !== undefined);
    await direct().patch(
      { namespace: 'default', name: 'a' },
      { type: 'merge', body: { metadata: { labels: null } } },
    );
    await until(() => informer.get('default/a') === undefined);
  });

  it('shows its own write before the server tells of it, and tells of it once', async () => {
    const { direct, informers, start } = await setUp();
    const informer = informers.informer(ConfigMaps, { namespace: 'default' });
    start();
    await informer.synced();
    let adds = 0;
    informer.subscribe({ onAdd: () => adds++ });
    for (let i = 0; i < 20; i++) {
      const made = await direct().create(aConfigMap(`w${i}`));
      informer.observeWrite(made);
      expect(informer.get(`default/w${i}`)?.metadata.resourceVersion).toBe(
        made.metadata.resourceVersion,
      );
    }
    await direct().create(aConfigMap('last'));
    await until(() => informer.get('default/last') !== undefined);
    expect(adds).toBe(21);
  });

  it.each([
    ['the connection is lost', new ConnectionError('lost', 'reset'), 0],
    ['its revision has expired', expired('too old'), 1],
    ['a line is malformed', new ConnectionError('malformed', 'not JSON'), 1],
  ])('misses nothing when %s', async (_, error, moreLists) => {
    const { direct, transport, informers, start } = await setUp();
    const informer = informers.informer(ConfigMaps, { namespace: 'default' });
    start();
    await informer.synced();
    await direct().create(aConfigMap('before'));
    await direct().create(aConfigMap('going'));
    await until(() => informer.get('default/going') !== undefined && transport.openWatches === 1);
    const deleted: (string | undefined)[] = [];
    informer.subscribe({ onDelete: ({ metadata }) => deleted.push(metadata.name) });
    expect(transport.breakWatches(error)).toBe(1);
    await direct().create(aConfigMap('meanwhile'));
    await direct().delete({ namespace: 'default', name: 'going' });
    await until(() => informer.get('default/meanwhile') !== undefined && deleted.length === 1);
    expect(deleted).toEqual(['going']);
    const [counted] = informers.counters();
    expect(counted?.counters).toMatchObject({ lists: 1 + moreLists, watches: 2, failures: 1 });
  });

  it('goes on trying when the first reads fail', async () => {
    const { direct, transport, informers, start } = await setUp();
    await direct().create(aConfigMap('a'));
    transport.failNext(...Array.from({ length: 4 }, () => new ConnectionError('lost', 'refused')));
    const informer = informers.informer(ConfigMaps, { namespace: 'default' });
    start();
    await informer.synced();
    expect(informer.get('default/a')).toBeDefined();
    expect(informers.counters()[0]?.counters.failures).toBe(4);
  });

  it('follows a server that begins anew with an empty store', async () => {
    const { home, direct, transport, informers, start } = await setUp();
    const informer = informers.informer(ConfigMaps, { namespace: 'default' });
    start();
    await informer.synced();
    for (let i = 0; i < 30; i++) await direct().create(aConfigMap(`old${i}`));
    await until(() => informer.list().length === 30 && transport.openWatches === 1);
    home.transport = await aTransport();
    await direct().create(aConfigMap('new'));
    transport.breakWatches(expired('another history'));
    await until(() => informer.get('default/new') !== undefined);
    expect(informer.list().map(({ metadata }) => metadata.name)).toEqual(['new']);
  });

  it('is shared by those who ask for the same, and goes on when one of its handlers throws', async () => {
    const { direct, informers, start } = await setUp();
    const scope = { namespace: 'default' };
    const informer = informers.informer(ConfigMaps, scope);
    expect(informers.informer(ConfigMaps, scope)).toBe(informer);
    expect(informers.informer(ConfigMaps)).not.toBe(informer);
    let told = 0;
    informer.subscribe({
      onAdd: () => {
        throw new Error('a broken handler');
      },
    });
    const leave = informer.subscribe({ onAdd: () => told++ });
    start();
    await informer.synced();
    await direct().create(aConfigMap('a'));
    await until(() => told === 1);
    leave();
    await direct().create(aConfigMap('b'));
    await until(() => informer.get('default/b') !== undefined);
    expect(told).toBe(1);
  });

  it('stops waiting for the first list when told to', async () => {
    const { informers } = await setUp();
    const informer = informers.informer(ConfigMaps);
    const gone = new Error('enough');
    const stop = new AbortController();
    const waiting = informer.synced(stop.signal);
    stop.abort(gone);
    await expect(waiting).rejects.toBe(gone);
    await expect(informer.synced(stop.signal)).rejects.toBe(gone);
  });

  it('go on past an object that an index cannot place', async () => {
    const { direct, informers, start } = await setUp();
    const informer = informers.informer(ConfigMaps);
    informer.addIndex('first-key', ({ data }) => {
      if (data?.['odd']) throw new Error('cannot be placed');
      return Object.keys(data ?? {});
    });
    await direct().create(aConfigMap('odd', { data: { odd: 'yes' } }));
    start();
    await informers.synced();
    await direct().create(aConfigMap('fine', { data: { plain: 'yes' } }));
    await until(() => informer.byIndex('first-key', 'plain').length === 1);
    expect(informer.get('default/odd')?.data).toEqual({ odd: 'yes' });
    await direct().delete({ namespace: 'default', name: 'odd' });
    await until(() => informer.get('default/odd') === undefined);
  });
});
