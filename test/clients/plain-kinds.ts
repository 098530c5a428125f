// One object of each kind that the tables of shown kinds leave out, for tests that go through every kind.
// Invariant: nothing in them makes pods run or names a node that is there.
import { webDeployment, webTemplate } from './objects.ts';

/** An object, as a client sends it. */
export interface PlainObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

const RBAC = 'rbac.authorization.k8s.io/v1';
const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
const subjects = [{ kind: 'User', name: 'ann', apiGroup: 'rbac.authorization.k8s.io' }];
const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'nobody' };
const regarding = { apiVersion: 'v1', kind: 'Pod', name: 'plain', namespace: 'default' };
const metadata = { name: 'plain' };

/** A definition of a kind with one field, a status and a scale. */
export const boatDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'boats.plain.example.com' },
  spec: {
    group: 'plain.example.com',
    scope: 'Namespaced',
    names: { plural: 'boats', singular: 'boat', kind: 'Boat' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.masts', statusReplicasPath: '.status.masts' },
        },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: { masts: { type: 'integer', minimum: 0 } },
              },
              status: { type: 'object', properties: { masts: { type: 'integer' } } },
            },
          },
        },
      },
    ],
  },
};

/** The table. */
export const plainKinds: readonly PlainObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata },
  { apiVersion: 'v1', kind: 'Node', metadata, spec: { unschedulable: true } },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { ...webTemplate('plain').spec, schedulingGates: [{ name: 'example.com/never' }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { ports: [{ port: 80, targetPort: 'http' }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata,
    subsets: [{ addresses: [{ ip: '10.9.8.7' }], ports: [{ port: 80 }] }],
  },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: '1' }, binaryData: { b: 'AAH/' } },
  { apiVersion: 'v1', kind: 'Secret', metadata, data: { a: 'AAH/' } },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
  {
    apiVersion: 'v1',
    kind: 'Event',
    metadata,
    involvedObject: regarding,
    reason: 'R',
    type: 'Normal',
  },
  {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata,
    eventTime: '2026-02-03T04:05:06.000007Z',
    reportingController: 'example.com/plain',
    reportingInstance: 'one',
    action: 'Look',
    reason: 'R',
    regarding,
    type: 'Normal',
  },
  {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    spec: { holderIdentity: 'one', renewTime: '2026-02-03T04:05:06.123456Z' },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata,
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.9.8.7'], conditions: { ready: false } }],
    ports: [{ name: '', port: 80 }],
  },
  webDeployment('plain', 0),
  { ...webDeployment('plain', 0), kind: 'ReplicaSet' },
  {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: { scaleTargetRef, maxReplicas: 2 },
  },
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: { scaleTargetRef, maxReplicas: 2 },
  },
  { apiVersion: RBAC, kind: 'Role', metadata, rules },
  { apiVersion: RBAC, kind: 'ClusterRole', metadata, rules },
  { apiVersion: RBAC, kind: 'RoleBinding', metadata, subjects, roleRef },
  { apiVersion: RBAC, kind: 'ClusterRoleBinding', metadata, subjects, roleRef },
  boatDefinition,
  {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.other.example.com' },
    spec: {
      group: 'other.example.com',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 10,
      service: { namespace: 'default', name: 'nobody' },
      insecureSkipTLSVerify: true,
    },
  },
];
