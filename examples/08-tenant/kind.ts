// Tenant: a kind from one schema. Who shares the cluster, in which namespace of their own, with what rights and within which bounds.
// Invariant: everything that a server can refuse by looking at one object is refused by the schema or its rules.
import {
  conditions,
  defineKind,
  listMap,
  listSet,
  type ObjectOf,
  quantity,
} from 'pinnace/controllers';
import { z } from 'zod';

/** Names of namespaces and tenants: labels of DNS. */
const name = () =>
  z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);

const member = z.object({
  name: z.string().min(1).max(253).describe('As the server knows them.'),
  kind: z.enum(['User', 'Group']).default('User'),
  role: z
    .enum(['owner', 'viewer'])
    .default('viewer')
    .describe('Owners work in the namespace; viewers look, but not into Secrets.'),
});

const spec = z.object({
  namespace: name().describe(
    'Made for the tenant, and gone with it. One that is there already is refused.',
  ),
  members: listMap(member, 'kind', 'name').max(100).default([]),
  quota: z
    .record(z.string(), quantity())
    .default({})
    .describe('As spec.hard of a ResourceQuota: requests.cpu, pods, count/deployments.apps, …'),
  containerDefaults: z
    .object({ cpu: quantity().default('100m'), memory: quantity().default('128Mi') })
    .prefault({})
    .describe('What containers request that ask for nothing.'),
  peers: listSet(name())
    .max(50)
    .default([])
    .describe('Tenants whose pods may speak with those of this one. Both sides have to say so.'),
});

const status = z.object({
  observedGeneration: z.int().min(0).optional(),
  members: z.int32().optional(),
  conditions: conditions().optional(),
});

/** Tenants of a cluster. */
export const Tenants = defineKind({
  group: 'tenancy.example.com',
  version: 'v1',
  kind: 'Tenant',
  scope: 'Cluster',
  shortNames: ['tn'],
  description:
    'A namespace of their own for some people: rights, quota, and a fence around its pods.',
  spec,
  status,
  rules: {
    'spec.namespace': [
      { rule: 'self == oldSelf', message: 'a tenant stays in its namespace; make another tenant' },
      {
        rule: "self != 'default' && !self.startsWith('kube-')",
        message: 'default and kube-… belong to the cluster',
      },
    ],
    'spec.members[]': {
      rule: "!self.name.startsWith('system:')",
      message: 'system:… are people and groups of the cluster itself, everybody among them',
    },
    '': {
      rule: '!(self.metadata.name in self.spec.peers)',
      message: 'pods of one tenant speak with each other anyway',
    },
  },
  columns: {
    Namespace: '.spec.namespace',
    Ready: '.status.conditions[?(@.type=="Ready")].status',
    Members: '.status.members',
    Age: { type: 'date', jsonPath: '.metadata.creationTimestamp' },
  },
});

/** A tenant as it is stored. */
export type Tenant = ObjectOf<typeof Tenants>;
