// The typed verbs and subresources against the real server, in process and over HTTPS: both give the same outcomes.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventsV1, HorizontalPodAutoscalersV1 } from '../../api/further-kinds.ts';
import * as furtherKinds from '../../api/further-kinds.ts';
import type { Deployment, Pod } from '../../api/generated/types.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import * as kinds from '../../api/kinds.ts';
import {
  CertificateSigningRequests,
  ConfigMaps,
  CustomResourceDefinitions,
  Deployments,
  Nodes,
  PodDisruptionBudgets,
  Pods,
} from '../../api/kinds.ts';
import { isConflict, isInvalid, isNotFound } from '../../api/status.ts';
import type { Client, ServerWarning } from '../../client/rest/client.ts';
import {
  addEphemeralContainer,
  bindPod,
  evictPod,
  getScale,
  judgeCertificateRequest,
  requestToken,
  resizePod,
  setReplicas,
} from '../../client/rest/subresources.ts';
import { type BothTransports, onBothTransports, TRANSPORTS } from '../support/both-transports.ts';
import { aSigningRequest } from '../support/signing-request.ts';

let both: BothTransports;
beforeAll(async () => {
  both = await onBothTransports();
});
afterAll(() => both.close());

let made = 0;
const aName = (stem: string) => `${stem}-${made++}`;
const namespace = 'default';

function deployment(name: string): Deployment {
  const labels = { app: name };
  const containers = [{ name: 'main', image: 'a:1' }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    },
  };
}

async function aPod(client: Client, labels: Record<string, string> = {}): Promise<Pod> {
  const resources = { requests: { cpu: '100m' }, limits: { cpu: '200m' } };
  return client.resource(Pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: aName('pod'), namespace, labels },
    spec: { containers: [{ name: 'main', image: 'a:1', resources }] },
  });
}

it('has a KindRef for every kind that docs/api-coverage.md names', () => {
  const refs = new Set(
    [...Object.values(kinds), ...Object.values(furtherKinds)].map(
      (ref) => `${ref.kind} ${apiVersionOf(ref)}`,
    ),
  );
  const page = readFileSync(new URL('../../docs/api-coverage.md', import.meta.url), 'utf8');
  const named = Array.from(
    page.matchAll(/^\| (\w+) \| ([a-z0-9./]+) \| \d/gm),
    ([, kind, version]) => [kind, version].join(' '),
  );
  expect(named.length).toBeGreaterThan(60);
  expect(named.filter((each) => !refs.has(each))).toEqual([]);
});

