// Pods go where their volumes are, and volumes are chosen with the node where their class says so; against the real API server and
// the real binder of claims.
import { describe, expect, it } from 'vitest';
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types.ts';
import { PersistentVolumeClaims, PersistentVolumes, StorageClasses } from '../../api/kinds.ts';
import type { Client } from '../../client/rest/client.ts';
import { aPod, aScheduledCluster } from '../support/scheduled-cluster.ts';
import { until } from '../support/until.ts';

const namespace = 'default';

const on = (node: string) => ({
  required: {
    nodeSelectorTerms: [
      { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
    ],
  },
});

const aVolume = (name: string, spec: PersistentVolume['spec'] = {}): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'local',
    ...spec,
  } as PersistentVolume['spec'],
});
const localOn = (name: string, node: string) =>
  aVolume(name, { local: { path: `/mnt/${name}` }, nodeAffinity: on(node) });

const aClaim = (name: string, storageClassName = 'local'): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace },
  spec: {
    storageClassName,
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
  },
});
const withClaims = (name: string, ...claims: string[]) =>
  aPod(name, '10m', {
    volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
  });

/** Two nodes, one of which knows its name by a label, and a class that waits for pods. */
async function aClusterOf(...nodes: string[]) {
  const cluster = await aScheduledCluster();
  for (const name of nodes)
    await cluster.addNode(name, { metadata: { name, labels: { 'kubernetes.io/hostname': name } } });
  await aClass(cluster.client, { name: 'local', provisioner: 'kubernetes.io/no-provisioner' });
  cluster.start();
  const { client, pods } = cluster;
  const why = async (name: string) =>
    (await pods.get({ namespace, name })).status?.conditions?.[0]?.message;
  const claimOf = (name: string) =>
    client.resource(PersistentVolumeClaims).get({ namespace, name });
  return { ...cluster, why, claimOf, volumes: client.resource(PersistentVolumes) };
}

async function aClass(
  client: Client,
  {
    name,
    provisioner,
    ...more
  }: { name: string; provisioner: string; allowedTopologies?: object[] },
) {
  await client.resource(StorageClasses).create({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner,
    volumeBindingMode: 'WaitForFirstConsumer',
    ...more,
  });
}

describe('a claim that waits for its pod', () => {
  it('is given a volume of the node that its pod gets, and the pod waits for that', async () => {
    const { client, volumes, pods, nodeOf, claimOf, why } = await aClusterOf('n1', 'n2', 'n3');
    await client.resource(PersistentVolumeClaims).create(aClaim('a'));
    await pods.create(withClaims('p', 'a'));
    const none =
      "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.";
    await until(async () => (await why('p')) === none);
    await volumes.create(localOn('disk', 'n2'));
    await until(async () => (await nodeOf('p')) === 'n2');
    const claim = await claimOf('a');
    expect(claim).toMatchObject({ spec: { volumeName: 'disk' }, status: { phase: 'Bound' } });
  });

  it('shares no volume with another, however many pods come at once', async () => {
    const { client, volumes, pods, nodeOf, claimOf } = await aClusterOf('n1', 'n2');
    const names = Array.from({ length: 8 }, (_, index) => `w${index}`);
    await Promise.all(
      names.flatMap((name, index) => [
        volumes.create(localOn(name, index % 2 === 0 ? 'n1' : 'n2')),
        client.resource(PersistentVolumeClaims).create(aClaim(name)),
        pods.create(withClaims(name, name)),
      ]),
    );
    await until(async () => {
      const nodes = await Promise.all(names.map(nodeOf));
      return nodes.every((node) => node !== undefined);
    });
    const placed = await Promise.all(
      names.map(async (name) => {
        const { volumeName = '' } = (await claimOf(name)).spec ?? {};
        const { spec } = await volumes.get({ name: volumeName });
        const at = spec?.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0];
        expect(at?.values).toEqual([await nodeOf(name)]);
        return volumeName;
      }),
    );
    expect(new Set(placed).size).toBe(names.length);
  });

  it('finds room for all claims of a pod on one node, or on none', async () => {
    const { client, volumes, pods, nodeOf, why } = await aClusterOf('n1', 'n2');
    for (const name of ['a', 'b'])
      await client.resource(PersistentVolumeClaims).create(aClaim(name));
    await volumes.create(localOn('one', 'n1'));
    await volumes.create(localOn('two', 'n2'));
    await pods.create(withClaims('p', 'a', 'b'));
    const none =
      "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.";
    await until(async () => (await why('p')) === none);
    await volumes.create(localOn('three', 'n2'));
    await until(async () => (await nodeOf('p')) === 'n2');
  });

  it('is chosen for once where two pods share it, and both go there', async () => {
    const { client, volumes, pods, nodeOf } = await aClusterOf('n1', 'n2');
    await client.resource(PersistentVolumeClaims).create(aClaim('a'));
    await volumes.create(localOn('disk', 'n2'));
    await Promise.all(['p', 'q'].map((name) => pods.create(withClaims(name, 'a'))));
    await until(async () => (await nodeOf('p')) === 'n2' && (await nodeOf('q')) === 'n2');
  });

  it('names the node for which its provisioner is to make a volume', async () => {
    const { client, volumes, pods, nodeOf, claimOf } = await aClusterOf('n1', 'n2');
    const allowedTopologies = [
      { matchLabelExpressions: [{ key: 'kubernetes.io/hostname', values: ['n2'] }] },
    ];
    await aClass(client, { name: 'made', provisioner: 'example.com/disks', allowedTopologies });
    await client.resource(PersistentVolumeClaims).create(aClaim('a', 'made'));
    await pods.create(withClaims('p', 'a'));
    const selected = 'volume.kubernetes.io/selected-node';
    await until(async () => (await claimOf('a')).metadata.annotations?.[selected] === 'n2');
    expect(await nodeOf('p')).toBeUndefined();
    // As a provisioner does it.
    const { uid } = (await claimOf('a')).metadata;
    const claimRef = { namespace, name: 'a', uid };
    const spec = { storageClassName: 'made', hostPath: { path: '/tmp/x' }, claimRef };
    await volumes.create(aVolume('x', spec));
    await until(async () => (await nodeOf('p')) === 'n2');
  });
});

