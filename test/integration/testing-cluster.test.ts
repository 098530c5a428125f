// The test cluster as a user of it sees it: whole, in one process, on the host's clock and on a virtual one.
import { afterEach, describe, expect, it } from 'vitest';
import {
  ConfigMaps,
  Deployments,
  Leases,
  Nodes,
  Pods,
  ReplicaSets,
  Secrets,
} from '../../api/kinds.ts';
import { SelfSubjectReviews } from '../../api/further-kinds.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { requeueAfter } from '../../controllers/framework/reconciler.ts';
import { eventually, eventuallyList, startCluster, type TestCluster } from '../../testing/index.ts';
import { aDeployment } from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

const clusters: TestCluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

async function aCluster(...options: Parameters<typeof startCluster>): Promise<TestCluster> {
  const cluster = await startCluster(...options);
  clusters.push(cluster);
  return cluster;
}

const named = (name: string) => ({ namespace: 'default', name });
const aConfigMap = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
});

/** Keeps a Secret of the same name for each ConfigMap, half a minute after it has seen it. */
const slowMirror = (seen: string[] = []) => {
  const waited = new Set<string>();
  return controllerFor(ConfigMaps)
    .named('slow-mirror')
    .where(({ metadata }) => metadata.namespace === 'default')
    .reconcile(async ({ metadata }, { client, key }) => {
      seen.push(key);
      if (!waited.has(key)) {
        waited.add(key);
        return requeueAfter(30_000);
      }
      await client
        .resource(Secrets)
        .create({ apiVersion: 'v1', kind: 'Secret', metadata: named(metadata.name ?? '') });
      return undefined;
    });
};

describe('on the host’s clock', () => {
  it('has controllers that work and go on deleting what depends', async () => {
    const { client } = await aCluster();
    await client.resource(Deployments).create(aDeployment('web', { replicas: 2 }));
    const pods = () => client.resource(Pods).list({ labelSelector: 'app=web' });
    await until(async () => (await pods()).items.length === 2);
    await client
      .resource(Deployments)
      .delete(named('web'), { propagationPolicy: 'Foreground', gracePeriodSeconds: 0 });
    await until(async () => (await client.resource(ReplicaSets).list()).items.length === 0);
    await until(async () => (await pods()).items.length === 0);
  });

  it('runs the built-in controllers that are named, and names those there are for another', async () => {
    const { client } = await aCluster({ controllers: ['deployment-controller'] });
    await client.resource(Deployments).create(aDeployment('web'));
    await until(async () => (await client.resource(ReplicaSets).list()).items.length === 1);
    await expect(startCluster({ controllers: ['deployments'] })).rejects.toThrow(
      /no built-in controller deployments; there are: .*deployment-controller/,
    );
  });

  it('says what to do where virtual time is asked for', async () => {
    const cluster = await aCluster({ controllers: 'none' });
    expect(() => cluster.advance(1)).toThrow("startCluster({ clock: 'virtual' })");
    expect(() => cluster.settled()).toThrow("startCluster({ clock: 'virtual' })");
  });
});

describe('on a virtual clock', () => {
  it('moves nothing that waits for time until told, and then everything', async () => {
    const cluster = await aCluster({ clock: 'virtual', controllers: 'none' });
    cluster.run([slowMirror()]);
    await cluster.apply(aConfigMap('one'));
    const secrets = async () =>
      (await cluster.client.resource(Secrets).list()).items.map(({ metadata }) => metadata.name);
    await cluster.advance(29_999);
    expect(await secrets()).toEqual([]);
    await cluster.advance(1);
    expect(await secrets()).toEqual(['one']);
  });

  it('makes the same ids, names and times from the same seed, and others from another', async () => {
    const story = async (seed: number) => {
      const cluster = await aCluster({ clock: 'virtual', seed });
      await cluster.client.resource(Deployments).create(aDeployment('web', { replicas: 3 }));
      await cluster.advance(60_000);
      return (await cluster.client.resource(Pods).list()).items;
    };
    const first = await story(7);
    expect(first).toHaveLength(3);
    expect(await story(7)).toEqual(first);
    expect(await story(8)).not.toEqual(first);
  });
});

describe('fake nodes', () => {
  it('run pods, one node unless told; images are told what they do by name', async () => {
    const cluster = await aCluster({
      clock: 'virtual',
      lives: { 'image:1': { readyAfterMs: 5_000 } },
    });
    expect(cluster.nodes.map(({ name }) => name)).toEqual(['node-1']);
    await cluster.client.resource(Deployments).create(aDeployment('web', { replicas: 2 }));
    const began = cluster.clock.now();
    const available = { status: { availableReplicas: 2 } };
    await eventually(cluster.client, Deployments, { name: 'web' }, available);
    expect(cluster.clock.now() - began).toBe(5_000);
  });

  it('come later, crash, and lose their pods to others', async () => {
    const cluster = await aCluster({ clock: 'virtual', nodes: [{ name: 'first' }] });
    const { client } = cluster;
    await client.resource(Deployments).create(aDeployment('web'));
    const running = (node: string) => [{ spec: { nodeName: node }, status: { phase: 'Running' } }];
    const ours = { labelSelector: 'app=web' };
    await eventuallyList(client, Pods, ours, running('first'));
    await cluster.addNode({ name: 'second' });
    await cluster.settled();
    await cluster.nodes[0]?.crash();
    // Forty seconds of silence, and the five minutes that pods put up with it.
    await eventuallyList(client, Pods, ours, running('second'));
  });

  it('are none where none are asked for', async () => {
    const cluster = await aCluster({ nodes: 0, controllers: 'none', scheduler: false });
    expect((await cluster.client.resource(Nodes).list()).items).toEqual([]);
  });
});