describe.each(TRANSPORTS)('%s', (over) => {
  let client: Client;
  beforeAll(() => {
    client = both.client(over, { fieldManager: 'tests' });
  });

  it('applies what is given of an object, owns it, and gives up what is left out later', async () => {
    const configs = client.resource(ConfigMaps);
    const metadata = { name: aName('applied'), namespace };
    const first = await configs.apply({ metadata, data: { a: '1', b: '2' } });
    expect(first.metadata.managedFields).toMatchObject([{ manager: 'tests', operation: 'Apply' }]);
    const second = await configs.apply({ metadata, data: { a: '1' } });
    expect(second.data).toEqual({ a: '1' });
    const others = { fieldManager: 'others' };
    const taken = configs.apply({ metadata, data: { a: '3' } }, others);
    await expect(taken).rejects.toSatisfy(isConflict);
    const forced = await configs.apply({ metadata, data: { a: '3' } }, { ...others, force: true });
    expect(forced.data).toEqual({ a: '3' });
  });

  it('applies a part of a workload, and of its status', async () => {
    const deployments = client.resource(Deployments);
    const { metadata } = await deployments.create(deployment(aName('web')));
    const ref = { name: metadata.name ?? '', namespace };
    const scaled = await deployments.apply(
      { metadata: ref, spec: { replicas: 4 } },
      { force: true },
    );
    expect(scaled.spec?.replicas).toBe(4);
    const status = { observedGeneration: 7 };
    const written = await deployments.apply({ metadata: ref, status }, { subresource: 'status' });
    expect(written.status?.observedGeneration).toBe(7);
  });

  it('refuses an apply that nobody owns, or that names no namespace, unsent', async () => {
    const nobody = both.client(over).resource(ConfigMaps);
    const metadata = { name: 'x', namespace };
    await expect(nobody.apply({ metadata })).rejects.toThrow('an apply needs a fieldManager');
    const homeless = client.resource(ConfigMaps).apply({ metadata: { name: 'x' } });
    await expect(homeless).rejects.toThrow('ConfigMap x: metadata.namespace has to be given');
  });

  it('names its field manager in other writes too', async () => {
    const made = await client.resource(ConfigMaps).create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: aName('owned'), namespace },
      data: { a: '1' },
    });
    expect(made.metadata.managedFields).toMatchObject([{ manager: 'tests', operation: 'Update' }]);
  });

  it('hands warnings to whoever listens', async () => {
    const heard: ServerWarning[] = [];
    const listening = both.client(over, { onWarning: (warning) => heard.push(warning) });
    const metadata = { name: aName('warned'), namespace };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, dat: {} };
    await listening.resource(ConfigMaps).create(object, { fieldValidation: 'Warn' });
    expect(heard).toEqual([
      {
        text: expect.stringContaining('unknown field "dat"') as string,
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/configmaps`,
      },
    ]);
  });

  it('reads and sets a scale', async () => {
    const deployments = client.resource(Deployments);
    const ref = { name: aName('scaled'), namespace };
    await deployments.create(deployment(ref.name));
    expect((await getScale(deployments, ref)).spec?.replicas).toBe(1);
    const scale = await setReplicas(deployments, { ...ref, replicas: 3 });
    expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 3 } });
    expect((await deployments.get(ref)).spec?.replicas).toBe(3);
    const configs = client.resource(ConfigMaps);
    await expect(getScale(configs, ref)).rejects.toSatisfy(isNotFound);
  });

  it('evicts a pod, and tells a budget that does not allow it', async () => {
    const { metadata } = await aPod(client);
    const ref = { name: metadata.name ?? '', namespace };
    await evictPod(client, ref, { dryRun: true });
    await client.resource(Pods).get(ref);
    await evictPod(client, ref, { gracePeriodSeconds: 0 });
    await expect(client.resource(Pods).get(ref)).rejects.toSatisfy(isNotFound);

    const labels = { budget: aName('tight') };
    const kept = await aPod(client, labels);
    const budgets = client.resource(PodDisruptionBudgets);
    const budget = await budgets.create({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: labels.budget, namespace },
      spec: { minAvailable: 1, selector: { matchLabels: labels } },
    });
    const counts = { currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptionsAllowed: 0 };
    await budgets.updateStatus({ ...budget, status: { ...counts, observedGeneration: 1 } });
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await client.resource(Pods).updateStatus({ ...kept, status });
    const refused = evictPod(client, { name: kept.metadata.name ?? '', namespace });
    await expect(refused).rejects.toMatchObject({ code: 429 });
  });

  it('binds a pod to a node', async () => {
    const node = aName('node');
    await client
      .resource(Nodes)
      .create({ apiVersion: 'v1', kind: 'Node', metadata: { name: node } });
    const { metadata } = await aPod(client);
    const ref = { name: metadata.name ?? '', namespace };
    // Another pod may have come to have the name.
    const another = bindPod(client, { ...ref, node, uid: 'another' });
    await expect(another).rejects.toSatisfy(isConflict);
    await bindPod(client, { ...ref, node });
    expect((await client.resource(Pods).get(ref)).spec?.nodeName).toBe(node);
    await expect(bindPod(client, { ...ref, node })).rejects.toSatisfy(isConflict);
  });

  it('gets tokens of a ServiceAccount', async () => {
    const account = { name: 'default', namespace };
    const { token, expirationTimestamp } = await requestToken(client, account, {
      expirationSeconds: 1200,
    });
    expect(token.split('.')).toHaveLength(3);
    expect(Date.parse(expirationTimestamp)).toBeGreaterThan(0);
  });

  it('approves certificate requests, and says no twice to nobody', async () => {
    const name = aName('request');
    const request = await aSigningRequest('somebody');
    await client.resource(CertificateSigningRequests).create({
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name },
      spec: { request, signerName: 'example.com/own', usages: ['client auth'] },
    });
    const approval = { name, verdict: 'Approved', reason: 'Known', message: 'one of us' } as const;
    const judged = await judgeCertificateRequest(client, approval);
    expect(judged.status?.conditions).toMatchObject([{ type: 'Approved', reason: 'Known' }]);
    const again = await judgeCertificateRequest(client, approval);
    expect(again.metadata.resourceVersion).toBe(judged.metadata.resourceVersion);
    const denied = judgeCertificateRequest(client, { name, verdict: 'Denied', reason: 'No' });
    await expect(denied).rejects.toSatisfy(isInvalid);
  });

  it('adds an ephemeral container to a pod, and resizes another', async () => {
    const { metadata } = await aPod(client);
    const ref = { name: metadata.name ?? '', namespace };
    const container = { name: 'debug', image: 'b:1' };
    const added = await addEphemeralContainer(client, { ...ref, container });
    expect(added.spec?.ephemeralContainers).toMatchObject([container]);
    const resources = { main: { requests: { cpu: '150m' } } };
    const resized = await resizePod(client, { ...ref, resources });
    expect(resized.spec?.containers[0]?.resources).toMatchObject({
      requests: { cpu: '150m' },
      limits: { cpu: '200m' },
    });
  });

  it('reads kinds in their other forms', async () => {
    expect((await client.resource(EventsV1).list({ namespace })).kind).toBe('EventList');
    const list = await client.resource(HorizontalPodAutoscalersV1).list({ namespace });
    expect(list.apiVersion).toBe('autoscaling/v1');
    const defined = await client.resource(CustomResourceDefinitions).list();
    expect(defined.items).toEqual([]);
  });

  it('asks reviews', async () => {
    const answer = await client.resource(furtherKinds.SelfSubjectAccessReviews).create({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      metadata: {},
      spec: { resourceAttributes: { verb: 'delete', resource: 'pods', namespace } },
    });
    expect(answer.status?.allowed).toBe(true);
  });

  it('ends any call with its signal', async () => {
    const gone = AbortSignal.abort(new Error('enough'));
    const configs = client.resource(ConfigMaps);
    const ref = { name: 'x', namespace };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: ref };
    const signal = { signal: gone };
    for (const call of [
      () => configs.get(ref, signal),
      () => configs.list(signal),
      () => configs.create(object, signal),
      () => configs.update(object, signal),
      () => configs.apply({ metadata: ref }, signal),
      () => configs.patch(ref, { type: 'merge', body: {} }, signal),
      () => configs.delete(ref, signal),
      () => configs.deleteCollection({ namespace, ...signal }),
      () => evictPod(client, ref, signal),
      () => requestToken(client, ref, signal),
      async () => configs.watch(signal)[Symbol.asyncIterator]().next(),
    ])
      await expect(call()).rejects.toThrow('enough');
  });
});
