// Pods' lives on fake nodes, in whole clusters on virtual time: nothing is waited for, all of it is at a known moment.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Deployment, Pod, PodSpec } from '../../api/generated/types.ts';
import {
  Deployments,
  Events,
  Leases,
  Nodes,
  PersistentVolumeClaims,
  Pods,
} from '../../api/kinds.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { startCluster, type TestCluster } from '../cluster/start-cluster.ts';
import type { FakeNode } from './fake-node.ts';
import type { LivesOf } from './pod-life.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** Wall time at which clusters begin. */
const BEGIN = Date.UTC(2026, 0, 1);

let cluster: TestCluster;
let clock: VirtualClock;
let node: FakeNode;

async function start(lives: LivesOf = {}): Promise<void> {
  clock = new VirtualClock();
  cluster = await startCluster({ clock, lives });
  node = cluster.nodes[0] as FakeNode;
  await node.registered;
  await cluster.settled();
}
afterEach(() => cluster.close());

const pods = () => cluster.client.resource(Pods);
const advance = (ms: number) => cluster.advance(ms);
const getPod = (name: string) => pods().get({ namespace: 'default', name });
const isReady = (pod: Pod) => findCondition(pod.status?.conditions, 'Ready')?.status === 'True';
const main = (pod: Pod) => pod.status?.containerStatuses?.[0];

async function createPod(name: string, spec: Partial<PodSpec> = {}): Promise<void> {
  await pods().create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name },
    spec: { containers: [{ name: 'main', image: 'app:1' }], ...spec },
  });
  await cluster.settled();
}

function aDeployment(replicas: number): Deployment {
  const labels = { app: 'web' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'default', name: 'web' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'main', image: 'app:1' }] },
      },
    },
  };
}

async function reasonsOf(name: string): Promise<string[]> {
  const { items } = await cluster.client.resource(Events).list({ namespace: 'default' });
  return items.filter((each) => each.involvedObject.name === name).map((each) => each.reason ?? '');
}

