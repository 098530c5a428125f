// The operator of examples/05-replicated-cache in whole clusters, on virtual time: members start, stop, crash, are lost and replaced.
import { afterEach, describe, expect, it } from 'vitest';
import {
  Events,
  Nodes,
  PersistentVolumeClaims,
  type Pod,
  Pods,
  ResourceQuotas,
  Services,
  setReplicas,
} from 'pinnace/client';
import { installKinds, isPodReady } from 'pinnace/controllers';
import {
  eventually,
  eventuallyGone,
  eventuallyList,
  faults,
  type LivesOf,
  simulate,
  startCluster,
  type TestCluster,
  withFaults,
} from 'pinnace/testing';
import { replicatedCache } from '../../examples/05-replicated-cache/controller.ts';
import { type ReplicatedCache, ReplicatedCaches } from '../../examples/05-replicated-cache/kind.ts';
import { cachesKeepTheirWord } from '../../examples/05-replicated-cache/scenario.ts';
import { type OperatorProcess, startOperatorProcess } from '../support/operator-process.ts';
import { until } from '../support/until.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const AT = { namespace: 'default', name: 'web' };
/** A lead that nobody let go is taken over after 15 s. */
const PATIENCE = { timeoutMs: 50_000 };
const READY = { conditions: [{ type: 'Ready', status: 'True' }] };

let cluster: TestCluster;

async function start(lives: LivesOf = { cache: { readyAfterMs: 2 * SECOND, stopMs: SECOND } }) {
  cluster = await startCluster({ clock: 'virtual', nodes: 2, lives });
  await installKinds(cluster.client, [ReplicatedCaches]);
  const program = cluster.run([replicatedCache]);
  await program.synced;
  return program;
}

const aCache = (spec: Partial<ReplicatedCache['spec']> = {}) =>
  ReplicatedCaches.object({
    metadata: AT,
    spec: { image: 'cache:1', storage: { size: '1Gi' }, ...spec },
  });

async function create(spec: Partial<ReplicatedCache['spec']> = {}): Promise<void> {
  await cluster.client.resource(ReplicatedCaches).create(aCache(spec));
}
const change = (spec: Partial<ReplicatedCache['spec']>) =>
  cluster.client.resource(ReplicatedCaches).patch(AT, { type: 'merge', body: { spec } });
const reaches = (status: object) =>
  eventually(cluster.client, ReplicatedCaches, AT, { status } as Partial<ReplicatedCache>);
const pods = async (): Promise<Pod[]> =>
  (await cluster.client.resource(Pods).list({ namespace: 'default' })).items;
const names = async () => (await pods()).map(({ metadata }) => metadata.name);
const claims = async () =>
  (await cluster.client.resource(PersistentVolumeClaims).list()).items.map(
    (each) => each.metadata.name,
  );
/** Names of pods whose containers run now, whatever the API says of them. */
async function running(): Promise<string[]> {
  const lists = cluster.nodes.map(async ({ runtime }) => {
    const sandboxes = new Map((await runtime.listSandboxes()).map(({ id, name }) => [id, name]));
    const containers = await runtime.listContainers();
    return containers
      .filter(({ state }) => state === 'running')
      .map(({ sandboxId }) => sandboxes.get(sandboxId) ?? '');
  });
  return (await Promise.all(lists)).flat().toSorted();
}
const nodeOf = async (name: string) => {
  const pod = await cluster.client.resource(Pods).get({ namespace: 'default', name });
  const node = cluster.nodes.find((each) => each.name === pod.spec?.nodeName);
  if (!node) throw new Error(`${name} is on no node`);
  return node;
};