describe('a claim for one pod alone', () => {
  it('holds others back for as long as that pod is there, and then has the next go where it may', async () => {
    const { client, volumes, pods, nodeOf, why, claimOf } = await aClusterOf('n1', 'n2');
    const accessModes = ['ReadWriteOncePod'];
    const shared = { storageClassName: 'now', accessModes, hostPath: { path: '/tmp/alone' } };
    await volumes.create(aVolume('disk', shared));
    const claim = aClaim('a', 'now');
    await client
      .resource(PersistentVolumeClaims)
      .create({ ...claim, spec: { ...claim.spec, accessModes } });
    await until(async () => (await claimOf('a')).status?.phase === 'Bound');
    const first = withClaims('p', 'a');
    await pods.create({ ...first, spec: { ...first.spec, nodeName: 'n1' } as typeof first.spec });
    const next = withClaims('q', 'a');
    const nodeSelector = { 'kubernetes.io/hostname': 'n2' };
    await pods.create({ ...next, spec: { ...next.spec, nodeSelector } as typeof next.spec });
    const held =
      "0/2 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode, 1 node(s) didn't match Pod's node affinity/selector.";
    await until(async () => (await why('q')) === held);
    await pods.delete({ namespace, name: 'p' }, { gracePeriodSeconds: 0 });
    await until(async () => (await nodeOf('q')) === 'n2');
  });
});

describe('a claim that is bound', () => {
  it('has its pod go where its volume is, or wait', async () => {
    const { client, volumes, pods, nodeOf, why, addNode } = await aClusterOf('n1', 'n2');
    await volumes.create({
      ...localOn('far', 'n3'),
      spec: { ...localOn('far', 'n3').spec, storageClassName: 'now' },
    });
    await client.resource(PersistentVolumeClaims).create(aClaim('a', 'now'));
    await pods.create(withClaims('p', 'a'));
    const far = "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity.";
    await until(async () => (await why('p')) === far);
    await addNode('n3', { metadata: { name: 'n3', labels: { 'kubernetes.io/hostname': 'n3' } } });
    await until(async () => (await nodeOf('p')) === 'n3');
  });

  it('to a volume that is gone has its pod wait', async () => {
    const { client, volumes, pods, why, claimOf } = await aClusterOf('n1');
    await volumes.create(aVolume('v', { storageClassName: '', hostPath: { path: '/tmp/v' } }));
    await client.resource(PersistentVolumeClaims).create(aClaim('a', ''));
    await until(async () => (await claimOf('a')).status?.phase === 'Bound');
    await volumes.delete({ name: 'v' });
    const body = { metadata: { finalizers: [] } };
    await volumes.patch({ name: 'v' }, { type: 'merge', body });
    await until(async () => (await claimOf('a')).status?.phase === 'Lost');
    await pods.create(withClaims('p', 'a'));
    const gone =
      '0/1 nodes are available: 1 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s).';
    await until(async () => (await why('p')) === gone);
  });
});