describe('programs of the user', () => {
  it('are administrators by their own name, as whom they write, unless told', async () => {
    const cluster = await aCluster({ clock: 'virtual', controllers: 'none' });
    const asked = controllerFor(ConfigMaps)
      .where(({ metadata }) => metadata.name === 'one')
      .reconcile(async (object, { resource, client }) => {
        const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
        const { status } = await client
          .resource(SelfSubjectReviews)
          .create({ ...review, metadata: {} });
        const data = { username: status?.userInfo?.username ?? '' };
        await resource.update({
          ...object,
          data: { ...data, groups: (status?.userInfo?.groups ?? []).join(',') },
        });
      });
    cluster.run([asked], { name: 'the-operator' });
    await cluster.apply({ ...aConfigMap('one'), data: { begun: 'yes' } });
    const groups = 'system:masters,system:authenticated';
    const data = { username: 'the-operator', groups };
    await eventually(cluster.client, ConfigMaps, { name: 'one' }, { data });
    const { metadata } = await cluster.client.resource(ConfigMaps).get(named('one'));
    expect(metadata.managedFields?.map(({ manager }) => manager)).toContain('the-operator');
  });

  it('read the namespaces that they are kept to, and no others', async () => {
    const cluster = await aCluster({ clock: 'virtual', controllers: 'none' });
    const seen: string[] = [];
    const reader = controllerFor(ConfigMaps).reconcile((_, { key }) => {
      seen.push(key);
      return Promise.resolve();
    });
    const elsewhere = { name: 'one', namespace: 'kube-system' };
    await cluster.apply({ ...aConfigMap('one'), metadata: elsewhere }, aConfigMap('two'));
    await cluster.run([reader], { namespaces: ['default'] }).synced;
    await cluster.settled();
    expect(seen).toEqual(['default/two']);
  });

  it('stop in order: the last reconcile is awaited, and the lease is there for the next', async () => {
    const cluster = await aCluster({ clock: 'virtual', controllers: 'none' });
    const lease = { namespace: 'default', name: 'the-lease' };
    const first = cluster.run([slowMirror()], { leaderElection: { ...lease, identity: 'first' } });
    await first.synced;
    await first.stop();
    await first.done;
    const { spec } = await cluster.client.resource(Leases).get(lease);
    expect(spec?.holderIdentity).toBe('');
  });

  it('crash as by kill -9: nothing is released, and no timer of theirs fires', async () => {
    const cluster = await aCluster({ clock: 'virtual', controllers: 'none' });
    const lease = { namespace: 'default', name: 'the-lease' };
    const seen: string[] = [];
    const first = cluster.run([slowMirror(seen)], {
      leaderElection: { ...lease, identity: 'first' },
    });
    await first.synced;
    await cluster.apply(aConfigMap('one'));
    await cluster.settled();
    expect(seen).toEqual(['default/one']);
    await first.crash();
    await cluster.advance(60_000);
    expect(seen).toEqual(['default/one']);
    const { spec } = await cluster.client.resource(Leases).get(lease);
    expect(spec?.holderIdentity).toBe('first');
  });

  it('tell what they ended by', async () => {
    const cluster = await startCluster({ controllers: 'none' });
    const broken = cluster.run([
      () => {
        throw new Error('a controller that cannot be made');
      },
    ]);
    await expect(broken.done).rejects.toThrow('cannot be made');
    await expect(broken.synced).rejects.toThrow('cannot be made');
    await expect(cluster.close()).rejects.toThrow('cannot be made');
  });
});

describe('apply', () => {
  it('takes YAML of several documents, definitions with their objects among them', async () => {
    const cluster = await aCluster({ controllers: 'none' });
    const applied = await cluster.apply(
      `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: boats.sea.example }
spec:
  group: sea.example
  scope: Namespaced
  names: { plural: boats, kind: Boat }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
---
apiVersion: sea.example/v1
kind: Boat
metadata: { name: pinnace }
spec: { oars: 8 }
`,
      aConfigMap('beside'),
    );
    expect(applied.map(({ kind, metadata }) => [kind, metadata.namespace])).toEqual([
      ['CustomResourceDefinition', undefined],
      ['Boat', 'default'],
      ['ConfigMap', 'default'],
    ]);
    const [one, two] = await cluster.apply(`
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: one }
      data:
        text: |
          a
            b

          c
      ---
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: two }
    `);
    expect([one, two?.metadata.name]).toMatchObject([{ data: { text: 'a\n  b\n\nc\n' } }, 'two']);
    await expect(
      cluster.apply('{ apiVersion: v1, kind: Boat, metadata: { name: x } }'),
    ).rejects.toThrow('no kind Boat in v1');
  });

  it('says why it could not be known what kinds there are', async () => {
    const cluster = await aCluster({ controllers: 'none' });
    const nobody = { ...aConfigMap('one'), apiVersion: 'nowhere.example/v1' };
    await expect(cluster.apply(nobody)).rejects.toThrow('no kind ConfigMap in nowhere.example/v1');
    cluster.client.transport.close();
    await expect(cluster.apply(aConfigMap('one'))).rejects.toThrow('the transport is closed');
  });

  it('says why a definition is never served', async () => {
    const cluster = await aCluster({ controllers: 'none' });
    const boats = (plural: string) => `
      apiVersion: apiextensions.k8s.io/v1
      kind: CustomResourceDefinition
      metadata: { name: ${plural}.sea.example }
      spec:
        group: sea.example
        scope: Namespaced
        names: { plural: ${plural}, kind: Boat }
        versions: [{ name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object } } }]
    `;
    await cluster.apply(boats('boats'));
    await expect(cluster.apply(boats('ships'))).rejects.toThrow(
      /does not accept the names of ships.sea.example/,
    );
  });
});
