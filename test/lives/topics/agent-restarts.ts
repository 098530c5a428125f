// The agent dies as by `kill -9` and comes back: containers have not noticed, and statuses neither jump nor lie.
import { play, steady } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  container,
  ended,
  endsWell,
  init,
  phase,
  ready,
  running,
  type Scenario,
  succeeded,
  unready,
  whenFile,
} from '../scenario.ts';

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a running pod stays ready through a restart of the agent, in the same container',
    alone: true,
    pod: aPod(
      {},
      {
        readinessProbe: whenFile('/tmp/ok'),
      },
    ),
    plays: { main: play({ touches: '/tmp/ok' }, { runs: true }) },
    steps: [
      { until: ready },
      { restartAgent: true },
      { stays: both(ready, container('main', { restartCount: 0 })), seconds: 2 },
      { delete: true },
      { gone: true },
    ],
    never: [container('main', { restartCount: 1 })],
  },
  {
    name: 'a pod whose container ends while the agent is away is told of as ended',
    alone: true,
    pod: aPod({ restartPolicy: 'Never' }),
    plays: { main: { steps: [{ runs: true }], onStop: { takes: 1 } } },
    steps: [
      { until: container('main', running) },
      endsWell('main'),
      { restartAgent: true },
      { until: both(succeeded, container('main', ended(0, 'Completed'))) },
    ],
  },
  {
    name: 'init containers that are through are not run again by the next agent',
    alone: true,
    pod: aPod({ initContainers: [aContainer('first')] }),
    plays: { first: play({ says: 'once' }), main: steady },
    steps: [
      { until: ready },
      { restartAgent: true },
      { stays: both(ready, init('first', { restartCount: 0, ...ended(0) })), seconds: 2 },
    ],
    logs: { first: ['once'] },
  },
  {
    name: 'a pod that is created while the agent is away begins when it is back',
    alone: true,
    pod: aPod({ initContainers: [aContainer('first')] }),
    plays: { first: play({ sleeps: 1 }), main: steady },
    steps: [{ restartAgent: true }, { until: ready }],
    never: [phase('Failed')],
  },
  {
    name: 'a delete that was under way is finished by the next agent',
    alone: true,
    pod: aPod({ terminationGracePeriodSeconds: 30 }),
    plays: { main: { steps: [{ runs: true }], onStop: { takes: 2 } } },
    steps: [
      { until: ready },
      { delete: true },
      { event: { reason: 'Killing' } },
      { restartAgent: true },
      { gone: true },
    ],
    never: [container('main', { restartCount: 1 })],
  },
  {
    name: 'back-off goes on where it was after a restart of the agent',
    alone: true,
    on: ['fake'],
    pod: aPod(),
    plays: { main: play({ exits: 1 }) },
    steps: [
      {
        until: container('main', {
          restartCount: 3,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
        }),
      },
      { restartAgent: true },
      { stays: both(unready, container('main', { restartCount: 3 })), seconds: 20 },
      { until: container('main', { restartCount: 4 }) },
    ],
  },
];