describe('pods on a fake node', () => {
  it('make a Deployment available without any time going by', async () => {
    await start();
    await cluster.client.resource(Deployments).create(aDeployment(3));
    await cluster.settled();
    const { status } = await cluster.client
      .resource(Deployments)
      .get({ namespace: 'default', name: 'web' });
    expect(status).toMatchObject({ replicas: 3, readyReplicas: 3, availableReplicas: 3 });
    const { items } = await pods().list({ namespace: 'default' });
    expect(new Set(items.map((pod) => pod.status?.podIP)).size).toBe(3);
    expect(clock.now()).toBe(BEGIN);
  });

  it('are ready at the moment that their life says, and not before', async () => {
    await start({ 'app:1': { readyAfterMs: 2 * SECOND } });
    await createPod('web');
    await advance(2 * SECOND - 1);
    expect(main(await getPod('web'))).toMatchObject({ ready: false, state: { running: {} } });
    await advance(1);
    const pod = await getPod('web');
    expect(isReady(pod)).toBe(true);
    const ready = findCondition(pod.status?.conditions, 'Ready');
    expect(ready?.lastTransitionTime).toBe('2026-01-01T00:00:02Z');
  });

  it('are probed as their specification says, and restarted when they fail', async () => {
    let well = true;
    await start({ app: { probe: (kind) => kind !== 'liveness' || well } });
    const livenessProbe = {
      httpGet: { port: 80 },
      periodSeconds: 5,
      failureThreshold: 2,
      terminationGracePeriodSeconds: 1,
    };
    await createPod('web', { containers: [{ name: 'main', image: 'app:1', livenessProbe }] });
    await advance(30 * SECOND);
    expect(main(await getPod('web'))).toMatchObject({ restartCount: 0, ready: true });
    well = false;
    await advance(10 * SECOND);
    well = true;
    await advance(SECOND);
    expect(main(await getPod('web'))).toMatchObject({ restartCount: 1, ready: true });
    expect(await reasonsOf('web')).toContain('Unhealthy');
  });

  it('are asked by commands where their life answers those', async () => {
    let asked = 0;
    const exec = ([command]: readonly string[]) => {
      asked += 1;
      return { exitCode: command === 'check' ? 0 : 1 };
    };
    await start({ 'app:1': { exec, readyAfterMs: SECOND } });
    const probed = (command: string) => ({
      containers: [
        {
          name: 'main',
          image: 'app:1',
          readinessProbe: { exec: { command: [command] }, periodSeconds: 2 },
        },
      ],
    });
    await createPod('well', probed('check'));
    await createPod('ill', probed('other'));
    await advance(SECOND);
    expect(asked).toBe(0);
    await advance(SECOND);
    expect(asked).toBe(2);
    expect(isReady(await getPod('well'))).toBe(true);
    expect(isReady(await getPod('ill'))).toBe(false);
  });

  it('crash and are restarted after 10, 20 and 40 seconds', async () => {
    await start({ 'app:1': { crashAfterMs: 10 * SECOND } });
    await createPod('web');
    // The first time at once, then each time later.
    const starts: number[] = [];
    let known = -1;
    for (let second = 0; second <= 120; second++) {
      const count = main(await getPod('web'))?.restartCount ?? 0;
      const running = main(await getPod('web'))?.state?.running !== undefined;
      if (running && count > known) {
        known = count;
        starts.push(second);
      }
      await advance(SECOND);
    }
    expect(starts).toEqual([0, 10, 30, 60, 110]);
    const waiting = main(await getPod('web'));
    expect(waiting).toMatchObject({
      restartCount: 4,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
    });
  });

  it('fail when they end badly and are not to be restarted', async () => {
    await start({ 'app:1': { exitAfterMs: SECOND, exitCode: 1 } });
    await createPod('job', { restartPolicy: 'Never' });
    await advance(SECOND);
    expect((await getPod('job')).status).toMatchObject({
      phase: 'Failed',
      containerStatuses: [{ state: { terminated: { exitCode: 1, reason: 'Error' } } }],
    });
  });

  it('wait for an image as long as its pull takes, once for all of a node', async () => {
    await start({ 'app:1': { pullMs: 30 * SECOND } });
    await createPod('web');
    await advance(10 * SECOND);
    await createPod('second');
    await advance(20 * SECOND - 1);
    for (const name of ['web', 'second'])
      expect(main(await getPod(name))?.state?.waiting?.reason).toBe('ContainerCreating');
    await advance(1);
    for (const name of ['web', 'second']) expect(isReady(await getPod(name))).toBe(true);
    await createPod('third');
    expect(isReady(await getPod('third'))).toBe(true);
    expect(await reasonsOf('web')).toEqual(expect.arrayContaining(['Pulling', 'Pulled']));
  });

  it('leave at once though their image is still being pulled', async () => {
    await start({ 'app:1': { pullMs: 5 * MINUTE } });
    await createPod('web');
    await advance(SECOND);
    await pods().delete({ namespace: 'default', name: 'web' });
    await advance(SECOND);
    await expect(getPod('web')).rejects.toMatchObject({ reason: 'NotFound' });
  });

  it('say why their image cannot be pulled, and start once it can, trying each time later', async () => {
    let pullError: string | undefined = 'toomanyrequests';
    let tries = 0;
    await start(({ attempt }) => {
      if (attempt === 0) tries += 1;
      return pullError === undefined ? {} : { pullError };
    });
    await createPod('web');
    expect(main(await getPod('web'))?.state?.waiting).toEqual({
      reason: 'ErrImagePull',
      message: 'toomanyrequests',
    });
    await advance(5 * SECOND);
    expect(main(await getPod('web'))?.state?.waiting).toEqual({
      reason: 'ImagePullBackOff',
      message: 'Back-off pulling image "app:1": ErrImagePull: toomanyrequests',
    });
    await advance(MINUTE - 5 * SECOND);
    // At once, and after 10 and 30 seconds.
    expect(tries).toBe(3);
    pullError = undefined;
    await advance(MINUTE);
    expect(isReady(await getPod('web'))).toBe(true);
  });

  it('say so when nobody has their image', async () => {
    await start();
    const strict = await cluster.addNode({
      name: 'strict',
      images: 'known',
      lives: { 'db:1': {} },
    });
    await strict.registered;
    const on = (image: string) => ({
      nodeName: 'strict',
      containers: [{ name: 'main', image }],
    });
    await createPod('known', on('db:1'));
    await createPod('unknown', on('nobody/has:this'));
    expect(isReady(await getPod('known'))).toBe(true);
    expect(main(await getPod('unknown'))?.state?.waiting?.reason).toBe('ErrImagePull');
    await advance(5 * SECOND);
    expect(main(await getPod('unknown'))?.state?.waiting?.reason).toBe('ImagePullBackOff');
    strict.images.add('nobody/has:this');
    await advance(5 * SECOND);
    expect(isReady(await getPod('unknown'))).toBe(true);
  });

  it('have the volume that a claim stands for, once the claim is there', async () => {
    await start();
    const at = { namespace: 'default', name: 'data' };
    await createPod('db', {
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    });
    await advance(MINUTE);
    expect(isReady(await getPod('db'))).toBe(false);
    await cluster.client.resource(PersistentVolumeClaims).create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: at,
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    await advance(10 * SECOND);
    expect(isReady(await getPod('db'))).toBe(true);
  });

  it('count each try of a volume that cannot be made, and no look between two tries', async () => {
    await start();
    await createPod('web', { volumes: [{ name: 'v', configMap: { name: 'nowhere' } }] });
    const countOf = async () => {
      const { items } = await cluster.client.resource(Events).list({ namespace: 'default' });
      const mounts = items.filter(({ reason }) => reason === 'FailedMount');
      expect(mounts.length).toBe(1);
      return mounts[0]?.count;
    };
    expect(await countOf()).toBe(1);
    for (const [ms, count] of [
      [SECOND / 2, 1],
      [SECOND, 2],
      [2 * SECOND, 3],
      [4 * SECOND, 4],
    ] as const) {
      // A change of the pod has it looked at: that is no try.
      const body = { metadata: { labels: { looks: String(ms) } } };
      await pods().patch({ namespace: 'default', name: 'web' }, { type: 'merge', body });
      await advance(ms);
      expect(await countOf()).toBe(count);
    }
  });

  it('have logs, which grow as their life says', async () => {
    await start({ 'app:1': { log: ['first', { atMs: 5 * SECOND, line: 'later' }] } });
    await createPod('web');
    expect(await logOf('web')).toBe('first\n');
    await advance(5 * SECOND);
    expect(await logOf('web')).toBe('first\nlater\n');
    expect(await logOf('web', { tailLines: '1' })).toBe('later\n');
    await expect(logOf('web', { previous: 'true' })).rejects.toThrow(/previous terminated/);
  });

  it('have a life by function, which knows the pod and how often it was restarted', async () => {
    const seen: string[] = [];
    await start(({ name, image, pod, attempt }) => {
      seen.push(`${pod.metadata.name}/${name} ${image} #${attempt}`);
      return attempt === 0 ? { exitAfterMs: SECOND } : {};
    });
    await createPod('web');
    await advance(2 * SECOND);
    expect(seen.filter((each) => !each.includes('pull'))).toEqual(
      expect.arrayContaining(['web/main app:1 #0', 'web/main app:1 #1']),
    );
    expect(main(await getPod('web'))).toMatchObject({ restartCount: 1, ready: true });
  });
});

