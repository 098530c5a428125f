// @kubernetes/client-node on the rules of requests: kubeconfig, paging, selectors, resource versions, dry runs, field
// managers, patches of all types, objects of any kind, errors with their Status, tokens, reviews and health.
import * as k8s from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientNode, connectClientNode, refusalOf } from '../support/client-node.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { until } from '../support/until.ts';
import { configMap, webDeployment } from './objects.ts';
import { boatDefinition } from './plain-kinds.ts';

const namespace = 'rules';
let cluster: TestCluster;
let client: ClientNode;
let core: k8s.CoreV1Api;
let apps: k8s.AppsV1Api;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
  client = await connectClientNode(cluster);
  core = client.config.makeApiClient(k8s.CoreV1Api);
  apps = client.config.makeApiClient(k8s.AppsV1Api);
  await core.createNamespace({ body: { metadata: { name: namespace } } });
});
afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

const create = (name: string, labels: Record<string, string> = {}) =>
  core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name, labels }, data: { a: '1' } },
  });
const as = (strategy: k8s.PatchStrategy) => k8s.setHeaderOptions('Content-Type', strategy);
const namesOf = ({ items }: { items: readonly k8s.KubernetesObject[] }) =>
  items.map(({ metadata }) => metadata?.name);

describe('the kubeconfig that the cluster wrote', () => {
  it('loads, and says where the cluster is and who calls', () => {
    const config = new k8s.KubeConfig();
    config.loadFromFile(cluster.kubeconfig);
    expect(config.getCurrentCluster()?.server).toBe(cluster.url);
    expect(config.getCurrentCluster()?.skipTLSVerify).toBe(false);
    expect(config.getContexts().map(({ name }) => name)).toEqual([config.getCurrentContext()]);
    expect(config.getCurrentUser()?.certData).toBeTruthy();
  });

  it('authenticates its user, and another kubeconfig another one', async () => {
    const review = async (config: k8s.KubeConfig) => {
      const api = config.makeApiClient(k8s.AuthenticationV1Api);
      return (await api.createSelfSubjectReview({ body: {} })).status?.userInfo;
    };
    expect((await review(client.config))?.groups).toContain('system:masters');
    const ann = client.configOf(await cluster.userKubeconfig('ann', ['sailors']));
    expect(await review(ann)).toMatchObject({
      username: 'ann',
      groups: ['sailors', 'system:authenticated'],
    });
  });
});

