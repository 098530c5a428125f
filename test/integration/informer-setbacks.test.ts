// Everything that befalls a reflector, by name, against real servers through real connections: it is counted under its name,
// and the cache ends up as the server is.
import { afterEach, describe, expect, it } from 'vitest';
import { BOOKMARK_EVERY_MS } from '../../apiserver/watch/selected-watch.ts';
import type { Clock } from '../../base/clock.ts';
import { systemClock } from '../../base/clock.ts';
import { type Logger, silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import {
  ClusterRoleBindings,
  ConfigMaps,
  CustomResourceDefinitions,
  Secrets,
} from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { expired, StatusError } from '../../api/status.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import type { InformerFactoryOptions } from '../../client/informer/options.ts';
import type { Transition } from '../../client/informer/reflector-machine.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { ConnectionError } from '../../client/transport/connection-error.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import { HTTP_LIMITS, type HttpTransportOptions } from '../../client/transport/http-options.ts';
import type { Transport } from '../../client/transport/transport.ts';
import { startCluster } from '../../testing/cluster/start-cluster.ts';
import { FaultyProxy } from '../support/faulty-proxy.ts';
import { FaultyTransport } from '../support/faulty-transport.ts';
import { intercepted } from '../support/intercepted-transport.ts';
import { mangledLines } from '../support/mangled-lines.ts';
import { RestartedServer } from '../support/restarted-server.ts';
import { until } from '../support/until.ts';

const endings: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

const aConfigMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});

interface Following extends Partial<InformerFactoryOptions> {
  readonly ref?: KindRef;
}

/** An informer on this transport, running. */
function follow(transport: Transport, { ref = ConfigMaps, ...options }: Following = {}) {
  const informers = createInformerFactory({
    client: createClient(transport),
    clock: systemClock,
    random: seededRandom(1),
    logger: silentLogger,
    ...options,
  });
  const informer = informers.informer<KubeObject>(ref);
  const stop = new AbortController();
  informers.start(stop.signal);
  endings.push(async () => {
    stop.abort(new Error('the test is over'));
    await informers.finished();
  });
  const times = (transition: Transition) =>
    informers.counters()[0]?.counters.transitions[transition] ?? 0;
  /** Resolves once its watch stands: an object that comes afterwards comes as an event. */
  const watching = async (write: (name: string) => Promise<unknown>) => {
    await informer.synced();
    await write('before');
    await until(() => times('progress') > 0);
  };
  const has = (name: string) => until(() => informer.get(`default/${name}`) !== undefined);
  const lists = () => informers.counters()[0]?.counters.lists;
  return { informer, times, has, lists, watching };
}

/** A server on LMDB behind HTTPS, and a proxy in the way to it. */
async function aServer() {
  const server = await RestartedServer.start();
  endings.push(() => server.close());
  const proxy = await FaultyProxy.open(() => server.port);
  endings.push(() => proxy.close());
  const write = (name: string) =>
    createClient(server.transport).resource(ConfigMaps).create(aConfigMap(name));
  const over = (options: Partial<HttpTransportOptions> = server.tls) => {
    const { ca } = server.tls;
    const address = `https://127.0.0.1:${proxy.port}`;
    const transport = createHttpTransport({ server: address, ca, ...options });
    endings.push(() => transport.close());
    return transport;
  };
  return { server, proxy, write, over };
}

/** A server in this process, and faults in the way to it. */
async function inProcess(clock: Clock = systemClock) {
  const bare = { controllers: 'none', scheduler: false } as const;
  const cluster = await startCluster({
    ...bare,
    ...(clock instanceof VirtualClock ? { clock } : {}),
  });
  endings.push(() => cluster.close());
  const { transport } = cluster.client;
  const write = (name: string) =>
    cluster.client.resource(ConfigMaps).create(aConfigMap(name, { text: 'x'.repeat(1000) }));
  return { cluster, write, transport: new FaultyTransport(() => transport) };
}