async function logOf(name: string, query: Record<string, string> = {}): Promise<string> {
  const path = `/api/v1/namespaces/default/pods/${name}/log`;
  const stream = await cluster.client.transport.stream({ method: 'GET', path, query });
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('a fake node', () => {
  beforeEach(() => start());

  it('tells its capacity, labels and taints, and is reached by its agent', async () => {
    const large = await cluster.addNode({
      name: 'large',
      capacity: { cpu: '2500m', memory: '4Gi', pods: 7 },
      labels: { zone: 'a' },
      taints: [{ key: 'gpu', effect: 'NoSchedule' }],
    });
    await large.registered;
    await cluster.settled();
    const { metadata, spec, status } = await cluster.client.resource(Nodes).get({ name: 'large' });
    expect(metadata.labels).toMatchObject({ zone: 'a', 'kubernetes.io/hostname': 'large' });
    expect(spec?.taints).toEqual([{ key: 'gpu', effect: 'NoSchedule' }]);
    expect(status?.allocatable).toMatchObject({ cpu: '2500m', memory: '4Gi', pods: '7' });
    await expect(cluster.addNode({ name: 'large' })).rejects.toThrow(/already/);
  });

  it('to which nothing happens renews its lease, and tells nothing else', async () => {
    await createPod('web');
    await advance(10 * SECOND);
    const versions = async () => {
      const { metadata } = await cluster.client.resource(Nodes).get({ name: 'node-1' });
      return [metadata.resourceVersion, (await getPod('web')).metadata.resourceVersion];
    };
    const [before, lease] = [await versions(), await leaseOf()];
    await advance(4 * MINUTE);
    expect(await versions()).toEqual(before);
    expect(await leaseOf()).not.toBe(lease);
  });

  it('that loses its power has its pods evicted once they tolerate it no longer', async () => {
    const other = await cluster.addNode();
    await other.registered;
    await cluster.client.resource(Deployments).create(aDeployment(4));
    await cluster.settled();
    const nodesOf = async () => {
      const { items } = await pods().list({ namespace: 'default' });
      return items
        .filter((pod) => isReady(pod) && !pod.metadata.deletionTimestamp)
        .map((pod) => pod.spec?.nodeName ?? '');
    };
    expect(new Set(await nodesOf())).toEqual(new Set(['node-1', 'node-2']));
    await other.crash();
    await advance(2 * MINUTE);
    const gone = await cluster.client.resource(Nodes).get({ name: 'node-2' });
    expect(findCondition(gone.status?.conditions, 'Ready')?.status).toBe('Unknown');
    await advance(6 * MINUTE);
    expect(await nodesOf()).toEqual(['node-1', 'node-1', 'node-1', 'node-1']);
  });

  it('that comes back after a power cut runs its pods again, each in a new sandbox', async () => {
    await createPod('web');
    const [before] = await node.runtime.listContainers();
    await node.crash();
    await advance(10 * SECOND);
    expect(isReady(await getPod('web'))).toBe(true);
    await node.start();
    await advance(10 * SECOND);
    const pod = await getPod('web');
    expect(isReady(pod)).toBe(true);
    expect(main(pod)?.containerID).not.toContain(before?.id);
    expect(
      (await node.runtime.listSandboxes()).filter((each) => each.state === 'ready'),
    ).toHaveLength(1);
  });

  it('writes nothing after its power is cut', async () => {
    await createPod('web');
    const { metadata } = await getPod('web');
    const lease = await leaseOf();
    await node.crash();
    await advance(30 * SECOND);
    expect((await getPod('web')).metadata.resourceVersion).toBe(metadata.resourceVersion);
    expect(await leaseOf()).toBe(lease);
    expect(node.isUp).toBe(false);
  });

  it('whose agent dies keeps its containers, and the next agent goes on with them', async () => {
    await createPod('web');
    const [before] = await node.runtime.listContainers();
    await node.restartAgent();
    await advance(30 * SECOND);
    const pod = await getPod('web');
    expect(main(pod)).toMatchObject({ restartCount: 0, ready: true });
    expect(main(pod)?.containerID).toContain(before?.id);
    expect(node.runtime.calls.get('createContainer')).toBe(1);
  });

  it.each(['hang', 'fail'] as const)(
    'that is cut off (%s) is taken for lost, and goes on when it is back',
    async (loss) => {
      await createPod('web', { tolerations: [{ operator: 'Exists' }] });
      node.partition(loss);
      await advance(2 * MINUTE);
      const ready = async () => {
        const { status } = await cluster.client.resource(Nodes).get({ name: 'node-1' });
        return findCondition(status?.conditions, 'Ready')?.status;
      };
      expect(await ready()).toBe('Unknown');
      await expect(logOf('web')).rejects.toThrow(/cannot be reached/);
      expect((await node.runtime.listContainers()).map(({ state }) => state)).toEqual(['running']);
      node.heal();
      await advance(MINUTE);
      expect(await ready()).toBe('True');
      expect(isReady(await getPod('web'))).toBe(true);
      expect(main(await getPod('web'))?.restartCount).toBe(0);
    },
  );

  it('can be stopped while it is cut off', async () => {
    await createPod('web');
    node.partition();
    const { done } = node;
    await node.stop();
    await done;
    expect(node.isUp).toBe(false);
    // A second time, and while it is down, nothing is to be done.
    await node.stop();
    await node.crash();
    await node.done;
    node.heal();
    await node.start();
    await advance(MINUTE);
    expect(isReady(await getPod('web'))).toBe(true);
    expect(main(await getPod('web'))?.restartCount).toBe(1);
  });
});

async function leaseOf(): Promise<string> {
  const path = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1';
  const reply = await cluster.client.transport.request({ method: 'GET', path });
  return JSON.stringify(reply.object());
}

it('leaves no timer, once its cluster is closed', async () => {
  await start({ 'app:1': { exitAfterMs: MINUTE, log: [{ atMs: MINUTE, line: 'late' }] } });
  const livenessProbe = { tcpSocket: { port: 80 }, initialDelaySeconds: 600 };
  const containers = [{ name: 'main', image: 'app:1', livenessProbe }];
  await createPod('web', { containers, terminationGracePeriodSeconds: 600 });
  await createPod('slow', { containers: [{ name: 'main', image: 'app:1', livenessProbe }] });
  await advance(30 * SECOND);
  await pods().delete({ namespace: 'default', name: 'web' });
  await cluster.close();
  expect(clock.pendingTimers).toBe(0);
});

it('says that it is there as often as it is told, by a Lease that lasts four times as long', async () => {
  cluster = await startCluster({ clock: 'virtual', nodes: [{ heartbeatMs: 5 * MINUTE }] });
  await cluster.nodes[0]?.registered;
  const lease = async () => {
    const at = { namespace: 'kube-node-lease', name: 'node-1' };
    return (await cluster.client.resource(Leases).get(at)).spec;
  };
  // A first try may come before the Node, and is made again after a second.
  await advance(5 * SECOND);
  const first = await lease();
  expect(first?.leaseDurationSeconds).toBe(1200);
  await advance(4 * MINUTE);
  expect((await lease())?.renewTime).toBe(first?.renewTime);
  await advance(MINUTE);
  const next = Date.parse((await lease())?.renewTime ?? '');
  expect(next - Date.parse(first?.renewTime ?? '')).toBe(5 * MINUTE);
});
