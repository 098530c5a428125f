// Node lifecycle, eviction by taints and the pod collector against the real API server; the test plays the node agents.
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { Lease, Node, Pod } from '../../api/generated/types.ts';
import { Events, Leases, Namespaces, Nodes, Pods } from '../../api/kinds.ts';
import { isNotFound } from '../../api/status.ts';
import { NODE_QUARANTINE_MS } from '../../controllers/podgc/reconcile.ts';
import type { ClusterOptions, ControlledCluster } from '../support/controlled-cluster.ts';
import { aControlledCluster, setReady } from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

const clusters: ControlledCluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

const LEASES = 'kube-node-lease';

/** A cluster in which no node is taken for silent, however long the host stands still, unless the options say otherwise. */
async function aCluster(options: ClusterOptions = {}) {
  const cluster = await aControlledCluster({ nodes: { graceMs: 3_600_000 }, ...options });
  clusters.push(cluster);
  const { client } = cluster;
  const nodes = client.resource(Nodes);
  await client
    .resource(Namespaces)
    .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: LEASES } })
    .catch(() => undefined);
  const tellReady = (name: string, status: 'True' | 'False' = 'True', laterMs = 0) =>
    nodes.patch(
      { name },
      {
        type: 'strategic',
        body: {
          status: {
            conditions: [
              {
                type: 'Ready',
                status,
                lastHeartbeatTime: new Date(Date.now() + laterMs).toISOString(),
              },
            ],
          },
        },
      },
      { subresource: 'status' },
    );
  const join = async (name: string) => {
    await nodes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name } } as Node);
    await tellReady(name);
  };
  const leases = client.resource(Leases);
  let renewals = 0;
  /** What a node does that lives: its Lease is another each time. */
  const renew = async (name: string) => {
    const metadata = { name, namespace: LEASES };
    const renewTime = new Date(Date.UTC(2026, 0, 1) + ++renewals)
      .toISOString()
      .replace('Z', '000Z');
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: { renewTime } };
    await leases
      .patch(metadata, { type: 'merge', body })
      .catch(() => leases.create({ ...body, metadata } as Lease));
  };
  const taints = async (name: string) =>
    ((await nodes.get({ name })).spec?.taints ?? [])
      .map(({ key, effect }) => `${key.split('/')[1]}:${effect}`)
      .toSorted((a, b) => (a < b ? -1 : 1));
  const ready = async (name: string) =>
    (await nodes.get({ name })).status?.conditions?.find(({ type }) => type === 'Ready');
  return { client, nodes, join, tellReady, renew, taints, ready };
}

/** As `aCluster`, in time that a test lets pass: nodes count as away after their usual grace. */
async function aTimedCluster() {
  const clock = new VirtualClock(Date.now());
  const cluster = await aCluster({ clock, nodes: {} });
  /** Lets seconds pass, in each of which these nodes speak, until the condition holds. */
  const whileThese = (speak: readonly string[], holds: () => Promise<boolean>) =>
    until(async () => {
      for (const name of speak) await cluster.renew(name);
      await clock.advance(1_000);
      return holds();
    });
  return { ...cluster, whileThese };
}

const aPod = (name: string, spec: Partial<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'image:1' }], ...spec },
});
const stay = (tolerationSeconds?: number) => [
  {
    key: 'node.kubernetes.io/unreachable',
    operator: 'Exists',
    effect: 'NoExecute',
    ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
  },
];

it('a node that comes is told to be registered, once', async () => {
  const { client, join, tellReady, ready } = await aCluster();
  await join('n1');
  await tellReady('n1', 'False');
  await until(async () => (await ready('n1'))?.status === 'False');
  const told = async (name: string) =>
    (await client.resource(Events).list({ namespace: 'default' })).items.filter(
      ({ reason, involvedObject }) => reason === 'RegisteredNode' && involvedObject.name === name,
    );
  await join('n2');
  await until(async () => (await told('n2')).length === 1);
  const [event, ...more] = await told('n1');
  expect(event?.message).toBe('Node n1 event: Registered Node n1 in Controller');
  expect([event?.count, more]).toEqual([1, []]);
  expect(event?.source).toEqual({ component: 'node-controller' });
});

