// A namespace is deleted, goes, and is made anew, while the namespace controller's watch lags behind and still shows the old one: what was
// in the new one was deleted. Found by simulating tenants (examples/08-tenant).
import { expect, it } from 'vitest';
import { ConfigMaps, Namespaces } from 'pinnace/client';
import { faults, startCluster, VirtualClock, withFaults } from 'pinnace/testing';
import 'pinnace/testing/vitest';

const metadata = { name: 'home' };
const home = { apiVersion: 'v1', kind: 'Namespace', metadata };
const config = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'home' },
});

it('empties no namespace that came after the one that the cache shows', async () => {
  const clock = new VirtualClock();
  const late = { fault: faults.delay(10_000), verb: 'watch', ref: Namespaces } as const;
  await using cluster = await startCluster({
    clock,
    controllers: ['namespace-controller'],
    scheduler: false,
    nodes: 0,
    transport: (inner, who) =>
      who === 'controllers' ? withFaults(inner, [late], { clock }) : inner,
  });
  const [namespaces, configs] = [
    cluster.client.resource(Namespaces),
    cluster.client.resource(ConfigMaps),
  ];
  await namespaces.create(home);
  await configs.create(config('old'));
  await cluster.advance(60_000);
  await namespaces.delete(metadata);
  await expect(cluster.client).toEventuallyBeGone(Namespaces, metadata);
  await namespaces.create(home);
  await configs.create(config('new'));
  // Its end wakes the namespace that the cache still shows.
  await configs.create(config('short-lived'));
  await configs.delete({ namespace: 'home', name: 'short-lived' });
  await cluster.advance(60_000);
  const { items } = await configs.list({ namespace: 'home' });
  expect(items.map((each) => each.metadata.name)).toEqual(['new']);
});
