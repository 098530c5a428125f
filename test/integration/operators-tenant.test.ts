// The operator of examples/08-tenant in a whole cluster: what its people may do, what becomes of drift, how a tenant goes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ConfigMaps,
  Events,
  Namespaces,
  ResourceQuotas,
  RoleBindings,
  Roles,
  Secrets,
} from 'pinnace/client';
import { installKinds, startPart, webhookServer } from 'pinnace/controllers';
import {
  faults,
  type RunningProgram,
  simulate,
  startCluster,
  type TestCluster,
  withFaults,
} from 'pinnace/testing';
import 'pinnace/testing/vitest';
import { tenants } from '../../examples/08-tenant/controller.ts';
import { Tenants } from '../../examples/08-tenant/kind.ts';
import { TENANT_LABEL } from '../../examples/08-tenant/plan.ts';
import { tenantsKeepApart } from '../../examples/08-tenant/scenario.ts';
import { freeNamespaces } from '../../examples/08-tenant/webhook.ts';
import { until } from '../support/until.ts';

type Written = Parameters<typeof Tenants.object>[0]['spec'];
const aTenant = (name: string, spec: Partial<Written> = {}) =>
  Tenants.object({
    metadata: { name },
    spec: { namespace: name, members: [{ name: `${name}-owner`, role: 'owner' }], ...spec },
  });
const ready = (status: 'True' | 'False', more: object = {}) => ({
  status: { conditions: [{ type: 'Ready', status, ...more }] },
});
const config = (namespace: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'mine', namespace },
});

let cluster: TestCluster;
afterEach(() => cluster.close());

