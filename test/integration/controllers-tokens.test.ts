// What controllers do for ServiceAccounts and roles, against the real API server: tokens in Secrets, aggregated ClusterRoles.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterRole, PolicyRule, Secret } from '../../api/generated/types.ts';
import {
  ClusterRoleBindings,
  ClusterRoles,
  Pods,
  Secrets,
  ServiceAccounts,
} from '../../api/kinds.ts';
import { isForbidden, isNotFound } from '../../api/status.ts';
import { type ControlledCluster, aControlledCluster } from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

let cluster: ControlledCluster;
beforeEach(async () => {
  const signToken = (about: object) => `signed ${JSON.stringify(about)}`;
  cluster = await aControlledCluster({ caCertificate: 'PEM', signToken });
});
afterEach(() => cluster.close());

describe('a Secret for a token', () => {
  const namespace = 'default';
  const ref = { namespace, name: 'kept' };
  const secrets = () => cluster.client.resource(Secrets);
  const accounts = () => cluster.client.resource(ServiceAccounts);
  const account = (name: string) =>
    accounts().create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
  const secret = (name: string, of: string): Promise<Secret> =>
    secrets().create({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { name, namespace, annotations: { 'kubernetes.io/service-account.name': of } },
      data: { more: 'bW9yZQ==' },
    });
  const isGone = () =>
    secrets()
      .get(ref)
      .then(() => false, isNotFound);

  it('is filled with one, the CA and the namespace, and what is in it stays', async () => {
    const robot = await account('robot');
    await secret('kept', 'robot');
    await until(async () => (await secrets().get(ref)).data?.['token'] !== undefined);
    const { metadata, data = {} } = await secrets().get(ref);
    const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
    expect([text('ca.crt'), text('namespace'), text('more')]).toEqual(['PEM', 'default', 'more']);
    const { uid } = robot.metadata;
    const about = { namespace, account: { name: 'robot', uid }, secret: 'kept' };
    expect(text('token')).toBe(`signed ${JSON.stringify(about)}`);
    expect(metadata.annotations?.['kubernetes.io/service-account.uid']).toBe(uid);
    const forged = { type: 'merge', body: { data: { 'ca.crt': null } } } as const;
    await secrets().patch(ref, forged);
    await until(async () => (await secrets().get(ref)).data?.['ca.crt'] !== undefined);
    expect((await secrets().get(ref)).data?.['token']).toBe(data['token']);
  });

  it('goes with its account, and at once where there is none', async () => {
    await account('robot');
    await secret('kept', 'robot');
    await until(async () => (await secrets().get(ref)).data?.['token'] !== undefined);
    await accounts().delete({ namespace, name: 'robot' });
    await until(isGone);
    await secret('kept', 'nobody');
    await until(isGone);
  });
});

describe('an aggregated ClusterRole', () => {
  const roles = () => cluster.client.resource(ClusterRoles);
  const role = (name: string, labels: Record<string, string>, more: Partial<ClusterRole>) =>
    roles().create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name, labels },
      ...more,
    });
  const widgets: PolicyRule = {
    apiGroups: ['example.com'],
    resources: ['widgets'],
    verbs: ['get', 'list'],
  };
  const has = async (name: string, rule: PolicyRule) =>
    ((await roles().get({ name })).rules ?? []).some(
      (each) => JSON.stringify(each) === JSON.stringify(rule),
    );
  const aggregate = (degree: string) => ({
    [`rbac.authorization.k8s.io/aggregate-to-${degree}`]: 'true',
  });

  it('has the rules of those it chooses, and loses them with the label or the role', async () => {
    const labels = { part: 'monitoring' };
    const aggregationRule = { clusterRoleSelectors: [{ matchLabels: labels }] };
    await role('team:whole', {}, { aggregationRule, rules: [{ ...widgets, verbs: ['delete'] }] });
    await until(async () => (await roles().get({ name: 'team:whole' })).rules?.length === 0);
    await role('part-a', labels, { rules: [widgets] });
    await role('part-b', labels, { rules: [{ ...widgets, verbs: ['watch'] }, widgets] });
    await until(async () => (await roles().get({ name: 'team:whole' })).rules?.length === 2);
    expect((await roles().get({ name: 'team:whole' })).rules).toEqual([
      widgets,
      { ...widgets, verbs: ['watch'] },
    ]);
    const unlabelled = { type: 'merge', body: { metadata: { labels: { part: null } } } } as const;
    await roles().patch({ name: 'part-b' }, unlabelled);
    await until(async () => !(await has('team:whole', { ...widgets, verbs: ['watch'] })));
    await roles().delete({ name: 'part-a' });
    await until(async () => (await roles().get({ name: 'team:whole' })).rules?.length === 0);
  });

  it('passes new kinds on to view, edit and admin, and so to their holders', async () => {
    const before = (await roles().get({ name: 'admin' })).rules ?? [];
    await cluster.client.resource(ClusterRoleBindings).create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'ann' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'ann' }],
    });
    expect((await cluster.as('ann').resource(Pods).list()).items).toEqual([]);
    await role('widget-viewer', aggregate('view'), { rules: [widgets] });
    for (const name of ['view', 'edit', 'admin']) await until(() => has(name, widgets));
    expect((await roles().get({ name: 'admin' })).rules).toHaveLength(before.length + 1);
  });

  it('is made only by who may do everything', async () => {
    await cluster.client.resource(ClusterRoleBindings).create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'ann' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'role-maker' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'ann' }],
    });
    const apiGroups = ['rbac.authorization.k8s.io'];
    const rules = [{ apiGroups, resources: ['clusterroles'], verbs: ['create', 'patch'] }];
    await role('role-maker', {}, { rules });
    const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] };
    const made = cluster
      .as('ann')
      .resource(ClusterRoles)
      .create({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'gatherer' },
        aggregationRule,
      });
    await expect(made).rejects.toSatisfy(isForbidden);
  });
});
