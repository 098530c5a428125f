// Garbage collection and namespaces against the real API server.
import { afterEach, describe, expect, it } from 'vitest';
import type { ConfigMap, Namespace } from '../../api/generated/types.ts';
import {
  ConfigMaps,
  Deployments,
  Jobs,
  Namespaces,
  Pods,
  ReplicaSets,
  Secrets,
  ServiceAccounts,
} from '../../api/kinds.ts';
import type { OwnerReference } from '../../api/meta/object.ts';
import { isNotFound } from '../../api/status.ts';
import type { Client } from '../../client/rest/client.ts';
import type { ClusterOptions, ControlledCluster } from '../support/controlled-cluster.ts';
import { aControlledCluster, aDeployment, podsOf } from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

const clusters: ControlledCluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

async function aCluster(options: ClusterOptions = {}) {
  const cluster = await aControlledCluster(options);
  clusters.push(cluster);
  return cluster.client;
}

const configMap = (name: string, owners: OwnerReference[] = []): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', ownerReferences: owners },
});
const ownedBy = (owner: ConfigMap, blockOwnerDeletion = false): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: owner.metadata.name ?? '',
  uid: owner.metadata.uid ?? '',
  blockOwnerDeletion,
});
const at = (name: string, namespace = 'default') => ({ namespace, name });

