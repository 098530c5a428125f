// What a ReplicaSet's status costs: counts of many pods are written together, deeds wait for nothing. On virtual time.
// The test plays the node agent.
import { Pods, ReplicaSets } from 'pinnace/client';
import { startCluster, type TestCluster } from 'pinnace/testing';
import { expect, it } from 'vitest';
import type { Pod, ReplicaSet } from '../../api/generated/types.ts';
import { setReady } from '../support/controlled-cluster.ts';

const WEB = { namespace: 'default', name: 'web' };

/** A set of so many pods, all made, none ready; and how often its status was written since. */
async function aSet(replicas: number) {
  let writes = 0;
  const cluster = await startCluster({
    clock: 'virtual',
    nodes: 0,
    scheduler: false,
    transport: (inner) => ({
      ...inner,
      request(request) {
        if (request.path.endsWith('/replicasets/web/status')) writes++;
        return inner.request(request);
      },
      watch: (request) => inner.watch(request),
      stream: (request) => inner.stream(request),
      close: () => inner.close(),
    }),
  });
  const labels = { app: 'web' };
  const set: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: WEB,
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'web' }] } },
    },
  };
  await cluster.client.resource(ReplicaSets).create(set);
  await cluster.advance(2_000);
  writes = 0;
  return { cluster, pods: await podsOf(cluster), writes: () => writes };
}

async function podsOf({ client }: TestCluster): Promise<readonly Pod[]> {
  return (await client.resource(Pods).list({ namespace: 'default' })).items;
}

const readyIn = async ({ client }: TestCluster) =>
  (await client.resource(ReplicaSets).get(WEB)).status?.readyReplicas ?? 0;

it('a hundred pods that become ready one after the other in a second are a few writes', async () => {
  const { cluster, pods, writes } = await aSet(100);
  await using _ = cluster;
  expect(pods).toHaveLength(100);
  for (const pod of pods) {
    await setReady(cluster.client, pod);
    await cluster.advance(10);
  }
  await cluster.advance(500);
  expect(await readyIn(cluster)).toBe(100);
  expect(writes()).toBeGreaterThan(1);
  expect(writes()).toBeLessThanOrEqual(4);
});

it('a set of thousands is never more than a second behind', async () => {
  const { cluster, pods } = await aSet(1_000);
  await using _ = cluster;
  await setReady(cluster.client, pods[0] as Pod);
  await cluster.advance(990);
  expect(await readyIn(cluster)).toBe(0);
  await cluster.advance(10);
  expect(await readyIn(cluster)).toBe(1);
});

it('the counts of a small set wait for nothing', async () => {
  const { cluster, pods } = await aSet(10);
  await using _ = cluster;
  await setReady(cluster.client, pods[0] as Pod);
  await cluster.settled();
  expect(await readyIn(cluster)).toBe(1);
});

it('a pod that goes is replaced at once, though counts wait', async () => {
  const { cluster, pods } = await aSet(100);
  await using _ = cluster;
  await setReady(cluster.client, pods[0] as Pod);
  await cluster.client
    .resource(Pods)
    .delete(
      { namespace: 'default', name: pods[1]?.metadata.name ?? '' },
      { gracePeriodSeconds: 0 },
    );
  await cluster.settled();
  expect(await podsOf(cluster)).toHaveLength(100);
  expect(await readyIn(cluster)).toBe(1);
});