describe('lists', () => {
  beforeAll(async () => {
    for (const n of [1, 2, 3, 4, 5, 6, 7])
      await create(`page-${n}`, { part: 'page', odd: `${n % 2 === 1}` });
  });

  it('come in pages of the limit, from one moment, until nothing remains', async () => {
    const asked = { namespace, labelSelector: 'part=page', limit: 3 };
    const first = await core.listNamespacedConfigMap(asked);
    await create('page-5a', { part: 'page' });
    const pages = [first];
    for (let next = first.metadata?._continue; next; next = pages.at(-1)?.metadata?._continue)
      pages.push(await core.listNamespacedConfigMap({ ...asked, _continue: next }));
    expect(pages.map((page) => page.items.length)).toEqual([3, 3, 1]);
    expect(pages.flatMap(namesOf)).not.toContain('page-5a');
    expect(new Set(pages.map(({ metadata }) => metadata?.resourceVersion)).size).toBe(1);
    await core.deleteNamespacedConfigMap({ namespace, name: 'page-5a' });
    const bad = core.listNamespacedConfigMap({ ...asked, _continue: 'nonsense' });
    expect(await refusalOf(bad)).toMatchObject({ code: 400, status: { reason: 'BadRequest' } });
  });

  it('say how many objects remain, where no selector makes that unknown', async () => {
    const page = await core.listNamespacedConfigMap({ namespace, limit: 1 });
    const all = await core.listNamespacedConfigMap({ namespace });
    expect(page.metadata?.remainingItemCount).toBe(all.items.length - 1);
  });

  it.each([
    ['part=page,odd=false', ['page-2', 'page-4', 'page-6']],
    ['part in (page),odd notin (false)', ['page-1', 'page-3', 'page-5', 'page-7']],
    ['part,!odd', []],
  ])('are restricted by the labels %s', async (labelSelector, names) => {
    expect(namesOf(await core.listNamespacedConfigMap({ namespace, labelSelector }))).toEqual(
      names,
    );
  });

  it('are restricted by fields, and refuse those that a kind does not have', async () => {
    const select = (fieldSelector: string) =>
      core.listNamespacedConfigMap({ namespace, fieldSelector });
    expect(namesOf(await select('metadata.name=page-2'))).toEqual(['page-2']);
    expect((await refusalOf(select('data.a=1'))).code).toBe(400);
  });

  it('are as of the resource version that is asked for', async () => {
    const before = await core.listNamespacedConfigMap({ namespace });
    const resourceVersion = before.metadata?.resourceVersion ?? '';
    await create('later');
    const at = (resourceVersionMatch: string, version = resourceVersion) =>
      core.listNamespacedConfigMap({
        namespace,
        resourceVersion: version,
        resourceVersionMatch,
      });
    expect(namesOf(await at('Exact'))).toEqual(namesOf(before));
    expect(namesOf(await at('NotOlderThan'))).toContain('later');
    expect(await refusalOf(at('Sometimes'))).toMatchObject({
      code: 422,
      status: { reason: 'Invalid' },
    });
    const ahead = await refusalOf(at('NotOlderThan', `${Number(resourceVersion) + 1_000_000}`));
    expect(ahead).toMatchObject({ code: 504, status: { reason: 'Timeout' } });
  });
});

describe('writes', () => {
  it('of a dry run answer as if done, and store nothing', async () => {
    const body = { metadata: { name: 'dry' } };
    const made = await core.createNamespacedConfigMap({ namespace, body, dryRun: 'All' });
    expect(made.metadata?.uid).toBeTruthy();
    const read = core.readNamespacedConfigMap({ namespace, name: 'dry' });
    expect((await refusalOf(read)).code).toBe(404);
  });

  it('are noted under their field manager', async () => {
    const body = { metadata: { name: 'managed' }, data: { a: '1' } };
    const made = await core.createNamespacedConfigMap({ namespace, body, fieldManager: 'pilot' });
    expect(made.metadata?.managedFields).toMatchObject([
      { manager: 'pilot', operation: 'Update', fieldsV1: { 'f:data': { 'f:a': {} } } },
    ]);
  });

  it('are refused for unknown fields where validation is strict', async () => {
    await create('strict');
    const patch = (fieldValidation: string) =>
      core.patchNamespacedConfigMap(
        { namespace, name: 'strict', fieldValidation, body: { dota: { a: '2' } } },
        as(k8s.PatchStrategy.MergePatch),
      );
    expect((await patch('Ignore')).data).toEqual({ a: '1' });
    const { code, status } = await refusalOf(patch('Strict'));
    expect(code).toBe(422);
    expect(status.message).toContain('unknown field "dota"');
  });

  it('of what has changed meanwhile conflict', async () => {
    const { metadata = {} } = await create('changing');
    const name = 'changing';
    const write = (data: Record<string, string>) =>
      core.replaceNamespacedConfigMap({ namespace, name, body: { metadata, data } });
    await write({ a: '2' });
    expect(await refusalOf(write({ a: '3' }))).toMatchObject({
      code: 409,
      status: { reason: 'Conflict', details: { name, kind: 'configmaps' } },
    });
  });

  it('that change nothing leave the resource version as it is', async () => {
    const ports = [{ port: 80, targetPort: 'http' }];
    const name = 'same';
    await core.createNamespacedService({
      namespace,
      body: { metadata: { name }, spec: { ports } },
    });
    const read = await core.readNamespacedService({ namespace, name });
    const again = await core.replaceNamespacedService({ namespace, name, body: read });
    expect(again.metadata?.resourceVersion).toBe(read.metadata?.resourceVersion);
  });
});