describe('a node that falls silent', () => {
  it('becomes unknown and tainted, its pods not ready; and all is taken back when it speaks again', async () => {
    const { client, join, whileThese, taints, ready, tellReady } = await aTimedCluster();
    await join('n1');
    await join('n2');
    const pods = client.resource(Pods);
    await setReady(client, await pods.create(aPod('p', { tolerations: stay() })));
    await whileThese(['n1', 'n2'], async () => (await taints('n1')).length === 0);
    await whileThese(['n2'], async () => (await ready('n1'))?.status === 'Unknown');
    expect(await ready('n1')).toMatchObject({ reason: 'NodeStatusUnknown' });
    await whileThese(['n2'], async () => (await taints('n1')).length === 2);
    expect(await taints('n1')).toEqual(['unreachable:NoExecute', 'unreachable:NoSchedule']);
    await whileThese(['n2'], async () => {
      const { status } = await pods.get({ namespace: 'default', name: 'p' });
      return status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'False';
    });
    expect(await taints('n2')).toEqual([]);
    await tellReady('n1');
    await whileThese(['n1', 'n2'], async () => (await taints('n1')).length === 0);
  });

  it('is not called silent when it speaks at the very moment that is written', async () => {
    const clock = new VirtualClock(Date.now());
    let met = 0;
    const { join, tellReady, ready } = await aCluster({
      clock,
      nodes: {},
      interception: {
        async request(request, send) {
          if (request.method === 'PUT' && request.path.endsWith('/nodes/n1/status') && met++ === 0)
            await tellReady('n1', 'True', 60_000);
          return send();
        },
      },
    });
    await join('n1');
    // Each turn lets requests under way come to their end.
    const pass = async (ms: number) => {
      for (let left = ms; left > 0; left -= 1_000) await clock.advance(1_000);
    };
    await until(async () => {
      await clock.advance(1_000);
      return met > 0;
    });
    await pass(30_000);
    expect((await ready('n1'))?.status).toBe('True');
    expect(met).toBe(1);
    // It has its full grace again, and no more.
    await until(async () => {
      await clock.advance(1_000);
      return (await ready('n1'))?.status === 'Unknown';
    });
  });

  it('loses its pods once they tolerate it no longer', async () => {
    const { client, join, whileThese } = await aTimedCluster();
    await join('n1');
    await join('n2');
    const pods = client.resource(Pods);
    await pods.create(aPod('stays', { tolerations: stay() }));
    await pods.create(aPod('goes', { tolerations: stay(0) }));
    await whileThese(['n2'], async () => {
      const { metadata } = await pods.get({ namespace: 'default', name: 'goes' });
      return metadata.deletionTimestamp !== undefined;
    });
    const { metadata } = await pods.get({ namespace: 'default', name: 'stays' });
    expect(metadata.deletionTimestamp).toBeUndefined();
  });

  it('keeps its pods while no node is ready at all', async () => {
    const { client, join, whileThese, taints, ready } = await aTimedCluster();
    await join('n1');
    await client.resource(Pods).create(aPod('p', { tolerations: stay(0) }));
    await whileThese([], async () => (await ready('n1'))?.status === 'Unknown');
    // The taint of its first moment may still be there.
    await whileThese([], async () => (await taints('n1')).includes('unreachable:NoSchedule'));
    expect(await taints('n1')).toEqual(['unreachable:NoSchedule']);
  });
});

