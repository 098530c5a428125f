// Pods whose containers end: restart policies by exits, and the back-off between.
import { play, steady } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  container,
  ended,
  endedBefore,
  failed,
  phase,
  ready,
  running,
  type Scenario,
  succeeded,
  waiting,
} from '../scenario.ts';

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a pod that runs on is ready, and gone once it is deleted',
    pod: aPod(),
    plays: { main: steady },
    steps: [{ until: both(ready, container('main', running)) }, { delete: true }, { gone: true }],
    statuses: [phase('Pending'), phase('Running'), ready],
    events: [
      { type: 'Normal', reason: 'Scheduled' },
      {
        type: 'Normal',
        reason: 'Created',
        message: 'Container created',
      },
      {
        type: 'Normal',
        reason: 'Started',
        message: 'Container started',
      },
      { type: 'Normal', reason: 'Killing', message: 'Stopping container main' },
    ],
  },
  {
    name: 'with restartPolicy Never, a container that ends with 0 makes its pod Succeeded',
    pod: aPod({ restartPolicy: 'Never' }),
    plays: { main: play({ says: 'done' }) },
    steps: [{ until: succeeded }],
    statuses: [
      phase('Pending'),
      both(
        succeeded,
        container('main', { ready: false, restartCount: 0, ...ended(0, 'Completed') }),
      ),
    ],
    logs: { main: ['done'] },
  },
  {
    name: 'with restartPolicy Never, a container that fails makes its pod Failed',
    pod: aPod({ restartPolicy: 'Never' }),
    plays: { main: play({ complains: 'alas' }, { exits: 3 }) },
    steps: [{ until: failed }],
    statuses: [both(failed, container('main', { restartCount: 0, ...ended(3, 'Error') }))],
    logs: { main: ['alas'] },
  },
  {
    name: 'with restartPolicy OnFailure, a container that fails is started again, and Succeeded at last',
    pod: aPod({ restartPolicy: 'OnFailure' }),
    plays: { main: { first: play({ exits: 2 }), later: play() } },
    steps: [{ until: succeeded }],
    statuses: [
      both(
        succeeded,
        container('main', { restartCount: 1, ...ended(0), ...endedBefore(2, 'Error') }),
      ),
    ],
    never: [failed],
  },
  {
    name: 'with restartPolicy Always, a container that ends well is started again too',
    pod: aPod(),
    plays: { main: { first: play({ sleeps: 0.2 }), later: steady } },
    steps: [
      {
        until: both(ready, container('main', { restartCount: 1, ...endedBefore(0, 'Completed') })),
      },
    ],
    never: [succeeded, failed],
  },
  {
    name: 'a container that keeps failing waits in CrashLoopBackOff, in words that say for how long',
    pod: aPod(),
    plays: { main: play({ exits: 7 }) },
    steps: [
      {
        until: container('main', {
          ...waiting(
            'CrashLoopBackOff',
            /^back-off 10s restarting failed container=main pod=it_[a-z0-9-]+\([0-9a-f-]{36}\)$/,
          ),
          ...endedBefore(7, 'Error'),
        }),
      },
    ],
    statuses: [
      container('main', waiting('ContainerCreating')),
      container('main', { restartCount: 1, ...waiting('CrashLoopBackOff') }),
    ],
    events: [
      {
        type: 'Warning',
        reason: 'BackOff',
        message:
          /^Back-off restarting failed container main in pod it_[a-z0-9-]+\([0-9a-f-]{36}\)$/,
      },
    ],
    never: [failed, succeeded],
  },
  {
    name: 'of two containers one may end while the other runs: the pod stays Running, and is not ready',
    pod: aPod({ restartPolicy: 'Never', containers: [aContainer('main'), aContainer('short')] }),
    plays: { main: steady, short: play({ sleeps: 1 }) },
    steps: [
      { until: both(phase('Running'), container('short', ended(0)), container('main', running)) },
    ],
    statuses: [
      {
        phase: 'Running',
        conditions: [
          {
            type: 'Ready',
            status: 'False',
            reason: 'ContainersNotReady',
            message: 'containers with unready status: [short]',
          },
        ],
      },
    ],
    never: [succeeded, failed],
  },
];