describe('deletes', () => {
  const replicaSets = async (name: string) =>
    (await apps.listNamespacedReplicaSet({ namespace, labelSelector: `app=${name}` })).items;
  const deployment = async (name: string) => {
    const body = webDeployment(name, 0) as unknown as k8s.V1Deployment;
    await apps.createNamespacedDeployment({ namespace, body });
    await until(async () => (await replicaSets(name)).length === 1);
  };

  it.each(['Background', 'Foreground'])('take dependents along: %s', async (propagationPolicy) => {
    const name = `parent-${propagationPolicy.toLowerCase()}`;
    await deployment(name);
    await apps.deleteNamespacedDeployment({ namespace, name, propagationPolicy });
    await until(async () => (await replicaSets(name)).length === 0);
    const read = () => apps.readNamespacedDeployment({ namespace, name });
    const is404 = (error: { code?: number }) => error.code === 404;
    await until(() => read().then(() => false, is404));
  });

  it('leave dependents alone when told to orphan them', async () => {
    await deployment('lonely');
    const propagationPolicy = 'Orphan';
    await apps.deleteNamespacedDeployment({ namespace, name: 'lonely', propagationPolicy });
    await until(async () => {
      const [left] = await replicaSets('lonely');
      return left !== undefined && left.metadata?.ownerReferences === undefined;
    });
  });

  it('are held to the preconditions that they name', async () => {
    await create('precise');
    const remove = (uid: string) =>
      core.deleteNamespacedConfigMap({
        namespace,
        name: 'precise',
        body: { preconditions: { uid } },
      });
    expect((await refusalOf(remove('another'))).status.reason).toBe('Conflict');
    const { metadata } = await core.readNamespacedConfigMap({ namespace, name: 'precise' });
    expect((await remove(metadata?.uid ?? '')).status).toBe('Success');
  });
});

describe('patches', () => {
  it('of JSON test, add and remove', async () => {
    await create('json');
    const patch = (value: string) =>
      core.patchNamespacedConfigMap(
        {
          namespace,
          name: 'json',
          body: [
            { op: 'test', path: '/data/a', value },
            { op: 'add', path: '/data/b', value: '2' },
            { op: 'remove', path: '/data/a' },
          ],
        },
        as(k8s.PatchStrategy.JsonPatch),
      );
    expect((await refusalOf(patch('9'))).code).toBe(422);
    expect((await patch('1')).data).toEqual({ b: '2' });
  });

  it('that merge take away what is null', async () => {
    await create('merge');
    const body = { data: { a: null, b: '2' } };
    const asked = { namespace, name: 'merge', body };
    const patched = await core.patchNamespacedConfigMap(asked, as(k8s.PatchStrategy.MergePatch));
    expect(patched.data).toEqual({ b: '2' });
  });

  it('that take away the last label leave no labels behind', async () => {
    await create('bare', { only: 'one' });
    const body = { metadata: { labels: { only: null }, annotations: {} } };
    const asked = { namespace, name: 'bare', body };
    const patched = await core.patchNamespacedConfigMap(asked, as(k8s.PatchStrategy.MergePatch));
    expect(patched.metadata?.labels).toBeUndefined();
    expect(patched.metadata?.annotations).toBeUndefined();
  });

  it('that merge strategically find the items of a list by their keys', async () => {
    const name = 'strategic';
    const body = webDeployment(name, 0) as unknown as k8s.V1Deployment;
    await apps.createNamespacedDeployment({ namespace, body });
    const containers = [{ name: 'more', image: 'more:1' }];
    const asked = { namespace, name, body: { spec: { template: { spec: { containers } } } } };
    const strategy = as(k8s.PatchStrategy.StrategicMergePatch);
    const patched = await apps.patchNamespacedDeployment(asked, strategy);
    const names = patched.spec?.template.spec?.containers.map((container) => container.name);
    expect(names?.toSorted()).toEqual(['more', 'web']);
  });

  it('that apply own their fields, conflict over those of others, and take them by force', async () => {
    const apply = (fieldManager: string, value: string, force = false) =>
      core.patchNamespacedConfigMap(
        {
          namespace,
          name: 'applied',
          fieldManager,
          force,
          body: { ...configMap('applied', { a: value }), metadata: { name: 'applied' } },
        },
        as(k8s.PatchStrategy.ServerSideApply),
      );
    expect((await apply('one', '1')).metadata?.managedFields).toMatchObject([
      { manager: 'one', operation: 'Apply' },
    ]);
    const { code, status } = await refusalOf(apply('two', '2'));
    expect(code).toBe(409);
    expect(status.details?.causes).toMatchObject([
      { reason: 'FieldManagerConflict', field: '.data.a' },
    ]);
    const taken = await apply('two', '2', true);
    expect(taken.data).toEqual({ a: '2' });
    expect(taken.metadata?.managedFields?.map(({ manager }) => manager)).toEqual(['two']);
  });

  it('of no known type are refused, and those that are known named', async () => {
    await create('typeless');
    const asked = { namespace, name: 'typeless', body: { data: {} } };
    const options = k8s.setHeaderOptions('Content-Type', 'application/json');
    const { code, status } = await refusalOf(core.patchNamespacedConfigMap(asked, options));
    expect(code).toBe(415);
    expect(status.message).toContain(k8s.PatchStrategy.StrategicMergePatch);
  });
});