async function isThere(client: Client, name: string): Promise<boolean> {
  try {
    await client.resource(ConfigMaps).get(at(name));
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

describe('the garbage collector', () => {
  it('deletes what a deleted object owned, down to the last generation', async () => {
    const client = await aCluster();
    const maps = client.resource(ConfigMaps);
    const a = await maps.create(configMap('a'));
    const b = await maps.create(configMap('b', [ownedBy(a)]));
    await maps.create(configMap('c', [ownedBy(b)]));
    await maps.create(configMap('free'));
    await maps.delete(at('a'));
    await until(async () => !(await isThere(client, 'b')) && !(await isThere(client, 'c')));
    expect(await isThere(client, 'free')).toBe(true);
  });

  it('deletes what names an owner that is not there, whatever else bears its name', async () => {
    const client = await aCluster();
    const maps = client.resource(ConfigMaps);
    const living = await maps.create(configMap('owner'));
    await maps.create(configMap('right', [ownedBy(living)]));
    await maps.create(configMap('wrong-uid', [{ ...ownedBy(living), uid: 'another' }]));
    await maps.create(configMap('no-owner', [{ ...ownedBy(living), name: 'x', uid: 'y' }]));
    await until(async () => !(await isThere(client, 'wrong-uid')));
    await until(async () => !(await isThere(client, 'no-owner')));
    expect(await isThere(client, 'right')).toBe(true);
  });

  it('keeps what has another owner left, without the reference to the one that is gone', async () => {
    const client = await aCluster();
    const maps = client.resource(ConfigMaps);
    const one = await maps.create(configMap('one'));
    const two = await maps.create(configMap('two'));
    await maps.create(configMap('child', [ownedBy(one), ownedBy(two)]));
    await maps.delete(at('one'));
    await until(async () => (await maps.get(at('child'))).metadata.ownerReferences?.length === 1);
    expect((await maps.get(at('child'))).metadata.ownerReferences?.[0]?.name).toBe('two');
  });

  it('leaves alone what was given another owner while it was being judged', async () => {
    const seen = new Map<string, string>();
    const turned: string[] = [];
    let judged = false;
    const client: Client = await aCluster({
      interception: {
        seen(object) {
          const { name = '', labels } = object.metadata ?? {};
          seen.set(name, labels?.['state'] ?? '');
          return object;
        },
        async request(request, send) {
          // The owner is asked for; before the collector hears that it is gone, it sees that the child has another.
          if (request.path.endsWith('/configmaps/gone') && !judged) {
            judged = true;
            const ownerReferences = [ownedBy(living)];
            await change('child', { labels: { state: 'adopted' }, ownerReferences });
            await until(() => seen.get('child') === 'adopted');
            // What is shown later tells that it took in what was shown before.
            await change('marker', { labels: { state: 'later' } });
            await until(() => seen.get('marker') === 'later');
          }
          const isDeletion = request.method === 'DELETE' && request.path.endsWith('/child');
          return send().finally(() => isDeletion && turned.push('deletion'));
        },
      },
    });
    const maps = client.resource(ConfigMaps);
    const change = (name: string, metadata: object) =>
      maps.patch(at(name), { type: 'merge', body: { metadata } });
    const living = await maps.create(configMap('living'));
    await maps.create(configMap('marker'));
    await maps.create(configMap('child', [{ ...ownedBy(living), name: 'gone', uid: 'gone' }]));
    await until(() => turned.length > 0);
    expect(await isThere(client, 'child')).toBe(true);
  });

  it('in the foreground deletes dependents that block first, and the owner last', async () => {
    const client = await aCluster();
    const maps = client.resource(ConfigMaps);
    const owner = await maps.create(configMap('owner'));
    const child = configMap('child', [ownedBy(owner, true)]);
    child.metadata.finalizers = ['example.com/hold'];
    await maps.create(child);
    await maps.create(configMap('loose', [ownedBy(owner, false)]));
    await maps.delete(at('owner'), { propagationPolicy: 'Foreground' });
    await until(async () => (await maps.get(at('child'))).metadata.deletionTimestamp !== undefined);
    await until(async () => !(await isThere(client, 'loose')));
    const waiting = await maps.get(at('owner'));
    expect(waiting.metadata.finalizers).toEqual(['foregroundDeletion']);
    await maps.patch(at('child'), { type: 'merge', body: { metadata: { finalizers: null } } });
    await until(async () => !(await isThere(client, 'owner')));
    expect(await isThere(client, 'child')).toBe(false);
  });

  it('lets dependents be when told to orphan them', async () => {
    const client = await aCluster();
    await client.resource(Deployments).create(aDeployment('web', { replicas: 2 }));
    await until(async () => (await podsOf(client, 'web')).length === 2);
    await client.resource(Deployments).delete(at('web'), { propagationPolicy: 'Orphan' });
    await until(async () => (await client.resource(Deployments).list()).items.length === 0);
    const [set] = (await client.resource(ReplicaSets).list({ namespace: 'default' })).items;
    expect(set?.metadata.ownerReferences ?? []).toEqual([]);
    expect(await podsOf(client, 'web')).toHaveLength(2);
  });

  it('lets what a job owned be, unless told otherwise', async () => {
    const client = await aCluster();
    const spec = { containers: [{ name: 'a', image: 'a' }], restartPolicy: 'Never' };
    const job = await client.resource(Jobs).create({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: at('job'),
      spec: { template: { spec } },
    });
    const { name = '', uid = '' } = job.metadata;
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true };
    await client.resource(ConfigMaps).create(configMap('left', [owner]));
    await client.resource(Jobs).delete(at('job'));
    await until(async () => (await client.resource(Jobs).list()).items.length === 0);
    const left = await client.resource(ConfigMaps).get(at('left'));
    expect(left.metadata.ownerReferences ?? []).toEqual([]);
  });

  it('finishes though two objects own each other', async () => {
    const client = await aCluster();
    const maps = client.resource(ConfigMaps);
    const a = await maps.create(configMap('a'));
    const b = await maps.create(configMap('b', [ownedBy(a, true)]));
    await maps.patch(at('a'), {
      type: 'merge',
      body: { metadata: { ownerReferences: [ownedBy(b, true)] } },
    });
    await maps.delete(at('a'), { propagationPolicy: 'Foreground' });
    await until(async () => !(await isThere(client, 'a')) && !(await isThere(client, 'b')));
  });
});

describe('a namespace', () => {
  const shop: Namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };

  it('gets a service account, and goes with all that is in it', async () => {
    const client = await aCluster();
    const namespaces = client.resource(Namespaces);
    await namespaces.create(shop);
    const deployment = aDeployment('web', { replicas: 2 });
    deployment.metadata.namespace = 'shop';
    await client.resource(Deployments).create(deployment);
    await client.resource(Secrets).create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'shop' },
    });
    const pods = async () => (await client.resource(Pods).list({ namespace: 'shop' })).items;
    await until(async () => (await pods()).length === 2);
    await namespaces.delete({ name: 'shop' });
    await until(
      async () => !(await namespaces.list()).items.some((n) => n.metadata.name === 'shop'),
    );
    expect(await pods()).toEqual([]);
    expect((await client.resource(Secrets).list({ namespace: 'shop' })).items).toEqual([]);
  });

  it('loses nothing else while one of its pods is left', async () => {
    const client = await aCluster();
    const namespaces = client.resource(Namespaces);
    const [pods, maps] = [client.resource(Pods), client.resource(ConfigMaps)];
    await namespaces.create(shop);
    const map = configMap('settings');
    map.metadata.namespace = 'shop';
    await maps.create(map);
    // A pod waits for it for a second only.
    const accounts = client.resource(ServiceAccounts);
    await until(async () => (await accounts.list({ namespace: 'shop' })).items.length > 0);
    await pods.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'slow', namespace: 'shop', finalizers: ['example.com/hold'] },
      spec: { containers: [{ name: 'main', image: 'image:1' }] },
    });
    await namespaces.delete({ name: 'shop' });
    const remaining = async () =>
      (await namespaces.get({ name: 'shop' })).status?.conditions?.find(
        ({ type }) => type === 'NamespaceContentRemaining',
      );
    await until(async () => (await remaining())?.status === 'True');
    expect((await remaining())?.message).toBe(
      'Some resources are remaining: pods. has 1 resource instances',
    );
    expect((await maps.get(at('settings', 'shop'))).metadata.deletionTimestamp).toBeUndefined();
    await pods.patch(at('slow', 'shop'), {
      type: 'merge',
      body: { metadata: { finalizers: null } },
    });
    await until(
      async () => !(await namespaces.list()).items.some((n) => n.metadata.name === 'shop'),
    );
    expect((await maps.list({ namespace: 'shop' })).items).toEqual([]);
  });

  it('says what holds it while something does', async () => {
    const client = await aCluster();
    const namespaces = client.resource(Namespaces);
    const maps = client.resource(ConfigMaps);
    await namespaces.create(shop);
    const held = configMap('held');
    held.metadata = { ...held.metadata, namespace: 'shop', finalizers: ['example.com/hold'] };
    await maps.create(held);
    await namespaces.delete({ name: 'shop' });
    const conditions = async () =>
      Object.fromEntries(
        ((await namespaces.get({ name: 'shop' })).status?.conditions ?? []).map((condition) => [
          condition.type,
          [condition.status, condition.message],
        ]),
      );
    await until(async () => (await conditions())['NamespaceFinalizersRemaining']?.[0] === 'True');
    const said = await conditions();
    expect(said['NamespaceContentRemaining']).toEqual([
      'True',
      'Some resources are remaining: configmaps. has 1 resource instances',
    ]);
    expect(said['NamespaceFinalizersRemaining']?.[1]).toBe(
      'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    );
    await maps.patch(at('held', 'shop'), {
      type: 'merge',
      body: { metadata: { finalizers: null } },
    });
    await until(
      async () => !(await namespaces.list()).items.some((n) => n.metadata.name === 'shop'),
    );
  });
});
