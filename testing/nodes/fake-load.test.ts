// Loads of fake nodes: an autoscaler follows a curve, and one seed gives one history to the byte.
import { afterEach, describe, expect, it } from 'vitest';
import type { Deployment, HorizontalPodAutoscalerV2 } from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import {
  Deployments,
  Events,
  HorizontalPodAutoscalers,
  Leases,
  Nodes,
  Pods,
} from '../../api/kinds.ts';
import { startCluster, type TestCluster } from '../cluster/start-cluster.ts';
import type { LivesOf } from './pod-life.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const CORE = 1_000_000_000;

let cluster: TestCluster;
afterEach(() => cluster.close());

const meta = { namespace: 'default', name: 'shop' };
const shop: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta,
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'shop' } },
    template: {
      metadata: { labels: { app: 'shop' } },
      spec: {
        containers: [{ name: 'main', image: 'shop:1', resources: { requests: { cpu: '200m' } } }],
      },
    },
  },
};
const scaler: HorizontalPodAutoscalerV2 = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: meta,
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
    minReplicas: 1,
    maxReplicas: 10,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
      },
    ],
  },
};

/** Eight tenths of a processor for four minutes, which its ready pods share; hardly anything before and after. */
const busy: LivesOf = {
  'shop:1': {
    readyAfterMs: 3 * SECOND,
    cpuNanoCores: (at, { readyPods }) =>
      (at >= 2 * MINUTE && at < 6 * MINUTE ? 0.8 * CORE : 0.01 * CORE) / readyPods,
  },
};

async function start(seed: number, nodes: number): Promise<void> {
  cluster = await startCluster({ clock: 'virtual', seed, lives: busy, nodes });
  await cluster.client.resource(Deployments).create(shop);
  await cluster.client.resource(HorizontalPodAutoscalers).create(scaler);
}

const readyNow = async () =>
  (await cluster.client.resource(Deployments).get(meta)).status?.readyReplicas ?? 0;

describe('a load', () => {
  it('that is shared by the pods of a Deployment scales it out and in again', async () => {
    await start(1, 2);
    await cluster.advance(2 * MINUTE);
    expect(await readyNow()).toBe(1);
    await cluster.advance(4 * MINUTE);
    // 800m at 100m each.
    expect(await readyNow()).toBe(8);
    // The last recommendation of eight counts for five minutes more.
    await cluster.advance(7 * MINUTE);
    expect(await readyNow()).toBe(1);
  });
});

describe('one seed', () => {
  /** All that the programs of a cluster wrote, as the API tells it. */
  async function history(seed: number): Promise<string> {
    await start(seed, 3);
    await cluster.advance(3 * MINUTE);
    const [first] = cluster.nodes;
    await first?.crash();
    await cluster.advance(8 * MINUTE);
    await first?.start();
    await cluster.advance(2 * MINUTE);
    const kinds = [Pods, Nodes, Deployments, HorizontalPodAutoscalers, Events, Leases] as const;
    const lists: unknown[] = [];
    for (const kind of kinds)
      lists.push(await cluster.client.resource(kind as KindRef<KubeObject>).list());
    return JSON.stringify(lists, undefined, 1);
  }

  it('gives one history to the byte, and another seed another', async () => {
    const first = await history(7);
    await cluster.close();
    const again = await history(7);
    await cluster.close();
    expect(again).toBe(first);
    expect(await history(8)).not.toBe(first);
  });
});