describe('KubernetesObjectApi', () => {
  const YAML = `
apiVersion: v1
kind: ConfigMap
metadata: {name: thing, namespace: ${namespace}, labels: {by: thing}}
data: {a: "1"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: thing, labels: {by: thing}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: thing, namespace: ${namespace}, labels: {by: thing}}
spec: {podSelector: {}}
`;

  it('makes, reads, patches, replaces, lists and deletes whatever a YAML file names', async () => {
    const api = k8s.KubernetesObjectApi.makeApiClient(client.config);
    const objects = k8s.loadAllYaml(YAML) as (k8s.KubernetesObject & Named)[];
    for (const object of objects) {
      const { apiVersion, kind, metadata } = object;
      const { name, namespace: where } = metadata;
      const place = where === undefined ? { name } : { name, namespace: where };
      expect(await api.create(object)).toMatchObject({ kind, metadata: { name: 'thing' } });
      const read = await api.read<k8s.KubernetesObject>(object);
      expect(read.metadata?.uid).toBeTruthy();
      const labels = { by: 'thing', patched: 'yes' };
      await api.patch({ apiVersion, kind, metadata: { ...place, labels } });
      const applied = await api.patch(
        { apiVersion, kind, metadata: { ...place, labels, annotations: { applied: 'yes' } } },
        undefined,
        undefined,
        'thing',
        true,
        k8s.PatchStrategy.ServerSideApply,
      );
      expect(applied.metadata).toMatchObject({ labels, annotations: { applied: 'yes' } });
      await api.replace({ ...applied, metadata: { ...applied.metadata, labels: { by: 'thing' } } });
      const [only, ...more] = (
        await api.list(apiVersion, kind, where, undefined, undefined, undefined, '', 'by=thing')
      ).items;
      expect(only?.metadata?.labels).toEqual({ by: 'thing' });
      expect(more).toEqual([]);
      expect(await api.delete(object)).toMatchObject({ status: 'Success' });
      expect((await refusalOf(api.read(object))).code).toBe(404);
    }
  });

  it('says when there is no such kind', async () => {
    const api = k8s.KubernetesObjectApi.makeApiClient(client.config);
    const object = { apiVersion: 'v1', kind: 'Boat', metadata: { name: 'thing' } };
    await expect(api.create(object)).rejects.toThrow('Unrecognized API version and kind');
  });
});

