// What a new start adds to roles and bindings that every cluster has, and what it leaves alone.
import { describe, expect, it } from 'vitest';
import type {
  ClusterRole,
  ClusterRoleBinding,
  LabelSelector,
  PolicyRule,
} from '../generated/types.ts';
import { bootstrapClusterRoles } from './bootstrap.ts';
import { clusterRoleDefinition } from './cluster-role.ts';
import { AUTOUPDATE, reconciledBinding, reconciledRole } from './reconcile.ts';

const rule = (verb: string, resource = 'pods'): PolicyRule => ({
  verbs: [verb],
  apiGroups: [''],
  resources: [resource],
});
const role = (rules: PolicyRule[], more: Partial<ClusterRole['metadata']> = {}): ClusterRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'r', annotations: { [AUTOUPDATE]: 'true' }, ...more },
  rules,
});

describe('a role', () => {
  it('gets the rules that it lacks, and keeps those that others added', () => {
    const mine = rule('delete', 'secrets');
    const after = reconciledRole(role([mine, rule('get')]), role([rule('get'), rule('list')]));
    expect(after.rules).toEqual([mine, rule('get'), rule('list')]);
  });

  it('that covers all of it in its own words is left as it is', () => {
    const old = role([rule('*')]);
    expect(reconciledRole(old, role([rule('get'), rule('list')]))).toBe(old);
  });

  it('whose users do not want it touched is not', () => {
    const old = role([], { annotations: { [AUTOUPDATE]: 'false' } });
    expect(reconciledRole(old, role([rule('get')]))).toBe(old);
  });

  it('gets labels and annotations, but for those it has', () => {
    const old = role([], { labels: { a: 'mine' }, annotations: { b: 'mine' } });
    const after = reconciledRole(old, role([], { labels: { a: 'x', c: 'y' } }));
    expect(after.metadata.labels).toEqual({ a: 'mine', c: 'y' });
    expect(after.metadata.annotations).toEqual({ b: 'mine', [AUTOUPDATE]: 'true' });
  });

  it('that is aggregated gets the selectors that it lacks; its rules are the aggregation’s', () => {
    const selector = (a: string) => ({ matchLabels: { a } });
    const old = { ...role([]), aggregationRule: { clusterRoleSelectors: [selector('mine')] } };
    const wanted = {
      ...role([rule('get')]),
      aggregationRule: { clusterRoleSelectors: [selector('x')] },
    };
    const after = reconciledRole(old, wanted);
    expect(after.aggregationRule?.clusterRoleSelectors).toEqual([selector('mine'), selector('x')]);
    expect(after.rules).toEqual([]);
    expect(reconciledRole(after, wanted)).toBe(after);
  });
});

describe('a binding', () => {
  const binding = (names: string[], to = 'r', more = {}): ClusterRoleBinding => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'b', ...more },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: to },
    subjects: names.map((name) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name })),
  });
  it('gets the subjects that it lacks, and its role back', () => {
    const after = reconciledBinding(binding(['mine'], 'other'), binding(['ann']));
    expect(after.subjects?.map(({ name }) => name)).toEqual(['mine', 'ann']);
    expect(after.roleRef.name).toBe('r');
    const same = binding(['ann'], 'r', { labels: {}, annotations: {} });
    expect(reconciledBinding(same, binding(['ann']))).toBe(same);
    const kept = binding(['mine'], 'other', { annotations: { [AUTOUPDATE]: 'false' } });
    expect(reconciledBinding(kept, binding(['ann']))).toBe(kept);
  });
});

it('an aggregation without selectors, or with one that cannot be, is refused', () => {
  const errors = (clusterRoleSelectors: LabelSelector[]) =>
    clusterRoleDefinition
      .validate?.({ ...role([]), aggregationRule: { clusterRoleSelectors } }, undefined)
      .map(({ field }) => field);
  const path = 'aggregationRule.clusterRoleSelectors';
  expect(errors([])).toEqual([path]);
  const odd = { matchExpressions: [{ key: 'a', operator: 'Like' }] };
  expect(errors([{}, odd])).toEqual([`${path}[1].matchExpressions[0].operator`]);
  expect(errors([{ matchLabels: { a: 'b' } }])).toEqual([]);
});

it('view, edit and admin are made of labelled roles, each of the one before', () => {
  const find = (name: string) => bootstrapClusterRoles.find((each) => each.metadata.name === name);
  const [view, edit, admin] = ['view', 'edit', 'admin'].map((name) => find(name)?.rules ?? []);
  expect(view?.length).toBeGreaterThan(0);
  expect(edit).toEqual(expect.arrayContaining(view ?? []));
  expect(admin).toEqual(expect.arrayContaining(edit ?? []));
  expect(find('view')?.metadata.labels).toMatchObject({
    'kubernetes.io/bootstrapping': 'rbac-defaults',
    'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
  });
});
