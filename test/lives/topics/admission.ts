// Pods that the node itself refuses: bound to it by name, past the scheduler. Reasons and words are upstream's.
import { play, steady } from '../play.ts';
import { absent } from '../patterns.ts';
import { aContainer, aPod, both, phase, type Scenario, succeeded } from '../scenario.ts';
import { Nodes } from '../../../api/kinds.ts';
import type { Scenario as Form } from '../scenario.ts';
import type { World } from '../running/witness.ts';

/** Bound by a step, as only the world knows the name of its node. */
const bound = {
  why: 'somebody binds the pod past the scheduler',
  check: async ({ world, namespace }: { world: World; namespace: string }) => {
    const { items } = await world.client.resource(Nodes).list();
    const name = items[0]?.metadata.name ?? '';
    const target = { apiVersion: 'v1', kind: 'Node', name };
    await world.client.transport.request({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/pods/it/binding`,
      body: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'it', namespace }, target },
    });
  },
};
/** A scheduler that does not exist, so that nobody is quicker. */
const nobody = { schedulerName: 'nobody' };

const refusals: readonly Form[] = [
  {
    name: 'a node refuses a pod that asks for more processors than are free',
    pod: aPod(nobody, { resources: { requests: { cpu: '4000' } } }),
    plays: { main: steady },
    steps: [
      bound,
      {
        until: phase(
          'Failed',
          'OutOfcpu',
          /^Pod was rejected: Node didn't have enough resource: cpu, requested: 4000000, used: \d+, capacity: \d+$/,
        ),
      },
    ],
    events: [
      { type: 'Warning', reason: 'OutOfcpu', message: /^Node didn't have enough resource: cpu/ },
    ],
    never: [phase('Running')],
  },
  {
    name: 'a node refuses a pod that asks for more memory than is free',
    pod: aPod(nobody, { resources: { requests: { memory: '900Ti' } } }),
    plays: { main: steady },
    steps: [
      bound,
      {
        until: phase(
          'Failed',
          'OutOfmemory',
          /^Pod was rejected: Node didn't have enough resource: memory, requested: \d+, used: \d+, capacity: \d+$/,
        ),
      },
    ],
  },
  {
    name: 'a node refuses a pod whose selector it does not match',
    pod: aPod({ ...nobody, nodeSelector: { no: 'node' } }),
    plays: { main: steady },
    steps: [
      bound,
      {
        until: both(
          phase(
            'Failed',
            'NodeAffinity',
            "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
          ),
          { podIP: absent },
        ),
      },
    ],
  },
  {
    name: 'a node refuses a pod whose affinity it does not match',
    pod: aPod({
      ...nobody,
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'no', operator: 'Exists' }] }],
          },
        },
      },
    }),
    plays: { main: steady },
    steps: [bound, { until: phase('Failed', 'NodeAffinity') }],
  },
  {
    name: 'a pod bound by hand runs as others do',
    pod: aPod({ ...nobody, restartPolicy: 'Never' }),
    plays: { main: play() },
    steps: [bound, { until: succeeded }],
  },
  {
    name: 'a node refuses a pod for another operating system',
    pod: aPod({ ...nobody, os: { name: 'windows' }, nodeSelector: {}, securityContext: {} }),
    plays: { main: steady },
    steps: [
      bound,
      {
        until: phase(
          'Failed',
          'PodOSNotSupported',
          /Failed to admit pod as the OS field doesn't match node OS/,
        ),
      },
    ],
  },
  {
    name: 'a pod that was refused stays refused, and is gone at once when it is deleted',
    pod: aPod({ ...nobody, nodeSelector: { no: 'node' }, containers: [aContainer('main')] }),
    plays: { main: steady },
    steps: [
      bound,
      { until: phase('Failed', 'NodeAffinity') },
      { stays: phase('Failed', 'NodeAffinity'), seconds: 1 },
      { delete: true },
      { gone: true },
    ],
  },
];

/** The scenarios. */
export const scenarios: readonly Scenario[] = refusals;