describe('a reflector over HTTPS', () => {
  it.each(['list', 'stream'] as const)(
    'lost: watches on from where it was, without another list (%s)',
    async (syncMode) => {
      const { proxy, write, over } = await aServer();
      const { times, has, lists, watching } = follow(over(), { syncMode });
      await watching(write);
      proxy.cut();
      await write('meanwhile');
      await has('meanwhile');
      expect(times('lost')).toBeGreaterThanOrEqual(1);
      expect(times(syncMode === 'list' ? 'synced' : 'streamed')).toBe(1);
      expect(lists()).toBe(syncMode === 'list' ? 1 : 0);
    },
  );

  it('silent: gives up a connection whose other half is gone, later than any bookmark is due', async () => {
    expect(HTTP_LIMITS.watchSilenceMs).toBeGreaterThan(2 * BOOKMARK_EVERY_MS);
    const { server, proxy, write, over } = await aServer();
    const clock = new VirtualClock();
    const { times, has, lists, watching } = follow(over({ ...server.tls, clock }));
    await watching(write);
    proxy.swallow();
    await write('meanwhile');
    await clock.advance(HTTP_LIMITS.watchSilenceMs);
    await has('meanwhile');
    expect(times('silent')).toBe(1);
    expect(lists()).toBe(1);
  });

  it('ended or lost: watches on where it was when the server is restarted on the same store', async () => {
    const { server, write, over } = await aServer();
    const { times, has, lists, watching } = follow(over());
    await watching(write);
    await server.restart();
    await write('after');
    await has('after');
    expect(times('ended') + times('lost')).toBeGreaterThanOrEqual(1);
    expect(lists()).toBe(1);
  });

  it('gap: shows another history alone when the server is restarted on another store', async () => {
    const { server, write, over } = await aServer();
    const { informer, times, has } = follow(over());
    for (let i = 0; i < 30; i++) await write(`old-${i}`);
    await has('old-29');
    await server.restart('another');
    await write('new');
    await has('new');
    expect(informer.list('default').map(({ metadata }) => metadata.name)).toEqual(['new']);
    expect(times('gap')).toBe(1);
  });

  it('unauthorized: waits while its token is not good, and goes on where it was with one that is', async () => {
    const { server, proxy, write, over } = await aServer();
    const user = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };
    server.tokens.set('first', user);
    let token = 'first';
    const { times, has, lists, watching } = follow(over({ token: async () => token }));
    await watching(write);
    server.tokens.clear();
    proxy.cut();
    await until(() => times('unauthorized') >= 2);
    await write('meanwhile');
    server.tokens.set('second', user);
    token = 'second';
    await has('meanwhile');
    expect(lists()).toBe(1);
  });

  it('forbidden: says so, and goes on once it is allowed', async () => {
    const { server, write, over } = await aServer();
    server.tokens.set('reader', { username: 'reader', groups: ['system:authenticated'] });
    const warnings: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (_, fields) => warnings.push(fields) };
    const { times, has } = follow(over({ token: 'reader' }), { logger });
    await write('hidden');
    await until(() => times('forbidden') >= 2);
    expect(warnings[0]).toMatchObject({ why: 'forbidden', resource: 'configmaps' });
    await createClient(server.transport)
      .resource(ClusterRoleBindings)
      .create({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'reader' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'reader' }],
      });
    await has('hidden');
  });

  it('tooLarge: asks for less at once until an answer fits', async () => {
    const { server, write, over } = await aServer();
    for (let i = 0; i < 20; i++) await write(`large-${i}`);
    const limits = { maxReplyBytes: 2_000 };
    const { times, has } = follow(over({ ...server.tls, limits }), { pageSize: 16 });
    await has('large-9');
    expect(times('tooLarge')).toBeGreaterThanOrEqual(1);
    expect(times('synced')).toBe(1);
  });

  it('lost: asks again for a list whose answer never comes, over a connection that looks sound', async () => {
    const { server, proxy, write, over } = await aServer();
    for (let i = 0; i < 5; i++) await write(`large-${i}`);
    const clock = new VirtualClock();
    const transport = over({ ...server.tls, clock });
    // The first request makes the connection that the list then uses.
    await createClient(transport).resource(Secrets).list({ namespace: 'default' });
    proxy.swallow();
    const { times, has } = follow(transport);
    await until(() => proxy.connections > 0);
    await clock.advance(HTTP_LIMITS.requestTimeoutMs);
    for (let turn = 0; turn < 20 && times('synced') === 0; turn++) await clock.advance(5_000);
    await has('large-4');
  });
});

