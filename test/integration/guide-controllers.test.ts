// docs/guide/controllers.md does what it says: its code, on a whole cluster.
import { afterAll, expect, it } from 'vitest';
import type { ConfigMap } from '../../api/generated/types.ts';
import { ConfigMaps, Deployments, Events } from '../../api/kinds.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { ControllerFactory } from '../../controllers/framework/reconciler.ts';
import { startCluster } from '../../testing/cluster/start-cluster.ts';
import { eventually, eventuallyGone, eventuallyList } from '../../testing/eventually/eventually.ts';
import { guideFiles } from '../support/guide.ts';

const guide = guideFiles('docs/guide/controllers.md');
afterAll(() => guide.remove());

type Website = KubeObject & {
  spec: object;
  status?: { conditions?: { type: string; status: string }[] };
};

/** What the test uses of a kind that defineKind made. */
interface Made {
  definition(): object;
  object(parts: object): Website;
}

async function aCluster() {
  const cluster = await startCluster({
    clock: 'virtual',
    controllers: ['deployment-controller'],
    scheduler: false,
  });
  const { Websites } = await guide.load<{ Websites: KindRef<Website> & Made }>('website.ts');
  await cluster.apply(Websites.definition());
  const site = (spec: object) =>
    cluster.apply({
      ...Websites.object({ metadata: { name: 'shop', namespace: 'default' }, spec }),
    });
  return { cluster, Websites, site, shop: { name: 'shop' } };
}

it('has right types', async () => {
  expect(guide.names).toEqual(['website.ts', 'controller.ts', 'domains.ts', 'main.ts']);
  expect(await guide.faults()).toBe('');
});

it('keeps a deployment for each website, follows its settings, and tells how it stands', async () => {
  const { cluster, Websites, site, shop } = await aCluster();
  await using _ = cluster;
  const { websites } = await guide.load<{ websites: ControllerFactory }>('controller.ts');
  const { client } = cluster;
  const program = cluster.run([websites]);
  await program.synced;
  await site({ image: 'web:1', replicas: 2, settings: 'pages' });
  await eventually(client, Deployments, shop, { spec: { replicas: 2 } });
  const condition = (status: string) => (object: KubeObject) =>
    (object as Website).status?.conditions?.some((each) => each.status === status) ?? false;
  await eventually(client, Websites, shop, condition('False'));
  await eventuallyList(client, Events, { namespace: 'default' }, (all) =>
    all.some(({ reason, source }) => reason === 'NoSettings' && source?.component === 'websites'),
  );
  const pages: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'pages', namespace: 'default' },
  };
  const { metadata } = await client.resource(ConfigMaps).create(pages);
  await eventually(client, Websites, shop, condition('True'));
  const annotations = { 'example.com/settings': metadata.resourceVersion ?? '' };
  await eventually(client, Deployments, shop, {
    spec: { template: { metadata: { annotations } } },
  });
  await client.resource(Deployments).delete({ namespace: 'default', name: 'shop' });
  await eventually(
    client,
    Deployments,
    shop,
    ({ metadata: { deletionTimestamp } }) => deletionTimestamp === undefined,
  );
});

it('lets a website go once its domain is released, and not before', async () => {
  const { cluster, Websites, site, shop } = await aCluster();
  await using _ = cluster;
  const { domains } = await guide.load<{ domains: (registry: object) => ControllerFactory }>(
    'domains.ts',
  );
  const names = new Set<string>();
  let inUse = true;
  const registry = {
    register: (name: string) => Promise.resolve(void names.add(name)),
    release: (name: string) => Promise.resolve(inUse ? 'in use' : names.delete(name) && 'released'),
  };
  const { client } = cluster;
  const program = cluster.run([domains(registry)]);
  await program.synced;
  await site({ image: 'web:1' });
  await eventually(client, Websites, shop, { metadata: { finalizers: ['example.com/domain'] } });
  await client.resource(Websites).delete({ namespace: 'default', name: 'shop' });
  await eventually(
    client,
    Websites,
    shop,
    ({ metadata }) => metadata.deletionTimestamp !== undefined,
  );
  expect([...names]).toEqual(['shop']);
  inUse = false;
  await eventuallyGone(client, Websites, shop);
  expect([...names]).toEqual([]);
});
