// The priority levels and FlowSchemas that every cluster starts with, as the public documentation of API Priority and Fairness lists them.
// Requests are not held to them yet; users and tools expect to find them.
import type {
  FlowSchema,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  ResourcePolicyRule,
} from '../generated/types.ts';
import { SUPERUSERS } from '../rbac/evaluate.ts';

const API_VERSION = 'flowcontrol.apiserver.k8s.io/v1';
/** Such objects are the server's to bring up to date, unless somebody says false. */
const annotations = { 'apf.kubernetes.io/autoupdate-spec': 'true' };
const SYSTEM_NAMESPACE = 'kube-system';

interface Queues {
  readonly queues: number;
  readonly handSize: number;
}

const limited = (
  name: string,
  [nominalConcurrencyShares, lendablePercent]: readonly [number, number],
  queues?: Queues,
): PriorityLevelConfiguration => ({
  apiVersion: API_VERSION,
  kind: 'PriorityLevelConfiguration',
  metadata: { name, annotations },
  spec: {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares,
      lendablePercent,
      limitResponse: queues
        ? { type: 'Queue', queuing: { ...queues, queueLengthLimit: 50 } }
        : { type: 'Reject' },
    },
  },
});

/** Priority levels, highest first. */
export const bootstrapPriorityLevels: readonly PriorityLevelConfiguration[] = [
  {
    apiVersion: API_VERSION,
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'exempt', annotations },
    spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  },
  limited('node-high', [40, 25], { queues: 64, handSize: 6 }),
  limited('system', [30, 33], { queues: 64, handSize: 6 }),
  limited('leader-election', [10, 0], { queues: 16, handSize: 4 }),
  limited('workload-high', [40, 50], { queues: 128, handSize: 6 }),
  limited('workload-low', [100, 90], { queues: 128, handSize: 6 }),
  limited('global-default', [20, 50], { queues: 128, handSize: 6 }),
  limited('catch-all', [5, 0]),
];

type Subject = PolicyRulesWithSubjects['subjects'][number];
const group = (name: string): Subject => ({ kind: 'Group', group: { name } });
const user = (name: string): Subject => ({ kind: 'User', user: { name } });
const account = (name: string): Subject => ({
  kind: 'ServiceAccount',
  serviceAccount: { namespace: SYSTEM_NAMESPACE, name },
});

const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')];
const ANYTHING: Pick<PolicyRulesWithSubjects, 'nonResourceRules' | 'resourceRules'> = {
  resourceRules: [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] },
  ],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
};
const leases = (...verbs: string[]): ResourcePolicyRule => ({
  verbs,
  apiGroups: ['coordination.k8s.io'],
  resources: ['leases'],
  namespaces: ['*'],
});

interface Row {
  readonly name: string;
  readonly level: string;
  readonly precedence: number;
  readonly flows?: 'ByNamespace' | 'ByUser';
  readonly rules: readonly PolicyRulesWithSubjects[];
}

const ROWS: readonly Row[] = [
  {
    name: 'exempt',
    level: 'exempt',
    precedence: 1,
    rules: [{ subjects: [group(SUPERUSERS)], ...ANYTHING }],
  },
  {
    name: 'probes',
    level: 'exempt',
    precedence: 2,
    rules: [
      {
        subjects: EVERYBODY,
        nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
      },
    ],
  },
  {
    name: 'system-leader-election',
    level: 'leader-election',
    precedence: 100,
    flows: 'ByUser',
    rules: [
      {
        subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler')],
        resourceRules: [leases('get', 'create', 'update')],
      },
    ],
  },
  {
    name: 'endpoint-controller',
    level: 'workload-high',
    precedence: 150,
    flows: 'ByUser',
    rules: [
      {
        subjects: [
          user('system:kube-controller-manager'),
          account('endpoint-controller'),
          account('endpointslicemirroring-controller'),
        ],
        resourceRules: [
          {
            verbs: ['get', 'create', 'update'],
            apiGroups: [''],
            resources: ['endpoints'],
            namespaces: ['*'],
          },
        ],
      },
    ],
  },
  {
    name: 'workload-leader-election',
    level: 'leader-election',
    precedence: 200,
    flows: 'ByUser',
    rules: [{ subjects: [account('*')], resourceRules: [leases('get', 'create', 'update')] }],
  },
  {
    name: 'system-node-high',
    level: 'node-high',
    precedence: 400,
    flows: 'ByUser',
    rules: [
      {
        subjects: [group('system:nodes')],
        resourceRules: [
          {
            verbs: ['*'],
            apiGroups: [''],
            resources: ['nodes', 'nodes/status'],
            clusterScope: true,
            namespaces: ['*'],
          },
          leases('*'),
        ],
      },
    ],
  },
  ...(
    [
      ['system-nodes', 'system', 500, 'ByUser', [group('system:nodes')]],
      [
        'kube-controller-manager',
        'workload-high',
        800,
        'ByNamespace',
        [user('system:kube-controller-manager')],
      ],
      ['kube-scheduler', 'workload-high', 800, 'ByNamespace', [user('system:kube-scheduler')]],
      ['kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', [account('*')]],
      ['service-accounts', 'workload-low', 9000, 'ByUser', [group('system:serviceaccounts')]],
      ['global-default', 'global-default', 9900, 'ByUser', EVERYBODY],
      ['catch-all', 'catch-all', 10_000, 'ByUser', EVERYBODY],
    ] as const
  ).map(
    ([name, level, precedence, flows, subjects]): Row => ({
      name,
      level,
      precedence,
      flows,
      rules: [{ subjects: [...subjects], ...ANYTHING }],
    }),
  ),
];

/** FlowSchemas, in the order in which they are tried; each finds its level there since `now` (RFC 3339). */
export function bootstrapFlowSchemas(now: string): FlowSchema[] {
  return ROWS.map(({ name, level, precedence, flows, rules }) => ({
    apiVersion: API_VERSION,
    kind: 'FlowSchema',
    metadata: { name, annotations },
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence: precedence,
      ...(flows && { distinguisherMethod: { type: flows } }),
      rules: [...rules],
    },
    status: {
      conditions: [
        {
          type: 'Dangling',
          status: 'False',
          lastTransitionTime: now,
          reason: 'Found',
          message: `This FlowSchema references the PriorityLevelConfiguration object named "${level}" and it exists`,
        },
      ],
    },
  }));
}