describe('in a cluster', () => {
  let program: RunningProgram;
  beforeEach(async () => {
    cluster = await startCluster({ clock: 'virtual', nodes: 0 });
    await installKinds(cluster.client, [Tenants]);
    program = cluster.run([tenants]);
    await program.synced;
  });
  const all = () => cluster.client.resource(Tenants);

  it('lets people work in their own namespace and nowhere else, within its quota', async () => {
    const viewer = { name: 'all', kind: 'Group', role: 'viewer' } as const;
    const members = [{ name: 'blue-owner', role: 'owner' } as const, viewer];
    await all().create(aTenant('blue', { members, quota: { configmaps: 2 } }));
    await all().create(aTenant('green'));
    for (const name of ['blue', 'green'])
      await expect(cluster.client).toEventually(Tenants, { name }, ready('True'));
    const [owner, looker] = [cluster.as('blue-owner'), cluster.as('eve', 'all')];
    await owner.resource(ConfigMaps).create(config('blue'));
    await expect(owner.resource(ConfigMaps).create(config('green'))).rejects.toThrow(
      'cannot create',
    );
    expect((await looker.resource(ConfigMaps).list({ namespace: 'blue' })).items).not.toEqual([]);
    await expect(looker.resource(Secrets).list({ namespace: 'blue' })).rejects.toThrow(
      'cannot list',
    );
    const bindings = owner.resource(RoleBindings);
    await expect(bindings.delete({ namespace: 'blue', name: 'tenant-owner' })).rejects.toThrow(
      'cannot',
    );
    // The quota is known once it was counted: with kube-root-ca.crt these two are all.
    await expect(cluster.client).toEventually(
      ResourceQuotas,
      { namespace: 'blue', name: 'tenant' },
      { status: { used: { configmaps: '2' } } },
    );
    const more = { ...config('blue'), metadata: { name: 'more', namespace: 'blue' } };
    await expect(owner.resource(ConfigMaps).create(more)).rejects.toThrow('exceeded quota');
  });

  it('puts right what was changed or deleted, also what no apply can change, and tells so', async () => {
    await all().create(aTenant('blue'));
    await expect(cluster.client).toEventually(Tenants, { name: 'blue' }, ready('True'));
    const bindings = cluster.client.resource(RoleBindings);
    const at = { namespace: 'blue', name: 'tenant-owner' };
    const before = await bindings.get(at);
    await program.crash();
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' };
    const metadata = { ...at, ownerReferences: before.metadata.ownerReferences ?? [] };
    await bindings.delete(at);
    await bindings.create({ ...before, metadata, roleRef });
    await cluster.client.resource(Roles).patch(at, { type: 'merge', body: { rules: [] } });
    const labels = { [TENANT_LABEL]: 'green' };
    await cluster.client
      .resource(Namespaces)
      .patch({ name: 'blue' }, { type: 'merge', body: { metadata: { labels } } });
    cluster.run([tenants]);
    await expect(cluster.client).toEventually(RoleBindings, at, {
      roleRef: { name: 'tenant-owner' },
    });
    await expect(cluster.client).toEventually(Roles, at, ({ rules = [] }) => rules.length > 0);
    await expect(cluster.client).toEventually(
      Namespaces,
      { name: 'blue' },
      { metadata: { labels: { [TENANT_LABEL]: 'blue' } } },
    );
    await expect(cluster.client).toEventuallyList(Events, {}, (events) =>
      events.some(({ reason }) => reason === 'DriftCorrected'),
    );
  });

  it('takes rights away with the member, and quotas that are no longer asked for', async () => {
    await all().create(aTenant('blue', { quota: { pods: 1 } }));
    await expect(cluster.client).toEventually(Tenants, { name: 'blue' }, ready('True'));
    const body = { spec: { members: [], quota: { pods: null } } };
    await all().patch({ name: 'blue' }, { type: 'merge', body });
    await expect(cluster.client).toEventually(
      Tenants,
      { name: 'blue' },
      { status: { members: 0 } },
    );
    await expect(
      cluster.as('blue-owner').resource(ConfigMaps).list({ namespace: 'blue' }),
    ).rejects.toThrow('cannot list');
    const quota = await cluster.client
      .resource(ResourceQuotas)
      .get({ namespace: 'blue', name: 'tenant' });
    expect(quota.spec?.hard ?? {}).toEqual({});
  });

  it('says which bound the server refuses, and keeps the fence and the rights all the same', async () => {
    await all().create(aTenant('blue', { quota: { 'no such thing': 1 } }));
    await expect(cluster.client).toEventually(
      Tenants,
      { name: 'blue' },
      ready('False', { reason: 'Refused' }),
    );
    await cluster.as('blue-owner').resource(ConfigMaps).create(config('blue'));
  });

  it('leaves a namespace alone that was there before, and says why', async () => {
    const old = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'blue' } };
    await cluster.client.resource(Namespaces).create(old);
    await all().create(aTenant('blue'));
    await expect(cluster.client).toEventually(
      Tenants,
      { name: 'blue' },
      ready('False', { reason: 'NamespaceTaken' }),
    );
    await all().delete({ name: 'blue' });
    await expect(cluster.client).toEventuallyBeGone(Tenants, { name: 'blue' });
    const { metadata } = await cluster.client.resource(Namespaces).get({ name: 'blue' });
    expect([metadata.deletionTimestamp, metadata.labels?.[TENANT_LABEL]]).toEqual([
      undefined,
      undefined,
    ]);
    const { items } = await cluster.client.resource(RoleBindings).list({ namespace: 'blue' });
    expect(items).toEqual([]);
  });

  it('goes with its namespace, and the next tenant that waits for it moves in', async () => {
    await all().create(aTenant('blue'));
    await expect(cluster.client).toEventually(Tenants, { name: 'blue' }, ready('True'));
    await all().create(aTenant('next', { namespace: 'blue' }));
    const taken = ready('False', { reason: 'NamespaceTaken' });
    await expect(cluster.client).toEventually(Tenants, { name: 'next' }, taken);
    await all().delete({ name: 'blue' });
    await expect(cluster.client).toEventuallyBeGone(Tenants, { name: 'blue' });
    await expect(cluster.client).toEventually(Tenants, { name: 'next' }, ready('True'));
    const list = { namespace: 'blue' };
    await expect(cluster.as('blue-owner').resource(ConfigMaps).list(list)).rejects.toThrow(
      'cannot',
    );
    await cluster.as('next-owner').resource(ConfigMaps).list(list);
  });

  it('makes the namespace anew that somebody deleted', async () => {
    await all().create(aTenant('blue'));
    await expect(cluster.client).toEventually(Tenants, { name: 'blue' }, ready('True'));
    const namespaces = cluster.client.resource(Namespaces);
    const before = await namespaces.get({ name: 'blue' });
    await namespaces.delete({ name: 'blue' });
    await expect(cluster.client).toEventually(
      RoleBindings,
      { namespace: 'blue', name: 'tenant-viewer' },
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    );
    await expect(cluster.client).toEventually(
      Namespaces,
      { name: 'blue' },
      ({ metadata }) => metadata.uid !== before.metadata.uid,
    );
  });
});

