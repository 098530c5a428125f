// @kubernetes/client-node's Watch, informers and ListWatch: every event, bookmarks, resumption, expiry, aborts, and what
// becomes of them when connections break and when the server is killed.
import * as k8s from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { aValue } from '../contracts/storage.ts';
import { type ClientNode, connectClientNode } from '../support/client-node.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let cluster: TestCluster;
let client: ClientNode;
let core: k8s.CoreV1Api;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
  client = await connectClientNode(cluster);
  core = client.config.makeApiClient(k8s.CoreV1Api);
});
afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

const aNamespace = async (name: string) => {
  await core.createNamespace({ body: { metadata: { name } } });
  // A ConfigMap that every namespace gets would be one event more.
  await until(() => read(name, 'kube-root-ca.crt').then(isThere, isMissing));
  return name;
};
const isThere = () => true;
const isMissing = () => false;
const pathOf = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
const read = (namespace: string, name: string) => core.readNamespacedConfigMap({ namespace, name });
const create = (namespace: string, name: string, labels = {}) =>
  core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels } } });
const remove = (namespace: string, name: string) =>
  core.deleteNamespacedConfigMap({ namespace, name });
const change = (namespace: string, name: string, data: Record<string, string>) =>
  core.patchNamespacedConfigMap(
    { namespace, name, body: { data } },
    k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch),
  );
const revision = async (namespace: string) => {
  const { metadata } = await core.listNamespacedConfigMap({ namespace });
  return metadata?.resourceVersion ?? '';
};

/** A watch that is going on, or over. */
interface Watched {
  /** `TYPE name`, in the order that they came. */
  readonly events: string[];
  readonly objects: k8s.KubernetesObject[];
  readonly controller: AbortController;
  /** How it ended: null at the server's end of it. */
  readonly ended: Promise<unknown>;
}