/** What a YAML file of objects gives, as far as tests use it. */
interface Named {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

describe('CustomObjectsApi', () => {
  const kind = { group: 'plain.example.com', version: 'v1', plural: 'boats' };
  const place = { ...kind, namespace };
  const one = { ...place, name: 'gull' };
  const boat = (masts: number) => ({
    apiVersion: 'plain.example.com/v1',
    kind: 'Boat',
    metadata: { name: 'gull' },
    spec: { masts },
  });

  it('handles objects of a kind that a definition makes', async () => {
    const definitions = client.config.makeApiClient(k8s.ApiextensionsV1Api);
    const { name } = boatDefinition.metadata;
    await definitions.createCustomResourceDefinition({ body: boatDefinition });
    await until(async () => {
      const { status } = await definitions.readCustomResourceDefinition({ name });
      const established = status?.conditions?.find(({ type }) => type === 'Established');
      return established?.status === 'True';
    });
    const api = client.config.makeApiClient(k8s.CustomObjectsApi);
    await api.createNamespacedCustomObject({ ...place, body: boat(2) });
    const bad = api.createNamespacedCustomObject({ ...place, body: boat(-1) });
    expect((await refusalOf(bad)).code).toBe(422);
    const asMerge = as(k8s.PatchStrategy.MergePatch);
    const body = { spec: { masts: 3 } };
    expect(await api.patchNamespacedCustomObject({ ...one, body }, asMerge)).toMatchObject(body);
    const status = { status: { masts: 3 } };
    await api.patchNamespacedCustomObjectStatus({ ...one, body: status }, asMerge);
    expect(await api.getNamespacedCustomObject(one)).toMatchObject({ ...body, ...status });
    expect(await api.getNamespacedCustomObjectScale(one)).toMatchObject({
      kind: 'Scale',
      spec: { replicas: 3 },
      status: { replicas: 3 },
    });
    expect(await api.listNamespacedCustomObject(place)).toMatchObject({ items: [boat(3)] });
    await api.deleteNamespacedCustomObject(one);
    expect((await refusalOf(api.getNamespacedCustomObject(one))).code).toBe(404);
    await definitions.deleteCustomResourceDefinition({ name });
  });
});

describe('errors', () => {
  it.each([
    ['NotFound', 404, () => core.readNamespacedPod({ namespace, name: 'nobody' })],
    ['AlreadyExists', 409, () => core.createNamespace({ body: { metadata: { name: namespace } } })],
    [
      'NotFound',
      404,
      () => core.createNamespacedSecret({ namespace: 'nowhere', body: named('a') }),
    ],
    ['Invalid', 422, () => core.createNamespacedSecret({ namespace, body: named('No Name') })],
    [
      'BadRequest',
      400,
      () => core.createNamespacedSecret({ namespace, body: { data: { a: '!' } } }),
    ],
  ] as const)('are ApiExceptions with a Status: %s, %i', async (reason, code, act) => {
    const refusal = await refusalOf(act());
    expect(refusal).toMatchObject({ code, status: { kind: 'Status', reason, code } });
    expect(refusal.status.message).toBeTruthy();
  });

  const named = (name: string) => ({ metadata: { name } });

  it('name every broken rule', async () => {
    const ports = [{ port: 0 }, { port: 80, protocol: 'XYZ' }];
    const call = core.createNamespacedService({
      namespace,
      body: { ...named('x'), spec: { ports } },
    });
    const { status } = await refusalOf(call);
    expect(status.details?.causes?.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['spec.ports[0].port', 'spec.ports[1].protocol']),
    );
  });

  it('say what a user may not do', async () => {
    const ann = client.configOf(await cluster.userKubeconfig('ann'));
    const { code, status } = await refusalOf(
      ann.makeApiClient(k8s.CoreV1Api).listNamespacedPod({ namespace }),
    );
    expect(code).toBe(403);
    expect(status.message).toBe(
      `pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "${namespace}"`,
    );
  });
});