describe('a pod that tolerates a taint for a while', () => {
  it('stays for that while, though the wall clock is set meanwhile', async () => {
    const clock = new VirtualClock(Date.now());
    const { client, nodes, join } = await aCluster({ clock });
    await join('n1');
    const pods = client.resource(Pods);
    const seconds = { key: 'slow', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 };
    const ever = { key: 'quick', operator: 'Exists', effect: 'NoExecute' };
    await pods.create(aPod('patient', { tolerations: [seconds, ever] }));
    await pods.create(aPod('slow-only', { tolerations: [{ ...seconds, tolerationSeconds: 600 }] }));
    await pods.create(aPod('touchy'));
    const leaving = async (name: string) =>
      (await pods.get({ namespace: 'default', name })).metadata.deletionTimestamp !== undefined;
    const taint = (...keys: string[]) => {
      const timeAdded = `${new Date().toISOString().slice(0, 19)}Z`;
      const taints = keys.map((key) => ({ key, effect: 'NoExecute', timeAdded }));
      return nodes.patch({ name: 'n1' }, { type: 'merge', body: { spec: { taints } } });
    };
    const first = (await taint('slow')).spec?.taints;
    // It is looked at last; by then the others wait for their moment.
    await until(() => leaving('touchy'));
    await clock.advance(1_000);
    clock.stepWall(3_600_000);
    const quick = { key: 'quick', effect: 'NoExecute' };
    const taints = [...(first ?? []), quick];
    await nodes.patch({ name: 'n1' }, { type: 'merge', body: { spec: { taints } } });
    await until(() => leaving('slow-only'));
    expect(await leaving('patient')).toBe(false);
    await clock.advance(60_000);
    await until(() => leaving('patient'));
  });
});

describe('a node', () => {
  it('takes no pods before it has said that it is ready, nor while it is cordoned', async () => {
    const { nodes, tellReady, taints } = await aCluster();
    await nodes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } } as Node);
    await until(async () => (await taints('n1')).join() === 'not-ready:NoSchedule');
    await tellReady('n1');
    await until(async () => (await taints('n1')).length === 0);
    const cordon = (unschedulable: boolean) =>
      nodes.patch({ name: 'n1' }, { type: 'merge', body: { spec: { unschedulable } } });
    await cordon(true);
    await until(async () => (await taints('n1')).join() === 'unschedulable:NoSchedule');
    await cordon(false);
    await until(async () => (await taints('n1')).length === 0);
  });
});

describe('the pod collector', () => {
  it('removes the pods of a node that is gone, once it was gone for long enough', async () => {
    const clock = new VirtualClock(Date.now());
    const phases: unknown[] = [];
    const { client, nodes, join } = await aCluster({
      clock,
      interception: {
        request(request, send) {
          const { status } = (request.body ?? {}) as Pod;
          if (request.method === 'PUT' && request.path.endsWith('/pods/p/status'))
            phases.push([status?.phase, status?.conditions?.at(-1)?.reason]);
          return send();
        },
      },
    });
    await join('n1');
    await join('n2');
    const pods = client.resource(Pods);
    await pods.create(aPod('p'));
    await pods.create(aPod('other', { nodeName: 'n2' }));
    const names = async () =>
      (await pods.list({ namespace: 'default' })).items.map(({ metadata }) => metadata.name);
    await nodes.delete({ name: 'n1' });
    for (let passed = 0; passed < NODE_QUARANTINE_MS - 5_000; passed += 1_000)
      await clock.advance(1_000);
    expect(await names()).toEqual(['other', 'p']);
    await until(async () => {
      await clock.advance(1_000);
      return (await names()).join() === 'other';
    });
    expect(phases).toEqual([['Failed', 'DeletionByPodGC']]);
  });

  it('leaves nothing of a pod that is deleted before it has a node', async () => {
    const { client } = await aCluster();
    const pods = client.resource(Pods);
    const { nodeName: _, ...spec } = aPod('p').spec ?? { containers: [] };
    await pods.create({ ...aPod('p'), spec });
    await pods.delete({ namespace: 'default', name: 'p' });
    await until(async () =>
      pods.get({ namespace: 'default', name: 'p' }).then(
        () => false,
        (error: unknown) => isNotFound(error),
      ),
    );
  });
});