async function watching(
  namespace: string,
  query: Record<string, string | number | boolean> = {},
  config = client.config,
): Promise<Watched> {
  const events: string[] = [];
  const objects: k8s.KubernetesObject[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<unknown>();
  const seen = (type: string, object: k8s.KubernetesObject) => {
    events.push(`${type} ${object.metadata?.name ?? ''}`.trim());
    objects.push(object);
  };
  const watch = new k8s.Watch(config);
  const controller = await watch.watch(pathOf(namespace), query, seen, resolve);
  return { events, objects, controller, ended };
}

describe('Watch', () => {
  it('shows what is added, modified and deleted, and nothing else', async () => {
    const namespace = await aNamespace('events');
    const resourceVersion = await revision(namespace);
    const { events, objects, controller, ended } = await watching(namespace, { resourceVersion });
    await create(namespace, 'one');
    await change(namespace, 'one', { a: '1' });
    await create('default', 'elsewhere');
    await remove(namespace, 'one');
    await until(() => events.length >= 3);
    expect(events).toEqual(['ADDED one', 'MODIFIED one', 'DELETED one']);
    expect(objects[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
    const versions = objects.map(({ metadata }) => Number(metadata?.resourceVersion));
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    controller.abort();
    expect(await ended).toMatchObject({ name: 'AbortError' });
  });

  it('shows objects that come to match a selector as added, and those that no longer do as deleted', async () => {
    const namespace = await aNamespace('selected');
    const query = { labelSelector: 'deck=upper', resourceVersion: await revision(namespace) };
    const { events, controller } = await watching(namespace, query);
    const label = (deck: string) =>
      core.patchNamespacedConfigMap(
        { namespace, name: 'one', body: { metadata: { labels: { deck } } } },
        k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch),
      );
    await create(namespace, 'one', { deck: 'lower' });
    await label('upper');
    await label('lower');
    await until(() => events.length >= 2);
    expect(events).toEqual(['ADDED one', 'DELETED one']);
    controller.abort();
  });

  it('takes up again where another left off, with nothing lost', async () => {
    const namespace = await aNamespace('resumed');
    const first = await watching(namespace, { resourceVersion: await revision(namespace) });
    await create(namespace, 'seen');
    await until(() => first.events.length === 1);
    first.controller.abort();
    const resourceVersion = first.objects[0]?.metadata?.resourceVersion ?? '';
    await create(namespace, 'missed');
    await remove(namespace, 'seen');
    const second = await watching(namespace, { resourceVersion });
    await until(() => second.events.length === 2);
    expect(second.events).toEqual(['ADDED missed', 'DELETED seen']);
    second.controller.abort();
  });

  it('streams a list and marks its end with a bookmark', async () => {
    const namespace = await aNamespace('streamed');
    await create(namespace, 'one');
    const { events, objects, controller } = await watching(namespace, {
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: true,
    });
    await until(() => events.includes('BOOKMARK'));
    expect(events).toEqual(['ADDED kube-root-ca.crt', 'ADDED one', 'BOOKMARK']);
    expect(objects[2]?.metadata?.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    await create(namespace, 'two');
    await until(() => events.at(-1) === 'ADDED two');
    controller.abort();
  });

  it('is ended by the server after the seconds that were asked for', async () => {
    const namespace = await aNamespace('timed');
    const resourceVersion = await revision(namespace);
    const { ended, events } = await watching(namespace, { timeoutSeconds: 1, resourceVersion });
    expect(await ended).toBeNull();
    expect(events).toEqual([]);
  });

  it('is refused to who may not watch', async () => {
    const config = client.configOf(await cluster.userKubeconfig('ann'));
    const { ended } = await watching('default', {}, config);
    expect(await ended).toMatchObject({ statusCode: 403 });
  });

  it('from before the history is told that it is gone', async () => {
    const storage = createMemoryStorage({ clock: systemClock, logger: silentLogger });
    for (const name of ['a', 'b', 'c'])
      await storage.commit(`/registry/core/configmaps/default/${name}`, 'any', aValue(name));
    await storage.compact(3n);
    const server = await startTestServer({ storage });
    const config = new k8s.KubeConfig();
    config.loadFromFile(server.kubeconfig);
    const { ended, events, objects } = await watching('default', { resourceVersion: '1' }, config);
    expect(await ended).toBeNull();
    expect(events).toEqual(['ERROR']);
    expect(objects).toMatchObject([{ kind: 'Status', reason: 'Expired', code: 410 }]);
    await server.close();
  });
});

/** An informer's callbacks, as text. */
function notes(informer: k8s.Informer<k8s.V1ConfigMap>): string[] {
  const seen: string[] = [];
  for (const verb of ['add', 'update', 'delete'] as const)
    informer.on(verb, ({ metadata }) => seen.push(`${verb} ${metadata?.name}`));
  informer.on('connect', () => seen.push('connect'));
  return seen;
}

describe('an informer', () => {
  const informerOf = (namespace: string, labelSelector?: string) =>
    k8s.makeInformer<k8s.V1ConfigMap>(
      client.config,
      pathOf(namespace),
      () =>
        core.listNamespacedConfigMap({
          namespace,
          ...(labelSelector === undefined ? {} : { labelSelector }),
        }),
      labelSelector,
    );

  it('lists, then follows, and its cache is what is there', async () => {
    const namespace = await aNamespace('informed');
    await create(namespace, 'old', { by: 'informer' });
    await create(namespace, 'other');
    const informer = informerOf(namespace, 'by=informer');
    const seen = notes(informer);
    await informer.start();
    await create(namespace, 'new', { by: 'informer' });
    await change(namespace, 'old', { a: '1' });
    await until(() => informer.get('old', namespace)?.data?.['a'] === '1');
    expect(informer.list(namespace).map(({ metadata }) => metadata?.name)).toEqual(['old', 'new']);
    await remove(namespace, 'new');
    await until(() => seen.includes('delete new'));
    expect(seen).toEqual(['connect', 'add old', 'add new', 'update old', 'delete new']);
    expect(informer.list().map(({ metadata }) => metadata?.name)).toEqual(['old']);
    await informer.stop();
  });

  it('goes on by itself when the server ends its watch', async () => {
    const namespace = await aNamespace('ended');
    const timed = new k8s.Watch(client.config);
    const short: k8s.Watch = Object.assign(Object.create(timed) as k8s.Watch, {
      watch: (...[path, query, seen, done]: Parameters<k8s.Watch['watch']>) =>
        timed.watch(path, { ...query, timeoutSeconds: 1 }, seen, done),
    });
    const list = () => core.listNamespacedConfigMap({ namespace });
    const cache = new k8s.ListWatch<k8s.V1ConfigMap>(pathOf(namespace), short, list, false);
    const seen = notes(cache);
    await cache.start();
    const before = cache.latestResourceVersion();
    await until(() => seen.filter((what) => what === 'connect').length >= 2);
    await create(namespace, 'later');
    await until(() => cache.get('later', namespace) !== undefined);
    expect(Number(cache.latestResourceVersion())).toBeGreaterThan(Number(before));
    await cache.stop();
  });

  it('is told of a broken connection, and started again misses nothing', async () => {
    const namespace = await aNamespace('broken');
    const informer = informerOf(namespace);
    const seen = notes(informer);
    const broken = Promise.withResolvers<unknown>();
    informer.on('error', broken.resolve);
    await informer.start();
    client.cut();
    expect(await broken.promise).toBeInstanceOf(Error);
    await create(namespace, 'meanwhile');
    await informer.start();
    await until(() => seen.includes('add meanwhile'));
    await informer.stop();
  });

  it('outlives the death of the control plane', async () => {
    const namespace = await aNamespace('outlived');
    await create(namespace, 'before');
    const informer = informerOf(namespace);
    const seen = notes(informer);
    // As a program does it: on an error, start again, until there is a server.
    informer.on('error', () => void systemClock.sleep(50).then(() => informer.start()));
    await informer.start();
    await until(() => seen.includes('add before'));
    const pid = cluster.pidOf('control-plane');
    process.kill(pid ?? Number.NaN, 'SIGKILL');
    await until(() => ![pid, undefined].includes(cluster.pidOf('control-plane')));
    await until(() => create(namespace, 'after').then(isThere, isMissing));
    await change(namespace, 'before', { a: '1' });
    await until(() => informer.get('before', namespace)?.data?.['a'] === '1');
    expect(seen.filter((what) => what !== 'connect')).toEqual([
      'add before',
      'add kube-root-ca.crt',
      'add after',
      'update before',
    ]);
    await informer.stop();
  });
});
