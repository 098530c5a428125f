// Conditions, readiness gates, deadlines and classes: what the status of a pod says as a whole.
import { play, steady } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  condition,
  container,
  failed,
  phase,
  ready,
  running,
  type Scenario,
  succeeded,
  unready,
  waiting,
  whenFile,
} from '../scenario.ts';
import { Pods } from '../../../api/kinds.ts';
import type { Witness } from '../running/witness.ts';

const GATE = 'example.com/balanced';

/** As a controller does that a pod's readiness depends on. */
const gate = (status: 'True' | 'False') => ({
  why: 'a controller states the condition that the gate names',
  check: async ({ world, namespace }: Witness) => {
    const lastTransitionTime = new Date(world.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    await world.client.resource(Pods).patch(
      { namespace, name: 'it' },
      {
        type: 'strategic',
        body: { status: { conditions: [{ type: GATE, status, lastTransitionTime }] } },
      },
      { subresource: 'status' },
    );
  },
});

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'conditions come true one after the other',
    pod: aPod(
      {},
      {
        readinessProbe: whenFile('/tmp/ok'),
      },
    ),
    plays: { main: steady },
    steps: [
      {
        until: both(
          condition('PodReadyToStartContainers', 'True'),
          container('main', running),
          unready,
        ),
      },
      { exec: ['touch', '/tmp/ok'] },
      {
        until: both(
          ready,
          ...['PodScheduled', 'PodReadyToStartContainers', 'Initialized', 'ContainersReady'].map(
            (type) => condition(type, 'True'),
          ),
        ),
      },
    ],
    statuses: [
      condition('PodScheduled', 'True'),
      both(
        condition('PodReadyToStartContainers', 'False'),
        condition('Initialized', 'True'),
        condition('ContainersReady', 'False', { reason: 'ContainersNotReady' }),
        unready,
      ),
    ],
    brief: [
      both(
        condition('PodReadyToStartContainers', 'True'),
        container('main', waiting('ContainerCreating')),
      ),
    ],
  },
  {
    name: 'when a pod has succeeded it is not ready, as it is completed',
    pod: aPod({ restartPolicy: 'Never' }),
    plays: { main: play() },
    steps: [
      {
        until: both(
          succeeded,
          condition('Ready', 'False', { reason: 'PodCompleted' }),
          condition('ContainersReady', 'False', { reason: 'PodCompleted' }),
          condition('Initialized', 'True', { reason: 'PodCompleted' }),
          condition('PodReadyToStartContainers', 'False'),
        ),
      },
    ],
  },
  {
    name: 'when a pod has failed it is not ready for that reason',
    pod: aPod({ restartPolicy: 'Never' }),
    plays: { main: play({ exits: 1 }) },
    steps: [
      {
        until: both(
          failed,
          condition('Ready', 'False', { reason: 'PodFailed' }),
          condition('ContainersReady', 'False', { reason: 'PodFailed' }),
          condition('Initialized', 'True'),
        ),
      },
    ],
  },
  {
    name: 'a readiness gate holds a pod back until somebody states its condition',
    pod: aPod({ readinessGates: [{ conditionType: GATE }] }),
    plays: { main: steady },
    steps: [
      {
        until: both(
          condition('ContainersReady', 'True'),
          condition('Ready', 'False', {
            reason: 'ReadinessGatesNotReady',
            message: `corresponding condition of pod readiness gate "${GATE}" does not exist.`,
          }),
        ),
      },
      gate('False'),
      {
        until: condition('Ready', 'False', {
          reason: 'ReadinessGatesNotReady',
          message: `the status of pod readiness gate "${GATE}" is not "True", but False`,
        }),
      },
      gate('True'),
      { until: both(ready, condition(GATE, 'True')) },
      gate('False'),
      { until: both(unready, condition('ContainersReady', 'True')) },
    ],
  },
  {
    name: 'a pod that is active beyond its deadline fails, and its containers are ended',
    pod: aPod({ activeDeadlineSeconds: 2 }),
    plays: { main: steady },
    steps: [
      {
        until: phase(
          'Failed',
          'DeadlineExceeded',
          'Pod was active on the node longer than the specified deadline',
        ),
      },
    ],
    never: [both(failed, container('main', running))],
    events: [
      {
        type: 'Normal',
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      },
    ],
  },
  {
    name: 'a deadline counts for a pod that never gets to run',
    pod: aPod({ activeDeadlineSeconds: 2 }, { image: 'nobody/has:1', imagePullPolicy: 'Never' }),
    lives: { main: { pullError: 'no such image' } },
    steps: [{ until: phase('Failed', 'DeadlineExceeded') }],
    never: [phase('Running'), container('main', running)],
  },
  {
    name: 'a deadline that is given to a running pod counts from its start',
    pod: aPod(),
    plays: { main: steady },
    steps: [
      { until: ready },
      { patch: { spec: { activeDeadlineSeconds: 2 } } },
      { until: phase('Failed', 'DeadlineExceeded') },
    ],
  },
  {
    name: 'a deadline does not touch a pod that is over in time',
    on: ['fake'],
    pod: aPod({ activeDeadlineSeconds: 10, restartPolicy: 'Never' }),
    plays: { main: play({ sleeps: 5 }) },
    steps: [{ until: succeeded }, { stays: succeeded, seconds: 30 }],
    never: [failed],
  },
  {
    name: 'a pod whose containers all have limits equal to their requests is Guaranteed',
    pod: aPod(
      { restartPolicy: 'Never' },
      {
        resources: { limits: { cpu: '100m', memory: '32Mi' } },
      },
    ),
    plays: { main: play() },
    steps: [{ until: both(succeeded, { qosClass: 'Guaranteed' }) }],
  },
  {
    name: 'a pod that requests something is Burstable',
    pod: aPod({
      restartPolicy: 'Never',
      containers: [
        aContainer('main', { resources: { requests: { cpu: '10m' } } }),
        aContainer('other'),
      ],
    }),
    plays: { main: play(), other: play() },
    steps: [{ until: both(succeeded, { qosClass: 'Burstable' }) }],
  },
  {
    name: 'a pod that asks for nothing is BestEffort',
    pod: aPod({ restartPolicy: 'Never' }),
    plays: { main: play() },
    steps: [{ until: both(succeeded, { qosClass: 'BestEffort' }) }],
  },
  {
    name: 'an image that is changed in a running pod restarts its container alone',
    on: ['fake'],
    pod: aPod({ containers: [aContainer('main'), aContainer('other')] }),
    plays: { main: steady, other: steady },
    steps: [
      { until: ready },
      { patch: { spec: { containers: [{ name: 'main', image: 'test/shell:2' }] } } },
      {
        until: both(
          ready,
          container('main', { restartCount: 1, image: 'test/shell:2' }),
          container('other', { restartCount: 0 }),
        ),
      },
    ],
    events: [
      {
        type: 'Normal',
        reason: 'Killing',
        message: 'Container main definition changed, will be restarted',
      },
    ],
  },
  {
    name: 'labels and annotations that are changed disturb nothing',
    pod: aPod(),
    plays: { main: steady },
    steps: [
      { until: ready },
      { patch: { metadata: { labels: { color: 'green' }, annotations: { note: 'well' } } } },
      { stays: both(ready, container('main', { restartCount: 0 })), seconds: 1 },
    ],
    noEvents: [{ type: 'Normal', reason: 'Killing' }],
  },
  {
    name: 'a pod is observed at its generation',
    pod: aPod(),
    plays: { main: steady },
    steps: [
      { until: both(ready, { observedGeneration: 1 }) },
      { patch: { spec: { activeDeadlineSeconds: 3600 } } },
      { until: both(ready, { observedGeneration: 2 }) },
    ],
  },
  {
    name: 'a pod with scheduling gates is not scheduled before they are open',
    pod: aPod({ schedulingGates: [{ name: 'example.com/wait' }] }),
    plays: { main: steady },
    steps: [
      { until: condition('PodScheduled', 'False', { reason: 'SchedulingGated' }) },
      { patch: { spec: { schedulingGates: [{ $patch: 'delete', name: 'example.com/wait' }] } } },
      { until: ready },
    ],
  },
];
