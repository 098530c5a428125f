// What may never happen to tenants, whatever is late, lost or dies: `npx pinnace simulate examples/08-tenant/scenario.ts --runs 1000`.
// Invariant: people are called after their tenant, so that whose rights somebody has can be read off.
import { Namespaces, RoleBindings, Roles } from 'pinnace/client';
import { installKinds } from 'pinnace/controllers';
import { type ClusterState, scenario } from 'pinnace/testing';
import { tenants } from './controller.ts';
import { Tenants } from './kind.ts';

const aTenant = (name: string, namespace = name) =>
  Tenants.object({
    metadata: { name },
    spec: {
      namespace,
      members: [
        { name: `${name}/ann`, role: 'owner' },
        { name: `${name}/bob`, role: 'viewer' },
      ],
      quota: { pods: 5 },
    },
  });

/** Who may do anything in a namespace: a binding gives rights where its role is. */
function peopleIn(state: ClusterState, namespace: string): string[] {
  return state.list(RoleBindings, { namespace }).flatMap(({ roleRef, subjects = [] }) => {
    const role = state.get(Roles, { namespace, name: roleRef.name });
    return role?.rules?.length ? subjects.map(({ name }) => name) : [];
  });
}

const ownerOf = (state: ClusterState, name: string) =>
  state.get(Namespaces, { name })?.metadata.ownerReferences?.[0]?.name;

/** Tenants that come, share, wait for each other's namespace, change and go. */
export const tenantsKeepApart = scenario({
  name: 'tenants',
  programs: { operator: { controllers: () => [tenants], replicas: 2, leaderElection: true } },
  controllers: ['namespace-controller', 'garbage-collector'],
  async setUp({ client }) {
    await installKinds(client, [Tenants]);
    const legacy = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'legacy' } };
    await client.resource(Namespaces).create(legacy);
  },
  async story({ client, sleep }) {
    const all = client.resource(Tenants);
    await all.create(aTenant('blue', 'home'));
    await all.create(aTenant('green'));
    await all.create(aTenant('late', 'legacy'));
    await sleep(3000);
    await all.create(aTenant('next', 'home'));
    const members = [{ name: 'green/ann', role: 'owner' }];
    await all.patch({ name: 'green' }, { type: 'merge', body: { spec: { members, quota: null } } });
    await all.delete({ name: 'blue' });
    await sleep(2000);
    await client
      .resource(RoleBindings)
      .delete({ namespace: 'green', name: 'tenant-owner' })
      .catch(() => undefined);
  },
  faults: { most: 4 },
  always: {
    "a tenant's people never have rights in another tenant's namespace": (state) => {
      for (const { metadata } of state.list(Namespaces)) {
        if (metadata.name?.startsWith('kube-')) continue;
        const owner = ownerOf(state, metadata.name ?? '');
        const people = peopleIn(state, metadata.name ?? '');
        const strangers = people.filter((person) => !person.startsWith(`${owner}/`));
        if (strangers.length > 0) return `${strangers.join()} in ${metadata.name} of ${owner}`;
      }
      return true;
    },
    'a namespace that is somebody else’s is never touched': ({ writes }) =>
      !writes.some(
        ({ object: { metadata } }) =>
          (metadata.namespace ?? metadata.name) === 'legacy' && metadata.ownerReferences,
      ),
    'a tenant goes no sooner than its namespace': (state) => {
      const last = state.writes.at(-1);
      if (last?.type !== 'deleted' || last.object.kind !== Tenants.kind) return true;
      const { uid } = last.object.metadata;
      return !state
        .list(Namespaces)
        .some(({ metadata }) => metadata.ownerReferences?.[0]?.uid === uid);
    },
  },
  eventually: {
    'who is there has a home, and who has left has none': (state) => {
      const homes = ['home', 'green', 'legacy'].map((name) => ownerOf(state, name)).join();
      return homes === 'next,green,' || `home, green, legacy: ${homes}`;
    },
    'members have their rights, and former ones none': (state) => {
      const people = [...peopleIn(state, 'home'), ...peopleIn(state, 'green')].sort().join();
      return people === 'green/ann,next/ann,next/bob' || people;
    },
    'the one that cannot have its namespace is told': (state) => {
      const [ready] = state.get(Tenants, { name: 'late' })?.status?.conditions ?? [];
      return ready?.reason === 'NamespaceTaken';
    },
  },
  within: 120_000,
});
