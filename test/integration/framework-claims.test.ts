// Adoption and release as an operator writes them, by what the packages export.
import {
  type ConfigMap,
  ConfigMaps,
  fromLabelSelector,
  isNamespaceTerminating,
  keyOf,
  Namespaces,
} from 'pinnace/client';
import { claimAll, controllerFor, indexForClaims, madeOrNeedless } from 'pinnace/controllers';
import { eventually, startCluster } from 'pinnace/testing';
import { expect, it } from 'vitest';

const config = (name: string, labels: Record<string, string>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name, labels },
});

it('takes in what its selector matches, and lets go of what it no longer matches', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 0, controllers: 'none' });
  const claimed = new Set<string>();
  const owners = controllerFor(ConfigMaps)
    .named('owners')
    .watches(ConfigMaps, () => ['default/owner'])
    .where(({ metadata }) => metadata.name === 'owner')
    .reconcile(async (owner, { informer, resource, signal }) => {
      const selector = fromLabelSelector({ matchLabels: { app: 'shop' } });
      const claim = { owner, selector, owners: resource, things: resource, informer, signal };
      claimed.clear();
      for (const thing of await claimAll(claim)) claimed.add(keyOf(thing));
    });
  cluster.run([
    (context) => {
      indexForClaims(context.informers.informer(ConfigMaps));
      return owners(context);
    },
  ]);
  const configs = cluster.client.resource(ConfigMaps);
  await configs.create(config('owner', {}));
  await configs.create(config('orphan', { app: 'shop' }));
  const where = { namespace: 'default', name: 'orphan' };
  const ownersOf = ({ metadata }: ConfigMap) => metadata.ownerReferences?.length ?? 0;
  await eventually(cluster.client, ConfigMaps, where, (orphan) => ownersOf(orphan) === 1);
  await cluster.settled();
  expect([...claimed]).toEqual(['default/orphan']);
  await configs.patch(where, { type: 'merge', body: { metadata: { labels: { app: 'other' } } } });
  await eventually(cluster.client, ConfigMaps, where, (orphan) => ownersOf(orphan) === 0);
  await cluster.settled();
  expect([...claimed]).toEqual([]);
});

it('has no need of what is there already, or whose namespace ends', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 0, controllers: 'none' });
  const namespaces = cluster.client.resource(Namespaces);
  await namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  const configs = cluster.client.resource(ConfigMaps);
  const make = (name: string) => {
    const metadata = { namespace: 'shop', name };
    return configs.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
  };
  await madeOrNeedless(make('settings'));
  await madeOrNeedless(make('settings'));
  await namespaces.delete({ name: 'shop' });
  await expect(make('late')).rejects.toSatisfy((error) => isNamespaceTerminating(error));
  await madeOrNeedless(make('late'));
});