it('puts nothing into a namespace that came after the one that a lagging cache shows', async () => {
  cluster = await startCluster({ clock: 'virtual', nodes: 0 });
  const { client } = cluster;
  await installKinds(client, [Tenants]);
  const late = { fault: faults.delay(20_000), verb: 'watch', ref: Namespaces } as const;
  await cluster.run([tenants], { client: withFaults(client, [late]) }).synced;
  const all = client.resource(Tenants);
  await all.create(aTenant('blue'));
  await expect(client).toEventually(Tenants, { name: 'blue' }, ready('True'));
  await client.resource(Namespaces).delete({ name: 'blue' });
  await expect(client).toEventuallyBeGone(Namespaces, { name: 'blue' });
  const theirs = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'blue' } };
  await client.resource(Namespaces).create(theirs);
  // Were it still the tenant's, this would be furnished anew.
  await all.patch({ name: 'blue' }, { type: 'merge', body: { spec: { peers: ['green'] } } });
  await cluster.advance(5000);
  const bindings = () => client.resource(RoleBindings).list({ namespace: 'blue' });
  expect((await bindings()).items).toEqual([]);
  const taken = ready('False', { reason: 'NamespaceTaken' });
  await expect(client).toEventually(Tenants, { name: 'blue' }, taken);
  expect((await bindings()).items).toEqual([]);
});

describe('its webhook', () => {
  it('refuses a tenant whose namespace is taken, and warns of peers that are not there', async () => {
    cluster = await startCluster({ controllers: 'none', scheduler: false, nodes: 0 });
    await installKinds(cluster.client, [Tenants]);
    const server = webhookServer({
      name: 'tenants',
      webhooks: [freeNamespaces],
      host: '127.0.0.1',
      port: 0,
    });
    const part = startPart(server, { ...cluster, namespace: 'default' });
    try {
      await part.ready;
      const all = cluster.client.resource(Tenants);
      // The webhook's cache hears of what is made a moment later.
      const refusalOf = async (tenant: ReturnType<typeof aTenant>) => {
        let refusal: unknown;
        await until(async () => {
          await all.create(tenant, { dryRun: true }).catch((error: unknown) => (refusal = error));
          return refusal !== undefined;
        });
        return refusal;
      };
      await all.create(aTenant('blue'));
      expect(await refusalOf(aTenant('other', { namespace: 'blue' }))).toMatchObject({
        code: 422,
        message: expect.stringContaining('blue is that of the tenant blue'),
      });
      const old = aTenant('old', { namespace: 'kube2' });
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube2' } };
      await cluster.client.resource(Namespaces).create(namespace);
      expect(String(await refusalOf(old))).toContain('there is a namespace kube2 already');
    } finally {
      await part.stop();
    }
  });
});

const LONG = process.env['PINNACE_LONG'] === '1';

it(
  'keeps tenants apart whatever is late, lost or dies',
  async () => {
    const report = await simulate(tenantsKeepApart, { runs: LONG ? 1000 : 40, seed: 1 });
    console.log(`${report.runs} runs in ${Math.round(report.elapsedMs)} ms`);
  },
  LONG ? 2_400_000 : 600_000,
);