describe('what is asked and not kept', () => {
  const resourceAttributes = { namespace, verb: 'delete', resource: 'pods' };

  it('access reviews tell what the caller, or another, may do', async () => {
    const api = client.config.makeApiClient(k8s.AuthorizationV1Api);
    const mine = await api.createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes } },
    });
    expect(mine.status?.allowed).toBe(true);
    const spec = { user: 'ann', resourceAttributes };
    expect((await api.createSubjectAccessReview({ body: { spec } })).status?.allowed).toBe(false);
    const local = await api.createNamespacedLocalSubjectAccessReview({
      namespace,
      body: { metadata: { namespace }, spec },
    });
    expect(local.status?.allowed).toBe(false);
    const rules = await api.createSelfSubjectRulesReview({ body: { spec: { namespace } } });
    expect(rules.status?.resourceRules).toContainEqual(
      expect.objectContaining({ verbs: ['*'], resources: ['*'] }),
    );
  });

  it('a token of a ServiceAccount logs it in, and a review knows whose it is', async () => {
    const name = 'robot';
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name } } });
    const { status } = await core.createNamespacedServiceAccountToken({
      namespace,
      name,
      body: { spec: { audiences: [], expirationSeconds: 600 } },
    });
    const token = status?.token ?? '';
    expect(status?.expirationTimestamp?.getTime()).toBeGreaterThan(Date.now() + 300_000);
    const cluster0 = client.config.getCurrentCluster();
    if (cluster0 === null) throw new Error('no cluster');
    const config = new k8s.KubeConfig();
    config.loadFromClusterAndUser(cluster0, { name, token });
    const username = `system:serviceaccount:${namespace}:${name}`;
    const robot = config.makeApiClient(k8s.AuthenticationV1Api);
    const self = await robot.createSelfSubjectReview({ body: {} });
    expect(self.status?.userInfo?.username).toBe(username);
    const admin = client.config.makeApiClient(k8s.AuthenticationV1Api);
    const review = (spec: k8s.V1TokenReviewSpec) => admin.createTokenReview({ body: { spec } });
    expect((await review({ token })).status).toMatchObject({
      authenticated: true,
      user: { username },
    });
    expect((await review({ token: `${token}x` })).status?.authenticated).toBeFalsy();
  });

  it('a binding puts a pod on a node, and an eviction takes it away', async () => {
    const name = 'bound';
    const containers = [{ name: 'a', image: 'a' }];
    const gates = [{ name: 'example.com/wait' }];
    await core.createNamespacedPod({
      namespace,
      body: { metadata: { name }, spec: { containers, schedulingGates: gates } },
    });
    const bind = () =>
      core.createNamespacedPodBinding({
        namespace,
        name,
        body: { metadata: { name }, target: { kind: 'Node', name: 'somewhere' } },
      });
    expect((await refusalOf(bind())).code).toBe(409);
    const open = { namespace, name, body: { spec: { schedulingGates: null } } };
    await core.patchNamespacedPod(open, as(k8s.PatchStrategy.MergePatch));
    await bind();
    expect((await core.readNamespacedPod({ namespace, name })).spec?.nodeName).toBe('somewhere');
    await core.createNamespacedPodEviction({
      namespace,
      name,
      body: { metadata: { name, namespace }, deleteOptions: { gracePeriodSeconds: 0 } },
    });
    expect((await refusalOf(core.readNamespacedPod({ namespace, name }))).code).toBe(404);
  });

  it('versions, groups, parts and health', async () => {
    const version = await client.config.makeApiClient(k8s.VersionApi).getCode();
    expect(`${version.major}.${version.minor}`).toMatch(/^1\.\d+$/);
    const { groups } = await client.config.makeApiClient(k8s.ApisApi).getAPIVersions();
    expect(groups.map(({ name }) => name)).toContain('apps');
    const { versions } = await client.config.makeApiClient(k8s.CoreApi).getAPIVersions();
    expect(versions).toEqual(['v1']);
    expect((await core.listComponentStatus()).items.length).toBeGreaterThan(0);
    const issuer = await client.config
      .makeApiClient(k8s.WellKnownApi)
      .getServiceAccountIssuerOpenIDConfiguration();
    // The client says text and gives what the JSON holds.
    expect(issuer as unknown).toMatchObject({ issuer: expect.any(String) });
    const health = new k8s.Health(client.config);
    expect([await health.readyz({}), await health.livez({})]).toEqual([true, true]);
  });
});
