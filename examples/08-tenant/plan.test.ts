// What the operator decides for tenants, case by case, without a cluster.
import { describe, expect, it } from 'vitest';
import type { KubeObject } from 'pinnace/client';
import { type Tenant, Tenants } from './kind.ts';
import { claimOn, furnitureOf, namespaceOf } from './plan.ts';

type Written = Parameters<typeof Tenants.object>[0]['spec'];

function aTenant(name: string, spec: Partial<Written> = {}): Tenant {
  const object = Tenants.object({ metadata: { name }, spec: { namespace: name, ...spec } });
  return { ...object, metadata: { ...object.metadata, uid: `uid-of-${name}` } };
}
const faults = (name: string, spec: Partial<Written>, old?: Tenant) =>
  Tenants.validate({ metadata: { name }, spec: { namespace: name, ...spec } }, old).map(
    ({ message }) => message,
  );

describe('the kind', () => {
  it('takes a tenant of little more than a name', () => {
    expect(faults('blue', {})).toEqual([]);
  });

  it.each([
    [{ namespace: 'kube-system' }, 'belong to the cluster'],
    [{ namespace: 'default' }, 'belong to the cluster'],
    [{ peers: ['blue'] }, 'speak with each other anyway'],
    [{ members: [{ name: 'system:authenticated', kind: 'Group' }] }, 'everybody among them'],
  ] as const)('refuses %j', (spec, why) => {
    expect(faults('blue', spec as unknown as Written).join()).toContain(why);
  });

  it('keeps a tenant in its namespace', () => {
    const old = aTenant('blue');
    const moved = { ...old, spec: { ...old.spec, namespace: 'green' } };
    expect(
      Tenants.validate(moved, old)
        .map(({ message }) => message)
        .join(),
    ).toContain('stays in its namespace');
  });
});

describe('claimOn', () => {
  const [blue, green] = [aTenant('blue'), aTenant('green', { namespace: 'blue' })];
  const own = namespaceOf(blue);

  it('makes what is missing, keeps its own, and waits while that ends', () => {
    const ending = { ...own, metadata: { ...own.metadata, deletionTimestamp: 'now' } };
    expect([claimOn(blue, undefined), claimOn(blue, own), claimOn(blue, ending)]).toEqual([
      'make',
      'keep',
      'wait',
    ]);
  });

  it('refuses what somebody else has, another tenant of the same name among them', () => {
    const theirs = { ...own, metadata: { name: 'blue', labels: own.metadata.labels ?? {} } };
    expect(claimOn(blue, theirs)).toMatchObject({ taken: expect.stringContaining('was there') });
    expect(claimOn(green, own)).toMatchObject({ taken: expect.stringContaining('tenant blue') });
    const later = { ...blue, metadata: { ...blue.metadata, uid: 'another' } };
    expect(claimOn(later, own)).toMatchObject({ taken: expect.anything() });
  });
});

describe('furnitureOf', () => {
  const named = (tenant: Tenant, kind: string, name: string) =>
    furnitureOf(tenant).find(
      ({ ref, object }) => ref.kind === kind && object.metadata.name === name,
    )?.object as (KubeObject & Record<string, unknown>) | undefined;

  it('is the same set for every tenant, so that nothing is left over when one asks for less', () => {
    const keys = (tenant: Tenant) =>
      furnitureOf(tenant).map(({ ref, object }) => `${ref.kind} ${object.metadata.name}`);
    const rich = aTenant('blue', {
      members: [{ name: 'ann', role: 'owner' }],
      quota: { pods: 3 },
      peers: ['green'],
    });
    expect(keys(rich)).toEqual(keys(aTenant('blue')));
  });

  it('shuts the fence before anybody is let in', () => {
    const kinds = furnitureOf(aTenant('blue')).map(({ ref }) => ref.kind);
    expect(kinds.lastIndexOf('NetworkPolicy')).toBeLessThan(kinds.indexOf('RoleBinding'));
    expect(kinds.indexOf('ResourceQuota')).toBeLessThan(kinds.indexOf('RoleBinding'));
  });

  it('opens the fence to peers, and to nobody where there are none', () => {
    const rules = (peers: string[]) =>
      named(aTenant('blue', { peers }), 'NetworkPolicy', 'peers')?.['spec'];
    expect(rules([])).toMatchObject({ ingress: [], egress: [] });
    expect(rules(['green'])).toMatchObject({ ingress: [{ from: [{}] }], egress: [{ to: [{}] }] });
  });

  it('gives each member the one role, and none a way to change roles, quota or fence', () => {
    const tenant = aTenant('blue', {
      members: [
        { name: 'ann', role: 'owner' },
        { name: 'all', kind: 'Group' },
      ],
    });
    const subjects = (role: string) => named(tenant, 'RoleBinding', role)?.['subjects'];
    expect(subjects('tenant-owner')).toEqual([expect.objectContaining({ name: 'ann' })]);
    expect(subjects('tenant-viewer')).toEqual([expect.objectContaining({ kind: 'Group' })]);
    const rules = named(tenant, 'Role', 'tenant-owner')?.['rules'] as Rule[];
    const writable = rules.filter(({ verbs }) => verbs.includes('update'));
    for (const each of [
      'roles',
      'rolebindings',
      'resourcequotas',
      'limitranges',
      'networkpolicies',
    ])
      expect(writable.flatMap(({ resources }) => resources)).not.toContain(each);
  });
});

interface Rule {
  readonly resources: string[];
  readonly verbs: string[];
}
