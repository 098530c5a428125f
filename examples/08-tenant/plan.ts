// What a tenant comes to, and what is to be done about its namespace: the whole of the operator's judgement.
// Invariant: pure. The same objects for every tenant, so that none is ever left over; nothing is put into a namespace that is not the tenant's.
import {
  type KindRef,
  type KubeObject,
  LimitRanges,
  type Namespace,
  NetworkPolicies,
  ResourceQuotas,
  RoleBindings,
  Roles,
} from 'pinnace/client';
import { isControlledBy, ownerReferenceFor } from 'pinnace/controllers';
import { type Tenant, Tenants } from './kind.ts';

/** On namespaces: whose they are. NetworkPolicies of peers go by it. */
export const TENANT_LABEL = 'tenancy.example.com/tenant';

/** Kinds that a tenant's namespace is furnished with. */
export const FURNITURE = [NetworkPolicies, ResourceQuotas, LimitRanges, Roles, RoleBindings];

/** The name of a role, and of its binding. */
export const roleName = (role: Role): string => `tenant-${role}`;

/** What is to be done about the tenant's namespace. */
export type Claim = 'make' | 'keep' | 'wait' | { readonly taken: string };

type Role = Tenant['spec']['members'][number]['role'];

/** Judges the namespace of the name that the tenant asks for: only one that was made for this very tenant is its own. */
export function claimOn(tenant: Tenant, namespace: Namespace | undefined): Claim {
  if (!namespace) return 'make';
  const { name, deletionTimestamp, ownerReferences = [] } = namespace.metadata;
  if (isControlledBy(namespace, tenant)) return deletionTimestamp ? 'wait' : 'keep';
  const owner = ownerReferences.find(({ kind }) => kind === Tenants.kind)?.name;
  const whose = owner === undefined ? 'was there before' : `is that of the tenant ${owner}`;
  return { taken: `the namespace ${name} ${whose}: delete it, or make a tenant of another one` };
}

/** The namespace as it is made: owned from its first moment, so that nothing is ever taken over. */
export function namespaceOf(tenant: Tenant): Namespace {
  const metadata = {
    name: tenant.spec.namespace,
    ownerReferences: [ownerReferenceFor(tenant, Tenants)],
    labels: { [TENANT_LABEL]: tenant.metadata.name ?? '' },
  };
  return { apiVersion: 'v1', kind: 'Namespace', metadata };
}

/** An object in the tenant's namespace: what of it is to be as it says. */
export interface Furniture {
  readonly ref: KindRef;
  readonly object: KubeObject;
}

/** What belongs into the namespace, in the order in which it is put there: fence and bounds before the people. */
export function furnitureOf(tenant: Tenant): readonly Furniture[] {
  const { quota, containerDefaults } = tenant.spec;
  const limits = [{ type: 'Container', defaultRequest: { ...containerDefaults } }];
  const has = (ref: KindRef, name: string, fields: object): Furniture => ({
    ref,
    object: objectOf(tenant, { ref, name, fields }),
  });
  return [
    ...fences(tenant).map(([name, rules]) =>
      has(NetworkPolicies, name, {
        spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ...rules },
      }),
    ),
    has(ResourceQuotas, 'tenant', { spec: { hard: { ...quota } } }),
    has(LimitRanges, 'tenant', { spec: { limits } }),
    ...(['owner', 'viewer'] as const).flatMap((role) => [
      has(Roles, roleName(role), { rules: roleRules(role) }),
      has(RoleBindings, roleName(role), {
        roleRef: { apiGroup: Roles.group, kind: Roles.kind, name: roleName(role) },
        subjects: subjectsOf(tenant, role),
      }),
    ]),
  ];
}

function objectOf(
  tenant: Tenant,
  { ref, name, fields }: { ref: KindRef; name: string; fields: object },
): KubeObject {
  return {
    apiVersion: ref.group === '' ? ref.version : `${ref.group}/${ref.version}`,
    kind: ref.kind,
    metadata: {
      name,
      namespace: tenant.spec.namespace,
      ownerReferences: [ownerReferenceFor(tenant, Tenants)],
    },
    ...fields,
  };
}

/** NetworkPolicies add up: the first shuts everything, the others open what is said. */
function fences({ spec: { peers } }: Tenant): readonly (readonly [string, object])[] {
  const within = { podSelector: {} };
  const dns = {
    to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
    ports: [
      { port: 53, protocol: 'UDP' },
      { port: 53, protocol: 'TCP' },
    ],
  };
  const others = peers.map((peer) => ({
    namespaceSelector: { matchLabels: { [TENANT_LABEL]: peer } },
  }));
  // A rule without sides would be open to all.
  const open = others.length > 0;
  return [
    ['deny-all', { ingress: [], egress: [] }],
    ['within', { ingress: [{ from: [within] }], egress: [{ to: [within] }, dns] }],
    ['peers', { ingress: open ? [{ from: others }] : [], egress: open ? [{ to: others }] : [] }],
  ];
}

function subjectsOf({ spec: { members } }: Tenant, role: Role): object[] {
  return members
    .filter((member) => member.role === role)
    .map(({ kind, name }) => ({ apiGroup: Roles.group, kind, name }));
}

const LOOK = ['get', 'list', 'watch'];
const WORK = [...LOOK, 'create', 'update', 'patch', 'delete', 'deletecollection'];

/** Nothing here lets somebody change the tenant's own quota, fence or rights. */
function roleRules(role: Role): object[] {
  const rule = (apiGroups: string[], resources: string[], verbs: string[]) => ({
    apiGroups,
    resources,
    verbs,
  });
  const [pods, workloads] = [
    ['pods', 'services', 'configmaps', 'persistentvolumeclaims', 'serviceaccounts'],
    ['deployments', 'replicasets', 'statefulsets', 'daemonsets', 'jobs', 'cronjobs'],
  ];
  const looking = [
    rule([''], [...pods, 'pods/log', 'events', 'resourcequotas', 'limitranges'], LOOK),
    rule(['apps', 'batch'], workloads, LOOK),
    rule(['networking.k8s.io'], ['ingresses', 'networkpolicies'], LOOK),
    rule(['rbac.authorization.k8s.io'], ['roles', 'rolebindings'], LOOK),
  ];
  if (role === 'viewer') return looking;
  return [
    ...looking,
    rule([''], [...pods, 'secrets'], WORK),
    rule([''], ['pods/exec', 'pods/attach', 'pods/portforward', 'pods/eviction'], ['create']),
    rule(['apps', 'batch'], [...workloads, 'deployments/scale', 'statefulsets/scale'], WORK),
    rule(['networking.k8s.io'], ['ingresses'], WORK),
  ];
}
