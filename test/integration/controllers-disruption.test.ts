// Disruption budgets with the real API server and controllers: figures that follow the pods, and evictions that keep to them.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Pod, PodDisruptionBudget } from '../../api/generated/types.ts';
import { Deployments, Jobs, PodDisruptionBudgets, Pods } from '../../api/kinds.ts';
import { evictPod } from '../../client/rest/subresources.ts';
import type { ControlledCluster } from '../support/controlled-cluster.ts';
import {
  aControlledCluster,
  aDeployment,
  podsOf,
  readyAll,
} from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

let cluster: ControlledCluster;
beforeAll(async () => {
  cluster = await aControlledCluster();
});
afterAll(() => cluster.close());

const at = (name: string) => ({ namespace: 'default', name });
const budgets = () => cluster.client.resource(PodDisruptionBudgets);
const statusOf = async (name: string) => (await budgets().get(at(name))).status ?? {};
const aBudget = (name: string, spec: PodDisruptionBudget['spec']): Promise<PodDisruptionBudget> =>
  budgets().create({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { ...at(name) },
    spec: { selector: { matchLabels: { app: name } }, ...spec },
  });

async function running(name: string, replicas: number): Promise<void> {
  await cluster.client.resource(Deployments).create(aDeployment(name, { replicas }));
  await until(async () => (await podsOf(cluster.client, name)).length === replicas);
  await readyAll(cluster.client, name);
}

const evict = (name: string) => evictPod(cluster.client, at(name));

it('a budget counts the pods of its deployment, and an eviction takes what it allows', async () => {
  await running('shop', 3);
  await aBudget('shop', { maxUnavailable: 1 });
  await until(async () => (await statusOf('shop')).disruptionsAllowed === 1);
  expect(await statusOf('shop')).toMatchObject({
    expectedPods: 3,
    desiredHealthy: 2,
    currentHealthy: 3,
    observedGeneration: 1,
    conditions: [{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' }],
  });
  const [first, second] = (await podsOf(cluster.client, 'shop')).map(nameOf);
  await evict(first ?? '');
  await expect(evict(second ?? '')).rejects.toMatchObject({ code: 429 });
  // The deployment makes another pod; once that is ready, one may go again.
  await until(async () => {
    await readyAll(cluster.client, 'shop');
    return (await statusOf('shop')).disruptionsAllowed === 1;
  });
  expect((await statusOf('shop')).disruptedPods).toBeUndefined();
});

it('a change of the budget counts at once', async () => {
  await running('calm', 2);
  await aBudget('calm', { minAvailable: 2 });
  await until(async () => (await statusOf('calm')).expectedPods === 2);
  expect((await statusOf('calm')).disruptionsAllowed).toBe(0);
  await budgets().patch(at('calm'), { type: 'merge', body: { spec: { minAvailable: 1 } } });
  await until(async () => (await statusOf('calm')).disruptionsAllowed === 1);
  expect((await statusOf('calm')).observedGeneration).toBe(2);
});

it('a budget over pods whose number nobody can tell says so', async () => {
  const labels = { app: 'odd' };
  const containers = [{ name: 'a', image: 'a' }];
  const job = await cluster.client.resource(Jobs).create({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: at('odd'),
    spec: { suspend: true, template: { spec: { containers, restartPolicy: 'Never' } } },
  });
  const { name = '', uid = '' } = job.metadata;
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true };
  await cluster.client.resource(Pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...at('odd-1'), labels, ownerReferences: [owner] },
    spec: { containers },
  });
  await aBudget('odd', { maxUnavailable: 1 });
  await until(async () => (await statusOf('odd')).conditions?.[0]?.reason === 'SyncFailed');
  expect((await statusOf('odd')).conditions?.[0]?.message).toBe(
    'jobs.batch does not implement the scale subresource',
  );
});

const nameOf = ({ metadata }: Pod) => metadata.name ?? '';
