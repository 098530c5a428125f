// ResourceQuotas with the real API server and controllers: what is counted, what is refused, and what comes back.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Pod, ResourceQuota } from '../../api/generated/types.ts';
import {
  ConfigMaps,
  CustomResourceDefinitions,
  Jobs,
  Namespaces,
  Pods,
  ResourceQuotas,
  ServiceAccounts,
} from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { ControlledCluster } from '../support/controlled-cluster.ts';
import { aControlledCluster } from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

let cluster: ControlledCluster;
beforeAll(async () => {
  cluster = await aControlledCluster();
});
afterAll(() => cluster.close());

/** A namespace with a quota that has been counted once. */
async function bounded(namespace: string, spec: ResourceQuota['spec']): Promise<void> {
  const { client } = cluster;
  await client
    .resource(Namespaces)
    .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await until(async () =>
    client
      .resource(ServiceAccounts)
      .get({ namespace, name: 'default' })
      .then(
        () => true,
        () => false,
      ),
  );
  const metadata = { namespace, name: 'share' };
  await client
    .resource(ResourceQuotas)
    .create({ apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec });
  await until(async () => (await usedIn(namespace)) !== undefined);
}

async function usedIn(namespace: string): Promise<Record<string, string> | undefined> {
  const { status } = await cluster.client
    .resource(ResourceQuotas)
    .get({ namespace, name: 'share' });
  return status?.used;
}

const aPod = (namespace: string, name: string, cpu: string): Promise<Pod> =>
  cluster.client.resource(Pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name },
    spec: { containers: [{ name: 'a', image: 'a', resources: { requests: { cpu } } }] },
  });
const aMap = (namespace: string, name: string, dryRun = false) =>
  cluster.client
    .resource(ConfigMaps)
    .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } }, { dryRun });

it('pods take what a quota has, are refused what it has not, and give back what they had', async () => {
  await bounded('compute', { hard: { pods: '2', 'requests.cpu': '1' } });
  await aPod('compute', 'a', '600m');
  expect(await usedIn('compute')).toEqual({ pods: '1', 'requests.cpu': '600m' });
  await expect(aPod('compute', 'b', '600m')).rejects.toMatchObject({
    code: 403,
    message:
      'pods "b" is forbidden: exceeded quota: share, requested: requests.cpu=600m, ' +
      'used: requests.cpu=600m, limited: requests.cpu=1',
  });
  await cluster.client.resource(Pods).delete({ namespace: 'compute', name: 'a' });
  await until(async () => (await usedIn('compute'))?.['pods'] === '0');
  await aPod('compute', 'b', '600m');
});

it('a pod that does not say what it needs is refused', async () => {
  await bounded('silent', { hard: { 'limits.memory': '1Gi' } });
  await expect(aPod('silent', 'a', '1m')).rejects.toMatchObject({
    message: 'pods "a" is forbidden: failed quota: share: must specify limits.memory for: a',
  });
});

it('writes at once never take more than there is', async () => {
  await bounded('crowd', { hard: { 'count/configmaps': '11' } });
  // One is the CA's, where that is published; the rest is for the crowd.
  const there = Number((await usedIn('crowd'))?.['count/configmaps']);
  const names = Array.from({ length: 30 }, (_, i) => `m${i}`);
  const made = await Promise.allSettled(names.map((name) => aMap('crowd', name)));
  const done = made.filter(({ status }) => status === 'fulfilled').length;
  expect(done).toBe(11 - there);
  const { items } = await cluster.client.resource(ConfigMaps).list({ namespace: 'crowd' });
  expect(items).toHaveLength(11);
});

it('any kind can be counted, and a dry run takes nothing', async () => {
  await bounded('jobs', { hard: { 'count/jobs.batch': '1', configmaps: '100' } });
  const before = await usedIn('jobs');
  await aMap('jobs', 'dry', true);
  expect(await usedIn('jobs')).toEqual(before);
  const aJob = (name: string) =>
    cluster.client.resource(Jobs).create({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { namespace: 'jobs', name },
      spec: {
        template: { spec: { containers: [{ name: 'a', image: 'a' }], restartPolicy: 'Never' } },
      },
    });
  await aJob('one');
  await expect(aJob('two')).rejects.toMatchObject({
    message:
      'jobs.batch "two" is forbidden: exceeded quota: share, requested: count/jobs.batch=1, ' +
      'used: count/jobs.batch=1, limited: count/jobs.batch=1',
  });
});

it('a changed quota counts at once', async () => {
  await bounded('grow', { hard: { pods: '1' } });
  await aPod('grow', 'a', '1m');
  await expect(aPod('grow', 'b', '1m')).rejects.toMatchObject({ code: 403 });
  const body = { spec: { hard: { pods: '2' } } };
  const at = { namespace: 'grow', name: 'share' };
  await cluster.client.resource(ResourceQuotas).patch(at, { type: 'merge', body });
  await until(async () => {
    const { status } = await cluster.client.resource(ResourceQuotas).get(at);
    return status?.hard?.['pods'] === '2';
  });
  await aPod('grow', 'b', '1m');
});

it('custom resources are counted by their kind, and their room comes back', async () => {
  const { client } = cluster;
  const group = 'quota.example.com';
  const ref = { group, version: 'v1', kind: 'Tab', plural: 'tabs', namespaced: true } as const;
  await client.resource(CustomResourceDefinitions).create({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `tabs.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'tabs', kind: 'Tab' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      ],
    },
  });
  const name = `count/tabs.${group}`;
  await bounded('customs', { hard: { [name]: '2' } });
  const tabs = client.resource<KubeObject>(ref);
  const make = (tab: string) =>
    tabs.create({
      apiVersion: `${group}/v1`,
      kind: 'Tab',
      metadata: { namespace: 'customs', name: tab },
    });
  await until(async () =>
    make('a').then(
      () => true,
      () => false,
    ),
  );
  await make('b');
  expect(await usedIn('customs')).toEqual({ [name]: '2' });
  await expect(make('c')).rejects.toMatchObject({
    code: 403,
    message: `tabs.${group} "c" is forbidden: exceeded quota: share, requested: ${name}=1, used: ${name}=2, limited: ${name}=2`,
  });
  await tabs.delete({ namespace: 'customs', name: 'a' });
  await until(async () => (await usedIn('customs'))?.[name] === '1');
  await make('c');
  // A quota of later counts what is there.
  await client.resource(ResourceQuotas).create({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { namespace: 'customs', name: 'later' },
    spec: { hard: { [name]: '5' } },
  });
  await until(async () => {
    const { status } = await client
      .resource(ResourceQuotas)
      .get({ namespace: 'customs', name: 'later' });
    return status?.used?.[name] === '2';
  });
});