describe('a cache', () => {
  afterEach(() => cluster.close());

  it('starts its members one after the other, each with a claim and a name in DNS', async () => {
    await start();
    await create();
    await cluster.advance(1_500);
    expect(await names()).toEqual(['web-0']);
    await reaches({ readyReplicas: 3, ...READY });
    const started = (await pods()).map(({ metadata }) =>
      Date.parse(metadata.creationTimestamp ?? ''),
    );
    expect(started.toSorted((a, b) => a - b)).toEqual(started);
    expect(new Set(started).size).toBe(3);
    expect(await claims()).toEqual(['data-web-0', 'data-web-1', 'data-web-2']);
    const service = await cluster.client.resource(Services).get(AT);
    expect(service.spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    expect((await pods())[0]?.spec).toMatchObject({ hostname: 'web-0', subdomain: 'web' });
  });

  it('is scaled by its subresource, from the highest member down, and keeps their claims', async () => {
    await start();
    await create();
    await reaches({ readyReplicas: 3 });
    await setReplicas(cluster.client.resource(ReplicatedCaches), { ...AT, replicas: 1 });
    await cluster.advance(500);
    const going = (await pods()).filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
    expect(going.map(({ metadata }) => metadata.name)).toEqual(['web-2']);
    await reaches({ replicas: 1, ...READY });
    expect(await names()).toEqual(['web-0']);
    expect(await claims()).toHaveLength(3);
    await change({ storage: { size: '1Gi', whenUnused: 'Delete' } });
    await cluster.settled();
    expect(await claims()).toEqual(['data-web-0']);
  });

  it('is updated member by member, from the highest down, with two of three ready all the time', async () => {
    await start();
    await create();
    await reaches({ readyReplicas: 3 });
    await change({ image: 'cache:2' });
    const order: string[] = [];
    while (order.length < 100) {
      const all = await pods();
      const ready = all.filter(isPodReady);
      expect(ready.length).toBeGreaterThanOrEqual(2);
      for (const { metadata, spec } of all)
        if (spec?.containers[0]?.image === 'cache:2' && !order.includes(metadata.name ?? ''))
          order.push(metadata.name ?? '');
      if (ready.length === 3 && order.length === 3) break;
      await cluster.advance(250);
    }
    expect(order).toEqual(['web-2', 'web-1', 'web-0']);
    await reaches({ updatedReplicas: 3, ...READY });
  });

  it('gets over a broken image once it is mended, and loses one member by it at most', async () => {
    await start({
      'cache:2': { readyAfterMs: 1e9 },
      cache: { readyAfterMs: 2 * SECOND },
    });
    await create();
    await reaches({ readyReplicas: 3 });
    await change({ image: 'cache:2' });
    await cluster.advance(10 * MINUTE);
    await reaches({ readyReplicas: 2, updatedReplicas: 1 });
    await change({ image: 'cache:3' });
    await reaches({ updatedReplicas: 3, readyReplicas: 3, ...READY });
  });

  it('goes on where it was after its operator was killed in the middle', async () => {
    let program = await start();
    await create();
    for (let time = 0; time < 6; time++) {
      await cluster.advance(SECOND);
      await program.crash();
      program = cluster.run([replicatedCache]);
      await program.synced;
    }
    await reaches({ readyReplicas: 3, ...READY });
    expect(await names()).toEqual(['web-0', 'web-1', 'web-2']);
  });

  it('never has a member twice while its node is cut off, and gets it back elsewhere once that is gone', async () => {
    await start();
    await create();
    await reaches({ readyReplicas: 3 });
    const lost = await nodeOf('web-1');
    const mine = (await pods()).filter(({ spec }) => spec?.nodeName === lost.name);
    lost.partition();
    for (let minute = 0; minute < 10; minute++) {
      await cluster.advance(MINUTE);
      const names = await running();
      expect(names).toEqual([...new Set(names)]);
    }
    await reaches({ readyReplicas: 3 - mine.length });
    // As an administrator would who knows that the machine is gone for good.
    await lost.crash();
    await cluster.client.resource(Nodes).delete({ name: lost.name });
    await reaches({ readyReplicas: 3, ...READY });
    expect(await running()).toEqual(['web-0', 'web-1', 'web-2']);
  });

  it('stops in order before it goes, and takes those claims along that are not kept', async () => {
    await start();
    await create({ storage: { size: '1Gi', whenUnused: 'Delete' } });
    await reaches({ readyReplicas: 3 });
    await cluster.client.resource(ReplicatedCaches).delete(AT);
    await cluster.advance(500);
    expect(await running()).toEqual(['web-0', 'web-1', 'web-2']);
    await cluster.advance(SECOND);
    expect(await running()).toEqual(['web-0', 'web-1']);
    await eventuallyGone(cluster.client, ReplicatedCaches, AT);
    await eventuallyList(cluster.client, PersistentVolumeClaims, {}, 0);
    expect(await names()).toEqual([]);
  });

  it('keeps the volume of a member that is wanted again, though somebody decided before to delete it', async () => {
    const first = await start();
    await create({ storage: { size: '1Gi', whenUnused: 'Delete' } });
    await reaches({ readyReplicas: 3 });
    await first.stop();
    const volume = async () => {
      const at = { namespace: 'default', name: 'data-web-2' };
      return (await cluster.client.resource(PersistentVolumeClaims).get(at)).metadata.uid;
    };
    const uid = await volume();
    // A leader that was cut off: its decision arrives a minute late, when another one leads.
    const slow = withFaults(cluster.client, [
      { fault: faults.delay(MINUTE), verb: 'delete', ref: PersistentVolumeClaims },
    ]);
    cluster.run([replicatedCache], { client: slow });
    await change({ replicas: 2 });
    await cluster.advance(10 * SECOND);
    expect(slow.injected).toHaveLength(1);
    await change({ replicas: 3 });
    cluster.run([replicatedCache]);
    await reaches({ readyReplicas: 3 });
    await cluster.advance(2 * MINUTE);
    expect(await volume()).toBe(uid);
  });

  it('tells why a member cannot be made, and goes on once it can', async () => {
    await start();
    const quotas = cluster.client.resource(ResourceQuotas);
    const quota = { namespace: 'default', name: 'few' };
    await quotas.create({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: quota,
      spec: { hard: { pods: '1' } },
    });
    await cluster.settled();
    await create();
    await eventuallyList(cluster.client, Events, { namespace: 'default' }, (events) =>
      events.some(
        ({ message = '', reason }) =>
          reason === 'FailedCreate' && /^Pod web-1 cannot be made: .*exceeded quota/.test(message),
      ),
    );
    await quotas.delete(quota);
    await reaches({ readyReplicas: 3, ...READY });
  });

  it('leaves its members alone where it goes without them', async () => {
    await start();
    await create();
    await reaches({ readyReplicas: 3 });
    await cluster.client.resource(ReplicatedCaches).delete(AT, { propagationPolicy: 'Orphan' });
    await eventuallyGone(cluster.client, ReplicatedCaches, AT);
    await cluster.advance(MINUTE);
    expect(await running()).toEqual(['web-0', 'web-1', 'web-2']);
    // Another cache of the name finds the names taken, and says so.
    await create();
    await eventuallyList(cluster.client, Events, { namespace: 'default' }, [
      { reason: 'NameTaken', type: 'Warning' },
    ]);
  });
});

describe('the operator as a process of its own', () => {
  let program: OperatorProcess;
  afterEach(async () => {
    await program.kill();
    await cluster.close();
  });

  it('goes on after kill -9 where it was', async () => {
    cluster = await startCluster({ lives: { cache: { readyAfterMs: 500 } } });
    const { kubeconfig } = await cluster.listen();
    const run = () =>
      startOperatorProcess('examples/05-replicated-cache/main.ts', { KUBECONFIG: kubeconfig });
    program = run();
    const caches = cluster.client.resource(ReplicatedCaches);
    await until(() => caches.create(aCache()).then(Boolean, () => false));
    const { client } = cluster;
    await eventuallyList(
      client,
      Pods,
      { namespace: 'default' },
      ({ length }) => length > 0,
      PATIENCE,
    );
    await program.kill();
    program = run();
    const wanted = { status: { readyReplicas: 3, ...READY } } as Partial<ReplicatedCache>;
    await eventually(client, ReplicatedCaches, AT, wanted, PATIENCE);
    expect(await names()).toEqual(['web-0', 'web-1', 'web-2']);
    expect(await program.stop(), program.log()).toBe(0);
  });
});

const LONG = process.env['PINNACE_LONG'] === '1';

it(
  'keeps its word whatever is late, lost or dies',
  async () => {
    const report = await simulate(cachesKeepTheirWord, { runs: LONG ? 1000 : 40, seed: 1 });
    console.log(`${report.runs} runs in ${Math.round(report.elapsedMs)} ms`);
  },
  LONG ? 3_600_000 : 600_000,
);
