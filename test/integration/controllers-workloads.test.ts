// Deployments and ReplicaSets against the real API server; the test plays the node agent.
import { afterEach, describe, expect, it } from 'vitest';
import type { Deployment, Pod, ReplicaSet } from '../../api/generated/types.ts';
import { Deployments, Events, Pods, ReplicaSets } from '../../api/kinds.ts';
import type { ClusterOptions, ControlledCluster } from '../support/controlled-cluster.ts';
import {
  aControlledCluster,
  aDeployment,
  deploymentNow,
  podsOf,
  readyAll,
  setReady,
} from '../support/controlled-cluster.ts';
import { templateHash } from '../../controllers/deployment/template-hash.ts';
import { StatusError } from '../../api/status.ts';
import { until } from '../support/until.ts';

const clusters: ControlledCluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

async function aCluster(options: ClusterOptions = {}) {
  const cluster = await aControlledCluster(options);
  clusters.push(cluster);
  const { client } = cluster;
  const deployments = client.resource(Deployments);
  const sets = async (): Promise<ReplicaSet[]> =>
    (await client.resource(ReplicaSets).list({ namespace: 'default' })).items;
  const at = (name: string) => ({ namespace: 'default', name });
  const patch = (name: string, body: object) =>
    deployments.patch(at(name), { type: 'strategic', body });
  const messages = async (reason: string) =>
    (await client.resource(Events).list({ namespace: 'default' })).items
      .filter((event) => event.reason === reason)
      .map((event) => event.message);
  return { client, deployments, sets, at, patch, messages };
}

const image = (name: string) => ({
  spec: { template: { spec: { containers: [{ name: 'main', image: name }] } } },
});
const reasonOf = (conditions: { type: string; reason?: string | undefined }[] | undefined) =>
  Object.fromEntries((conditions ?? []).map(({ type, reason }) => [type, reason]));

/** Makes pods ready as they come until the deployment says that it is done. */
async function rollOut(client: ControlledCluster['client'], name: string) {
  await until(async () => {
    await readyAll(client, name);
    const { spec, status, metadata } = await deploymentNow(client, name);
    return (
      status?.observedGeneration === metadata.generation &&
      status?.updatedReplicas === spec?.replicas &&
      status?.replicas === spec?.replicas &&
      status?.availableReplicas === spec?.replicas &&
      reasonOf(status?.conditions)['Progressing'] === 'NewReplicaSetAvailable'
    );
  });
}