describe('a reflector', () => {
  it('gap: reads all again when the revision has expired, in the answer or in the stream', async () => {
    const { write, transport } = await inProcess();
    const { times, has } = follow(transport);
    await write('a');
    await has('a');
    await until(() => transport.openWatches === 1);
    transport.breakWatches(expired('in the stream'));
    await until(() => times('synced') === 2 && transport.openWatches === 1);
    transport.failNext(expired('in the answer'));
    transport.breakWatches(new ConnectionError('lost', 'reset'));
    await until(() => times('synced') === 3);
    expect(times('gap')).toBe(2);
  });

  it('gap: reads all again when a bookmark is behind what it has seen, for then the history is another', async () => {
    const clock = new VirtualClock();
    const { cluster, write } = await inProcess(clock);
    const { transport } = cluster.client;
    let behind = false;
    const tells = intercepted(transport, {
      seen: (object) =>
        behind && object.metadata.name === undefined
          ? { ...object, metadata: { resourceVersion: '1' } }
          : object,
    });
    const { times } = follow(tells, { clock });
    await cluster.settled();
    await write('a');
    behind = true;
    await cluster.advance(BOOKMARK_EVERY_MS);
    expect(times('gap')).toBe(1);
    behind = false;
    await cluster.advance(1_000);
    expect(times('synced')).toBe(2);
  });

  it('gap: reads everything at once when history went on faster than pages came', async () => {
    const { write, transport } = await inProcess();
    for (let i = 0; i < 5; i++) await write(`page-${i}`);
    const paged = expired('the token is too old');
    let refused = 0;
    const late = intercepted(transport, {
      request: (request, send) =>
        request.query?.['continue'] !== undefined && refused++ === 0
          ? Promise.reject(paged)
          : send(),
    });
    const { times, has } = follow(late, { pageSize: 2 });
    await has('page-4');
    expect(times('gap')).toBe(1);
    expect(transport.requests.map(({ query }) => query?.['limit'])).toEqual(['2', '0']);
  });

  it('malformed: reads all again after a line that it cannot understand', async () => {
    const { cluster, write } = await inProcess();
    let mangling: 'none' | 'broken' = 'none';
    const { times, has, lists } = follow(mangledLines(cluster.client.transport, () => mangling));
    await until(() => times('synced') === 1);
    await write('a');
    await has('a');
    mangling = 'broken';
    await write('b');
    await until(() => times('malformed') >= 1);
    mangling = 'none';
    await has('b');
    expect(lists()).toBe(1 + times('malformed'));
  });

  it('bookmark: watches on from the server’s last word though nothing changed in what it follows', async () => {
    const clock = new VirtualClock();
    const { cluster, transport } = await inProcess(clock);
    const { times } = follow(transport, { clock });
    await cluster.settled();
    const other = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'default' },
    };
    const [secret] = await cluster.apply(other);
    await cluster.advance(BOOKMARK_EVERY_MS);
    expect(times('bookmark')).toBe(1);
    transport.breakWatches(new ConnectionError('lost', 'reset'));
    await cluster.advance(1_000);
    const from = transport.watches.map(({ query }) => Number(query?.['resourceVersion']));
    expect(from[1]).toBeGreaterThanOrEqual(Number(secret?.metadata.resourceVersion));
  });

  it('streamRefused: reads by pages', async () => {
    const { write, transport } = await inProcess();
    await write('a');
    transport.failNext(new StatusError('Invalid', 'sendInitialEvents: Forbidden'));
    const { times, has, lists } = follow(transport, { syncMode: 'stream' });
    await has('a');
    expect(times('streamRefused')).toBe(1);
    expect(times('streamed')).toBe(0);
    expect(lists()).toBe(1);
  });

  it('notServed: waits for a kind that is not installed yet', async () => {
    const { cluster, transport } = await inProcess();
    const group = 'ships.example.com';
    const ref: KindRef = { group, version: 'v1', kind: 'Ship', plural: 'ships', namespaced: true };
    const { informer, times } = follow(transport, { ref });
    await until(() => times('notServed') >= 2);
    expect(informer.hasSynced).toBe(false);
    const schema = { openAPIV3Schema: { type: 'object' } };
    await cluster.apply({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: CustomResourceDefinitions.kind,
      metadata: { name: `ships.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'ships', kind: 'Ship' },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    });
    await cluster.apply({ apiVersion: `${group}/v1`, kind: 'Ship', metadata: { name: 'a' } });
    await until(() => informer.get('default/a') !== undefined);
  });

  it('throttled: comes back no sooner than the server asks', async () => {
    const clock = new VirtualClock();
    const { cluster, write, transport } = await inProcess(clock);
    await write('a');
    const details = { retryAfterSeconds: 20 };
    transport.failNext(new StatusError('TooManyRequests', 'busy', { details }));
    const { informer, times } = follow(transport, { clock });
    await cluster.advance(19_000);
    expect(times('throttled')).toBe(1);
    expect(transport.requests).toHaveLength(1);
    await cluster.advance(2_000);
    expect(informer.get('default/a')).toBeDefined();
  });

  it('failed: goes on after an answer of 500, to a list and to a watch', async () => {
    const { write, transport } = await inProcess();
    transport.failNext(
      new StatusError('InternalError', 'no'),
      new StatusError('InternalError', 'no'),
    );
    const { times, has } = follow(transport);
    await write('a');
    await has('a');
    expect(times('failed')).toBe(2);
    transport.failNext(new StatusError('InternalError', 'no'));
    transport.breakWatches(new ConnectionError('lost', 'reset'));
    await write('b');
    await has('b');
    expect(times('gap')).toBe(1);
  });
});
