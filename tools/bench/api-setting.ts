// What must be there before the API bench asks: namespaces with their service accounts, and the rules of the user that asks.
// Invariant: made by the admin, so that the load itself has no right that RBAC did not find.
import {
  ClusterRoleBindings,
  ClusterRoles,
  Namespaces,
  RoleBindings,
  ServiceAccounts,
} from '../../api/kinds.ts';
import type { Client } from '../../client/rest/client.ts';
import { BENCH_USER } from './served-api.ts';

/** The group of the custom resources that the load writes. */
export const CUSTOM_GROUP = 'bench.example.com';
const GROUP = 'rbac.authorization.k8s.io';
const RBAC = `${GROUP}/v1`;
const ROLE = { apiGroup: GROUP, kind: 'ClusterRole', name: 'bench' };
/** Bindings of others in each namespace, as a cluster in use has them. */
const OTHER_BINDINGS = 50;

/** Makes namespaces and rules. */
export async function prepareSetting(client: Client, namespaces: readonly string[]): Promise<void> {
  await client.resource(ClusterRoles).create({
    apiVersion: RBAC,
    kind: 'ClusterRole',
    metadata: { name: ROLE.name },
    rules: [
      { apiGroups: [''], resources: ['pods', 'pods/status', 'configmaps'], verbs: ['*'] },
      { apiGroups: [CUSTOM_GROUP], resources: ['*'], verbs: ['*'] },
    ],
  });
  await client.resource(ClusterRoleBindings).create({
    apiVersion: RBAC,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'bench' },
    roleRef: ROLE,
    subjects: [{ apiGroup: GROUP, kind: 'User', name: BENCH_USER }],
  });
  for (const name of namespaces) await prepareNamespace(client, name);
}

async function prepareNamespace(client: Client, namespace: string): Promise<void> {
  await client
    .resource(Namespaces)
    .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await client
    .resource(ServiceAccounts)
    .create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
  for (let i = 0; i < OTHER_BINDINGS; i++)
    await client.resource(RoleBindings).create({
      apiVersion: RBAC,
      kind: 'RoleBinding',
      metadata: { name: `other-${i}`, namespace },
      roleRef: ROLE,
      subjects: [{ apiGroup: GROUP, kind: 'User', name: `user-${i}` }],
    });
}
