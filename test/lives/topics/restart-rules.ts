// Containers that restart by policies and rules of their own, and pods whose containers all begin anew (KEP-5307, KEP-5532).
import { play, steady } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  condition,
  container,
  ended,
  endedBefore,
  failed,
  init,
  phase,
  ready,
  running,
  type Scenario,
  succeeded,
} from '../scenario.ts';

const rule = (operator: string, values: number[], action = 'Restart') => ({
  action,
  exitCodes: { operator, values },
});
const never = { restartPolicy: 'Never' };

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a container of restartPolicy Never stays ended in a pod that restarts always',
    pod: aPod({ containers: [aContainer('main'), aContainer('once', never)] }),
    plays: { main: steady, once: play({ exits: 4 }) },
    steps: [
      { until: both(phase('Running'), container('once', ended(4)), container('main', running)) },
      { stays: container('once', { restartCount: 0, ...ended(4) }), seconds: 1 },
    ],
    never: [failed, succeeded],
  },
  {
    name: 'a pod that restarts always is over once none of its containers restarts by its own policy',
    pod: aPod({}, never),
    plays: { main: play({ says: 'done' }) },
    steps: [{ until: both(succeeded, container('main', { restartCount: 0, ...ended(0) })) }],
  },
  {
    name: 'a container of restartPolicy Always is started again in a pod that restarts never',
    pod: aPod(never, { restartPolicy: 'Always' }),
    plays: { main: { first: play({ exits: 1 }), later: steady } },
    steps: [{ until: both(ready, container('main', { restartCount: 1, ...endedBefore(1) })) }],
    never: [failed],
  },
  {
    name: 'a container whose exit code a rule names is started again, whatever its policy',
    pod: aPod(never, { ...never, restartPolicyRules: [rule('In', [42, 43])] }),
    plays: { main: { first: play({ exits: 42 }), later: play({ says: 'well' }) } },
    steps: [{ until: both(succeeded, container('main', { restartCount: 1, ...endedBefore(42) })) }],
    never: [failed],
  },
  {
    name: 'an exit code that no rule names is left to the policy',
    pod: aPod(never, { ...never, restartPolicyRules: [rule('In', [42])] }),
    plays: { main: play({ exits: 41 }) },
    steps: [{ until: both(failed, container('main', { restartCount: 0, ...ended(41) })) }],
  },
  {
    name: 'a rule with NotIn restarts on all codes that it does not name',
    pod: aPod(never, { ...never, restartPolicyRules: [rule('NotIn', [0, 5])] }),
    plays: { main: { first: play({ exits: 3 }), later: play({ exits: 5 }) } },
    steps: [
      {
        until: both(failed, container('main', { restartCount: 1, ...ended(5), ...endedBefore(3) })),
      },
    ],
  },
  {
    name: 'an init container of restartPolicy OnFailure is tried again in a pod that restarts never',
    pod: aPod({ ...never, initContainers: [aContainer('first', { restartPolicy: 'OnFailure' })] }),
    plays: { first: { first: play({ exits: 1 }), later: play() }, main: play({ says: 'done' }) },
    steps: [
      { until: both(succeeded, init('first', { restartCount: 1, ready: true, ...ended(0) })) },
    ],
    never: [failed],
  },
  {
    name: 'an init container of restartPolicy Never that fails makes a pod fail that restarts always',
    pod: aPod({ initContainers: [aContainer('first', never)] }),
    plays: { first: play({ exits: 6 }), main: steady },
    steps: [{ until: both(failed, init('first', { restartCount: 0, ...ended(6) })) }],
    never: [container('main', running)],
  },
  {
    name: 'RestartAllContainers runs init containers and all others again, in the same pod',
    pod: aPod({
      ...never,
      initContainers: [aContainer('first')],
      containers: [
        aContainer('main', {
          ...never,
          restartPolicyRules: [rule('In', [88], 'RestartAllContainers')],
        }),
        aContainer('other'),
      ],
    }),
    plays: {
      first: play({ says: 'prepared' }),
      main: { first: play({ sleeps: 0.5 }, { exits: 88 }), later: steady },
      other: steady,
    },
    steps: [
      {
        until: both(
          ready,
          condition('AllContainersRestarting', 'False'),
          init('first', { restartCount: 1, ...ended(0) }),
          container('main', { restartCount: 1, ...running, ...endedBefore(88) }),
          container('other', { restartCount: 1, ...running }),
        ),
      },
    ],
    statuses: [both(phase('Running'), ready)],
    brief: [
      both(
        phase('Pending'),
        condition('AllContainersRestarting', 'True', {
          reason: 'ContainerExited',
          message: 'Container main exited with code 88, triggering pod restart',
        }),
      ),
    ],
    never: [failed, succeeded],
  },
  {
    name: 'a pod is stopped by the signal that its lifecycle names, which its status shows',
    pod: aPod({ ...never, os: { name: 'linux' } }, { lifecycle: { stopSignal: 'SIGUSR1' } }),
    plays: {
      main: {
        steps: [{ says: 'up' }, { runs: true }],
        onStop: { signal: 'USR1', says: 'told', exits: 0 },
      },
    },
    steps: [
      { until: container('main', { ...running, stopSignal: 'SIGUSR1' }) },
      { log: 'up' },
      { delete: true, gracePeriodSeconds: 20 },
      { gone: true },
    ],
    statuses: [both(succeeded, container('main', ended(0)))],
    // Debian's containerd takes no signal but the image's.
    on: ['fake', 'embedded'],
  },
];