describe('a deployment', () => {
  it('makes a set and its pods, and says when they are available', async () => {
    const { client, deployments, sets, messages } = await aCluster();
    await deployments.create(aDeployment('web', { replicas: 3 }));
    await until(async () => (await podsOf(client, 'web')).length === 3);
    const [set] = await sets();
    const hash = set?.metadata.labels?.['pod-template-hash'];
    expect(set?.metadata.name).toBe(`web-${hash}`);
    expect((await podsOf(client, 'web'))[0]?.metadata.labels).toEqual({
      app: 'web',
      'pod-template-hash': hash,
    });
    await rollOut(client, 'web');
    const { metadata, status } = await deploymentNow(client, 'web');
    expect(metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1');
    expect(reasonOf(status?.conditions)).toEqual({
      Available: 'MinimumReplicasAvailable',
      Progressing: 'NewReplicaSetAvailable',
    });
    await until(async () => (await messages('ScalingReplicaSet')).length === 1);
    expect(await messages('ScalingReplicaSet')).toEqual([
      `Scaled up replica set web-${hash} from 0 to 3`,
    ]);
  });

  it('rolls a new template out within its bounds, and back again under a new revision', async () => {
    const { client, deployments, sets, patch } = await aCluster();
    const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
    const strategy = { type: 'RollingUpdate', rollingUpdate };
    await deployments.create(aDeployment('web', { replicas: 3, strategy }));
    await rollOut(client, 'web');
    const [first] = await sets();
    await patch('web', image('image:2'));
    let [most, leastAvailable] = [0, 3];
    await until(async () => {
      most = Math.max(most, await readyAll(client, 'web'));
      const { status } = await deploymentNow(client, 'web');
      leastAvailable = Math.min(leastAvailable, status?.availableReplicas ?? 0);
      return status?.updatedReplicas === 3 && status?.replicas === 3;
    });
    expect(most).toBeLessThanOrEqual(4);
    expect(leastAvailable).toBeGreaterThanOrEqual(3);
    await rollOut(client, 'web');
    expect((await podsOf(client, 'web')).map((pod) => pod.spec?.containers[0]?.image)).toEqual([
      'image:2',
      'image:2',
      'image:2',
    ]);
    // What `kubectl rollout undo` does: the old set's template again, without its hash.
    await patch('web', image('image:1'));
    await rollOut(client, 'web');
    const after = await sets();
    expect(after).toHaveLength(2);
    const back = after.find(({ metadata }) => metadata.uid === first?.metadata.uid);
    expect(back?.spec?.replicas).toBe(3);
    expect(back?.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
  });

  it('stands still while paused, but follows a change of size', async () => {
    const { client, deployments, patch, sets } = await aCluster();
    await deployments.create(aDeployment('web', { replicas: 2 }));
    await rollOut(client, 'web');
    await patch('web', { spec: { paused: true } });
    await patch('web', image('image:2'));
    await patch('web', { spec: { replicas: 4 } });
    await until(async () => (await podsOf(client, 'web')).length === 4);
    expect(await sets()).toHaveLength(1);
    await patch('web', { spec: { paused: false } });
    await rollOut(client, 'web');
    expect(await sets()).toHaveLength(2);
  });

  it('under Recreate starts new pods only when the old ones are gone', async () => {
    const { client, deployments, patch } = await aCluster();
    const spec = { replicas: 2, strategy: { type: 'Recreate' } };
    await deployments.create(aDeployment('web', spec));
    await rollOut(client, 'web');
    // With a finalizer pods linger as those of a slow node do.
    const pods = client.resource(Pods);
    const hold = async (pod: Pod, finalizers: string[]) => {
      const { namespace, name = '' } = pod.metadata;
      await pods.patch({ namespace, name }, { type: 'merge', body: { metadata: { finalizers } } });
    };
    const before = await podsOf(client, 'web');
    for (const pod of before) await hold(pod, ['example.com/hold']);
    await patch('web', image('image:2'));
    await until(async () => (await podsOf(client, 'web')).length === 0);
    const images = async () =>
      (await pods.list({ namespace: 'default' })).items.map(
        (pod) => pod.spec?.containers[0]?.image,
      );
    expect(await images()).toEqual(['image:1', 'image:1']);
    for (const pod of before) await hold(pod, []);
    await rollOut(client, 'web');
    expect(await images()).toEqual(['image:2', 'image:2']);
  });

  it('keeps no more old sets than its history has room for', async () => {
    const { client, deployments, patch, sets } = await aCluster();
    await deployments.create(aDeployment('web', { revisionHistoryLimit: 1 }));
    await rollOut(client, 'web');
    for (const version of [2, 3, 4]) {
      await patch('web', image(`image:${version}`));
      await rollOut(client, 'web');
    }
    await until(async () => (await sets()).length === 2);
    const revisions = (await sets()).map(
      ({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision'],
    );
    expect(new Set(revisions)).toEqual(new Set(['3', '4']));
  });

  it('observes only the generation it acted on, though another comes while it writes that', async () => {
    const observed: [unknown, unknown][] = [];
    const met = new Set<string>();
    const { client, deployments, patch, at, sets } = await aCluster({
      interception: {
        async request(request, send) {
          const status = /(deployments|replicasets)\/[^/]+\/status$/.exec(request.path);
          if (request.method !== 'PUT' || !status) return send();
          const kind = status[1] ?? '';
          const written = (request.body as { status?: { observedGeneration?: number } }).status;
          // The first write that tells of a generation meets a newer spec.
          const isFirst = written?.observedGeneration !== undefined && !met.has(kind);
          if (isFirst) met.add(kind);
          if (isFirst && kind === 'deployments') await patch('web', { spec: { replicas: 2 } });
          if (isFirst && kind === 'replicasets') {
            const name = request.path.split('/').at(-2) ?? '';
            const body = { spec: { minReadySeconds: 1 } };
            await client.resource(ReplicaSets).patch(at(name), { type: 'merge', body });
          }
          const reply = await send();
          const { metadata, status: now } = reply.object() as unknown as Deployment;
          if (met.has(kind) && observed.every(([before]) => before !== kind))
            observed.push([kind, [now?.observedGeneration, metadata.generation]]);
          return reply;
        },
      },
    });
    await deployments.create(aDeployment('web'));
    await rollOut(client, 'web');
    expect(new Map(observed as [string, unknown][])).toEqual(
      new Map([
        ['deployments', [1, 2]],
        ['replicasets', [1, 2]],
      ]),
    );
    await until(async () => {
      const { metadata, status } = (await sets())[0] ?? {};
      return status !== undefined && status.observedGeneration === metadata?.generation;
    });
  });

  it('takes another name for its set where somebody else has the first', async () => {
    const { client, deployments, at, sets } = await aCluster();
    const { metadata, spec } = await deployments.create(aDeployment('web', { paused: true }));
    const template = spec?.template ?? {};
    // What the template's set would be called: another's set is of that name.
    const name = `web-${templateHash(template)}`;
    const theirs = { matchLabels: { app: 'theirs' } };
    await client.resource(ReplicaSets).create({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name, namespace: 'default' },
      spec: {
        replicas: 0,
        selector: theirs,
        template: { ...template, metadata: { labels: theirs.matchLabels } },
      },
    });
    await deployments.patch(at('web'), { type: 'merge', body: { spec: { paused: false } } });
    await rollOut(client, 'web');
    expect((await deployments.get(at('web'))).status?.collisionCount).toBe(1);
    const own = (await sets()).filter(({ metadata: { ownerReferences = [] } }) =>
      ownerReferences.some(({ uid }) => uid === metadata.uid),
    );
    expect(own).toHaveLength(1);
    expect(own[0]?.metadata.name).not.toBe(name);
    expect((await sets()).find((set) => set.metadata.name === name)?.spec?.replicas).toBe(0);
  });

  it('says why a set cannot be made', async () => {
    const { deployments, at } = await aCluster();
    // The set's name would be longer than names may be.
    const name = 'n'.repeat(250);
    const deployment = aDeployment('web');
    deployment.metadata.name = name;
    await deployments.create(deployment);
    await until(async () => {
      const { status } = await deployments.get(at(name));
      return reasonOf(status?.conditions)['Progressing'] === 'ReplicaSetCreateError';
    });
  });

  it('goes with its sets and pods', async () => {
    const { client, deployments, sets, at } = await aCluster();
    await deployments.create(aDeployment('web', { replicas: 3 }));
    await until(async () => (await podsOf(client, 'web')).length === 3);
    await deployments.delete(at('web'));
    await until(async () => (await sets()).length === 0);
    await until(async () => (await podsOf(client, 'web')).length === 0);
  });
});

describe('a replica set', () => {
  it('replaces a deleted pod, and takes in and lets go of pods by their labels', async () => {
    const { client, deployments, sets } = await aCluster();
    await deployments.create(aDeployment('web', { replicas: 2 }));
    await until(async () => (await podsOf(client, 'web')).length === 2);
    const pods = client.resource(Pods);
    const [victim, stray] = await podsOf(client, 'web');
    await pods.delete({ namespace: 'default', name: victim?.metadata.name ?? '' });
    const others = async () =>
      (await podsOf(client, 'web')).filter(({ metadata }) => metadata.uid !== victim?.metadata.uid);
    await until(async () => (await others()).length === 2);
    // Another label: the set lets it go and makes a new one.
    const name = stray?.metadata.name ?? '';
    const relabel = (app: string) =>
      pods.patch(
        { namespace: 'default', name },
        { type: 'merge', body: { metadata: { labels: { app } } } },
      );
    await relabel('else');
    await until(async () => (await podsOf(client, 'web')).length === 2);
    const released = await pods.get({ namespace: 'default', name });
    expect(released.metadata.ownerReferences ?? []).toEqual([]);
    // Back again: it is taken in, and one pod too many goes.
    await relabel('web');
    await until(async () => (await podsOf(client, 'web')).length === 2);
    await until(async () => (await sets())[0]?.status?.replicas === 2);
  });

  const aSet = (replicas: number): ReplicaSet => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: 'default' },
    spec: { ...aDeployment('web').spec, selector: { matchLabels: { app: 'web' } }, replicas },
  });
  const orphan = (name: string): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: 'web' } },
    spec: { containers: [{ name: 'main', image: 'image:1' }] },
  });
  const isPost = (request: { method: string; path: string }) =>
    request.method === 'POST' && request.path.endsWith('/pods');

  it('makes no pod too many, though a pod changes while it is taken in, or cannot be taken in yet', async () => {
    const patched: string[] = [];
    let made = 0;
    const { client, sets } = await aCluster({
      interception: {
        async request(request, send) {
          if (isPost(request)) made++;
          const name = request.path.split('/').at(-1) ?? '';
          if (request.method !== 'PATCH' || !['one', 'two'].includes(name)) return send();
          patched.push(name);
          const again = patched.filter((each) => each === name).length > 1;
          if (!again && name === 'two') throw new StatusError('Conflict', 'not now');
          // A node agent writes the pod's status at that very moment.
          if (!again) await setReady(client, await pods.get({ namespace: 'default', name }));
          return send();
        },
      },
    });
    const pods = client.resource(Pods);
    for (const name of ['one', 'two']) await pods.create(orphan(name));
    await client.resource(ReplicaSets).create(aSet(2));
    await until(async () => (await sets())[0]?.status?.replicas === 2);
    const owners = (await podsOf(client, 'web')).map(({ metadata }) => metadata.ownerReferences);
    expect(owners).toMatchObject([[{ name: 'web' }], [{ name: 'web' }]]);
    expect(patched.toSorted()).toEqual(['one', 'two', 'two']);
    expect(made).toBe(0);
  });

  it('takes in no pod that has ended', async () => {
    const { client, sets } = await aCluster();
    const pods = client.resource(Pods);
    const { metadata } = await pods.create(orphan('ended'));
    const at = { namespace: 'default', name: metadata.name ?? '' };
    const status = { phase: 'Succeeded' };
    await pods.patch(at, { type: 'merge', body: { status } }, { subresource: 'status' });
    await client.resource(ReplicaSets).create(aSet(1));
    await until(async () => (await sets())[0]?.status?.replicas === 1);
    expect((await pods.get(at)).metadata.ownerReferences ?? []).toEqual([]);
  });

  it('says why a pod cannot be made, until it can', async () => {
    let refuse = true;
    const { client, sets, messages } = await aCluster({
      interception: {
        request: (request, send) =>
          refuse && isPost(request)
            ? Promise.reject(new StatusError('Forbidden', 'pods is forbidden: no room'))
            : send(),
      },
    });
    await client.resource(ReplicaSets).create(aSet(2));
    const failure = async () =>
      (await sets())[0]?.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
    await until(async () => (await failure())?.reason === 'FailedCreate');
    expect(await failure()).toMatchObject({
      status: 'True',
      message: 'pods is forbidden: no room',
    });
    await until(async () =>
      (await messages('FailedCreate')).includes('Error creating: pods is forbidden: no room'),
    );
    refuse = false;
    await until(async () => (await podsOf(client, 'web')).length === 2);
    await until(async () => (await failure()) === undefined);
  });
});
