// The lists of core and apps kinds that strategic merge patches merge by a key, with objects that have them.
// Invariant: each list comes with two items that differ in the key, and an object that is valid with the first.
const CORE = '/api/v1/namespaces/default';
const PODS = `${CORE}/pods`;
const MAPS = `${CORE}/configmaps`;

/** A container of a valid pod. */
export const container = (more = {}) => ({ name: 'c', image: 'i', ...more });
/** A valid Deployment; `spec` goes into its pods. */
export const deployment = (name: string, spec = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [container()], ...spec },
    },
  },
});

/** Lists of a pod's spec that merge by a key: name, key, and two items. */
export const POD_LISTS: readonly (readonly [
  list: string,
  key: string,
  first: object,
  second: object,
])[] = [
  ['containers', 'name', container({ name: 'a' }), container({ name: 'b' })],
  ['initContainers', 'name', container({ name: 'a' }), container({ name: 'b' })],
  ['volumes', 'name', { name: 'a', emptyDir: {} }, { name: 'b', emptyDir: {} }],
  ['imagePullSecrets', 'name', { name: 'a' }, { name: 'b' }],
  ['hostAliases', 'ip', { ip: '10.0.0.1', hostnames: ['a'] }, { ip: '10.0.0.2', hostnames: ['b'] }],
  ['schedulingGates', 'name', { name: 'x.io/a' }, { name: 'x.io/b' }],
  [
    'resourceClaims',
    'name',
    { name: 'a', resourceClaimName: 'a' },
    { name: 'b', resourceClaimName: 'b' },
  ],
  [
    'topologySpreadConstraints',
    'topologyKey',
    { topologyKey: 'a', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' },
    { topologyKey: 'b', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' },
  ],
];

/** Lists of a container that merge by a key. */
export const CONTAINER_LISTS: typeof POD_LISTS = [
  ['env', 'name', { name: 'A', value: '1' }, { name: 'B', value: '1' }],
  ['ports', 'containerPort', { containerPort: 80 }, { containerPort: 81 }],
  ['volumeMounts', 'mountPath', { mountPath: '/a', name: 'v' }, { mountPath: '/b', name: 'v' }],
  ['volumeDevices', 'devicePath', { devicePath: '/a', name: 'p' }, { devicePath: '/b', name: 'p' }],
];

/** Conditions, which merge by type wherever there are any. */
const CONDITIONS = [
  ['status', 'conditions'],
  'type',
  { type: 'A', status: 'True' },
  { type: 'B', status: 'True' },
] as const;

/** Lists elsewhere in core and apps that merge by a key: path of the object, the object, way to the list, items. */
export const OTHER_LISTS: readonly (readonly [
  string,
  object,
  readonly string[],
  string,
  object,
  object,
])[] = [
  [
    `${CORE}/services`,
    { apiVersion: 'v1', kind: 'Service', spec: { ports: [{ name: 'a', port: 80 }] } },
    ['spec', 'ports'],
    'port',
    { name: 'a', port: 80 },
    { name: 'b', port: 81 },
  ],
  [
    `${CORE}/serviceaccounts`,
    { apiVersion: 'v1', kind: 'ServiceAccount' },
    ['secrets'],
    'name',
    { name: 'a' },
    { name: 'b' },
  ],
  [
    MAPS,
    { apiVersion: 'v1', kind: 'ConfigMap' },
    ['metadata', 'ownerReferences'],
    'uid',
    { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'u-1' },
    { apiVersion: 'v1', kind: 'Pod', name: 'b', uid: 'u-2' },
  ],
  ...['nodes', 'pods', 'namespaces'].map(
    (plural) =>
      [
        plural === 'pods' ? PODS : `/api/v1/${plural}`,
        plural === 'pods'
          ? { apiVersion: 'v1', kind: 'Pod', spec: { containers: [container()] } }
          : { apiVersion: 'v1', kind: plural === 'nodes' ? 'Node' : 'Namespace' },
        ...CONDITIONS,
      ] as const,
  ),
  [
    '/api/v1/nodes',
    { apiVersion: 'v1', kind: 'Node' },
    ['status', 'addresses'],
    'type',
    { type: 'InternalIP', address: '10.0.0.1' },
    { type: 'Hostname', address: 'b' },
  ],
  [
    PODS,
    { apiVersion: 'v1', kind: 'Pod', spec: { containers: [container()] } },
    ['status', 'podIPs'],
    'ip',
    { ip: '10.0.0.1' },
    { ip: 'fd00::1' },
  ],
  [
    `${CORE}/persistentvolumeclaims`,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
    ...CONDITIONS,
  ],
  [
    `${CORE}/replicationcontrollers`,
    {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      spec: { ...deployment('x').spec, selector: { app: 'web' } },
    },
    ...CONDITIONS,
  ],
  ...(['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'] as const).map(
    (kind) =>
      [
        `/apis/apps/v1/namespaces/default/${kind.toLowerCase()}s`,
        { ...deployment('x'), kind },
        ...CONDITIONS,
      ] as const,
  ),
];
