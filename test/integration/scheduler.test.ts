// The scheduler against the real API server; nodes are objects only.
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { Events, Nodes, PersistentVolumeClaims, PersistentVolumes } from '../../api/kinds.ts';
import { toMilli, tryParseQuantity } from '../../api/meta/quantity.ts';
import { StatusError } from '../../api/status.ts';
import { aPod, aScheduledCluster } from '../support/scheduled-cluster.ts';
import { until } from '../support/until.ts';

const milli = ({ spec }: Pod) =>
  toMilli(
    tryParseQuantity(spec?.containers[0]?.resources?.requests?.['cpu'] ?? '0') ?? {
      nanos: 0n,
      format: 'decimal',
    },
  );

/** CPU that bound pods ask for, by node, in thousandths. */
function usedByNode(pods: readonly Pod[]): Map<string, number> {
  const used = new Map<string, number>();
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    if (node) used.set(node, (used.get(node) ?? 0) + milli(pod));
  }
  return used;
}

describe('the scheduler', () => {
  it('lets a pod wait for the claim that its volume names, and says which', async () => {
    const { client, start, addNode, pods, nodeOf } = await aScheduledCluster();
    await addNode('n1');
    start();
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];
    await pods.create(aPod('p', '100m', { volumes }));
    const why = async () =>
      (await pods.get({ namespace: 'default', name: 'p' })).status?.conditions?.[0]?.message;
    const message = '0/1 nodes are available: persistentvolumeclaim "data" not found.';
    await until(async () => (await why()) === message);
    await client.resource(PersistentVolumeClaims).create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    const unbound = '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.';
    await until(async () => (await why()) === unbound);
    await client.resource(PersistentVolumes).create({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'disk' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/tmp/disk' },
      },
    });
    await until(async () => (await nodeOf('p')) === 'n1');
  });

  it('gives a pod a node and says so', async () => {
    const { client, start, addNode, pods, nodeOf } = await aScheduledCluster();
    await addNode('n1');
    start();
    await pods.create(aPod('p', '100m'));
    await until(async () => (await nodeOf('p')) === 'n1');
    const told = async () =>
      (await client.resource(Events).list({ namespace: 'default' })).items.map((e) => e.message);
    await until(async () => (await told()).includes('Successfully assigned default/p to n1'));
  });

  it('says why no node will do, and looks again when one comes', async () => {
    const { client, start, addNode, pods, nodeOf } = await aScheduledCluster();
    await addNode('small', {}, '100m');
    await addNode('tainted', {
      spec: { taints: [{ key: 'gpu', value: 'a', effect: 'NoSchedule' }] },
    });
    start();
    await pods.create(aPod('p', '500m'));
    const message =
      '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {gpu: a}.';
    await until(async () => {
      const { status } = await pods.get({ namespace: 'default', name: 'p' });
      const condition = status?.conditions?.find(({ type }) => type === 'PodScheduled');
      return condition?.reason === 'Unschedulable' && condition.message === message;
    });
    await until(async () =>
      (await client.resource(Events).list({ namespace: 'default' })).items.some(
        (event) => event.reason === 'FailedScheduling' && event.message === message,
      ),
    );
    await addNode('large');
    await until(async () => (await nodeOf('p')) === 'large');
  });

  it('looks again when a pod makes room', async () => {
    const { start, addNode, pods, nodeOf } = await aScheduledCluster();
    await addNode('n1');
    start();
    await pods.create(aPod('first', '800m'));
    await until(async () => (await nodeOf('first')) === 'n1');
    await pods.create(aPod('second', '800m'));
    await until(async () => {
      const { status } = await pods.get({ namespace: 'default', name: 'second' });
      return status?.conditions?.some(({ reason }) => reason === 'Unschedulable') ?? false;
    });
    await pods.delete({ namespace: 'default', name: 'first' }, { gracePeriodSeconds: 0 });
    await until(async () => (await nodeOf('second')) === 'n1');
  });

  it.each([
    ['is uncordoned', { spec: { unschedulable: true } }, { spec: { unschedulable: null } }],
    [
      'loses its taint',
      { spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' as const }] } },
      { spec: { taints: null } },
    ],
    ['gets the label', {}, { metadata: { labels: { disk: 'ssd' } } }],
    ['gets more room', {}, { status: { allocatable: { cpu: '2' } } }],
  ])('looks again when a node %s', async (what, before, patch) => {
    const { client, start, addNode, pods, nodeOf } = await aScheduledCluster();
    await addNode('n1', before, what === 'gets more room' ? '100m' : '1');
    start();
    const wants = what === 'gets the label' ? { nodeSelector: { disk: 'ssd' } } : {};
    await pods.create(aPod('p', '200m', wants));
    await until(async () => {
      const { status } = await pods.get({ namespace: 'default', name: 'p' });
      return status?.conditions?.some(({ reason }) => reason === 'Unschedulable') ?? false;
    });
    const options = 'status' in patch ? ({ subresource: 'status' } as const) : undefined;
    const body = { type: 'merge', body: patch } as const;
    await client.resource(Nodes).patch({ name: 'n1' }, body, options);
    await until(async () => (await nodeOf('p')) === 'n1');
  });

  it('spreads pods, or packs them when told to', async () => {
    for (const [strategy, nodes] of [
      ['spread', 2],
      ['pack', 1],
    ] as const) {
      const { start, addNode, pods, all } = await aScheduledCluster({ strategy });
      await addNode('n1');
      await addNode('n2');
      start();
      for (let i = 0; i < 4; i++) {
        await pods.create(aPod(`p${i}`, '100m'));
        await until(async () => (await all()).every(({ spec }) => spec?.nodeName));
      }
      expect(usedByNode(await all()).size).toBe(nodes);
    }
  });

  it('leaves pods to other schedulers, and pods with gates alone', async () => {
    const { start, addNode, pods, nodeOf } = await aScheduledCluster();
    await addNode('n1');
    start();
    await pods.create(aPod('other', '1m', { schedulerName: 'mine' }));
    await pods.create(aPod('gated', '1m', { schedulingGates: [{ name: 'example.com/wait' }] }));
    await pods.create(aPod('p', '1m'));
    await until(async () => (await nodeOf('p')) === 'n1');
    expect(await nodeOf('other')).toBeUndefined();
    expect(await nodeOf('gated')).toBeUndefined();
  });

  it('never gives a node more than it has, though pods change while they are bound', async () => {
    const { start, addNode, pods, all } = await aScheduledCluster();
    for (let i = 0; i < 4; i++) await addNode(`n${i}`);
    start();
    const make = async (i: number) => {
      await pods.create(aPod(`p${i}`, '300m'));
      // Changes of their labels reach the scheduler as it binds them.
      for (let round = 0; round < 3; round++)
        await pods.patch(
          { namespace: 'default', name: `p${i}` },
          { type: 'merge', body: { metadata: { labels: { round: String(round) } } } },
        );
    };
    await Promise.all(Array.from({ length: 24 }, (_, i) => make(i)));
    // Three fit on each of the four nodes.
    const isSettled = ({ spec, status }: Pod) =>
      spec?.nodeName || status?.conditions?.some(({ reason }) => reason === 'Unschedulable');
    await until(async () => {
      const pods = await all();
      return pods.length === 24 && pods.every(isSettled);
    });
    const used = usedByNode(await all());
    expect([...used.values()].every((cpu) => cpu <= 1000)).toBe(true);
    expect((await all()).filter(({ spec }) => spec?.nodeName)).toHaveLength(12);
  });

  it('makes use of every node of a large cluster', async () => {
    const { start, addNode, pods, all } = await aScheduledCluster();
    for (let i = 0; i < 250; i++) await addNode(`n${i}`);
    start();
    await Promise.all(Array.from({ length: 250 }, (_, i) => pods.create(aPod(`p${i}`, '400m'))));
    await until(async () => (await all()).every(({ spec }) => spec?.nodeName));
    const used = usedByNode(await all());
    expect(used.size).toBeGreaterThan(225);
  });

  it('goes on with the others when it cannot even look at a pod', async () => {
    const { start, addNode, pods, nodeOf } = await aScheduledCluster(
      {},
      {
        seen: (object) =>
          object.metadata?.name === 'odd' ? { ...object, spec: { containers: 1 } } : object,
      },
    );
    await addNode('n1');
    start();
    await pods.create(aPod('odd', '1m'));
    await pods.create(aPod('p', '1m'));
    await until(async () => (await nodeOf('p')) === 'n1');
  });

  it('gives a preference without content no weight', async () => {
    const { start, addNode, pods, nodeOf } = await aScheduledCluster();
    await addNode('n1');
    start();
    const nodeAffinity = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1 }] };
    await pods.create(aPod('p', '1m', { affinity: { nodeAffinity: nodeAffinity as never } }));
    await until(async () => (await nodeOf('p')) === 'n1');
  });

  it('tries the others again, though one that waits cannot be looked at any more', async () => {
    const { start, addNode, pods, nodeOf } = await aScheduledCluster(
      {},
      {
        // What it tolerates matters only for nodes with taints.
        seen: (object) => {
          if (object.metadata?.name !== 'odd') return object;
          const spec = object['spec'] as Pod['spec'];
          return { ...object, spec: { ...spec, tolerations: 1 } } as typeof object;
        },
      },
    );
    await addNode('small', {}, '100m');
    start();
    const waits = async (name: string) => {
      const { status } = await pods.get({ namespace: 'default', name });
      return status?.conditions?.some(({ reason }) => reason === 'Unschedulable') ?? false;
    };
    await pods.create(aPod('odd', '500m'));
    await until(() => waits('odd'));
    await pods.create(aPod('p', '500m', { tolerations: [{ operator: 'Exists' }] }));
    await until(() => waits('p'));
    await addNode('tainted', { spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] } });
    await until(async () => (await nodeOf('p')) === 'tainted');
  });

  it('tries a binding again that was refused, and says nothing of it having been made', async () => {
    let refused = 0;
    const { client, start, addNode, pods, nodeOf } = await aScheduledCluster(
      {},
      {
        request: (request, send) => {
          if (!request.path.endsWith('/pods/p/binding') || refused > 0) return send();
          refused++;
          return Promise.reject(new StatusError('InternalError', 'not now'));
        },
      },
    );
    await addNode('n1');
    start();
    await pods.create(aPod('p', '600m'));
    await until(async () => (await nodeOf('p')) === 'n1');
    expect(refused).toBe(1);
    const told = async () =>
      (await client.resource(Events).list({ namespace: 'default' })).items.filter(
        ({ reason }) => reason === 'Scheduled',
      );
    await until(async () => (await told()).length > 0);
    expect(await told()).toHaveLength(1);
  });

  it('never gives the room of a pod away whose binding was made, though the answer was lost', async () => {
    let lost = 0;
    const { start, addNode, pods, nodeOf, all } = await aScheduledCluster(
      {},
      {
        request: async (request, send) => {
          const reply = await send();
          if (!request.path.endsWith('/pods/p/binding')) return reply;
          lost++;
          throw new Error('the connection was lost');
        },
        // The watch is late: it shows nothing of the pod once it is bound.
        seen: (object) => {
          const isBound = Boolean((object['spec'] as Pod['spec'])?.nodeName);
          return object.metadata?.name === 'p' && isBound ? undefined : object;
        },
      },
    );
    await addNode('n1');
    start();
    await pods.create(aPod('p', '600m'));
    await until(() => lost === 1);
    await pods.create(aPod('q', '600m'));
    await until(async () => {
      const { status } = await pods.get({ namespace: 'default', name: 'q' });
      return status?.conditions?.some(({ reason }) => reason === 'Unschedulable') ?? false;
    });
    expect(await nodeOf('q')).toBeUndefined();
    expect(usedByNode(await all()).get('n1')).toBe(600);
    expect(lost).toBe(1);
  });
});
