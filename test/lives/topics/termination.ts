// How pods are ended: signals, grace, force, and the moment at which it is asked for.
import { play, steady, stubborn } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  condition,
  container,
  ended,
  failed,
  init,
  phase,
  ready,
  REAL,
  running,
  type Scenario,
  succeeded,
  unready,
  waiting,
  whenFile,
} from '../scenario.ts';
import type { Witness } from '../running/witness.ts';

/** Milliseconds from the wish to delete it until it was gone. */
function tookToLeave({ history }: Witness): number {
  const moments = history();
  const asked = moments.find(({ pod, deleted }) => pod.metadata.deletionTimestamp && !deleted);
  return (moments.at(-1)?.atMs ?? 0) - (asked?.atMs ?? 0);
}

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a container that heeds its stop signal ends with a code of its own',
    pod: aPod({ terminationGracePeriodSeconds: 20 }),
    plays: { main: { steps: [{ runs: true }], onStop: { exits: 9 } } },
    steps: [{ until: ready }, { delete: true }, { gone: true }],
    statuses: [ready, both(container('main', ended(9, 'Error')), unready)],
    events: [{ type: 'Normal', reason: 'Killing', message: 'Stopping container main' }],
  },
  {
    name: 'a container that ignores its stop signal is killed when its grace is over',
    pod: aPod({ terminationGracePeriodSeconds: 2 }),
    plays: { main: stubborn },
    steps: [
      { until: ready },
      { delete: true },
      { gone: true },
      {
        check: (witness) => {
          const took = tookToLeave(witness);
          if (took < 1900) throw new Error(`it was gone after ${took} ms`);
        },
        why: 'it has its grace',
      },
    ],
    statuses: [container('main', ended(137, 'Error'))],
  },
  {
    name: 'the grace period of the delete counts more than the pod has',
    pod: aPod({ terminationGracePeriodSeconds: 300 }),
    plays: { main: stubborn },
    steps: [
      { until: ready },
      { delete: true, gracePeriodSeconds: 1 },
      { gone: true },
      {
        check: (witness) => {
          const took = tookToLeave(witness);
          if (took > 30_000) throw new Error(`it took ${took} ms`);
        },
        why: 'the shorter grace is given',
      },
    ],
    statuses: [container('main', ended(137))],
  },
  {
    name: 'a second delete may shorten the grace',
    pod: aPod({ terminationGracePeriodSeconds: 300 }),
    plays: { main: stubborn },
    steps: [
      { until: ready },
      { delete: true },
      { event: { reason: 'Killing' } },
      { delete: true, gracePeriodSeconds: 1 },
      { gone: true },
    ],
  },
  {
    name: 'a pod that is deleted by force is gone from the API at once',
    pod: aPod({ terminationGracePeriodSeconds: 300 }),
    plays: { main: stubborn },
    steps: [{ until: ready }, { delete: true, gracePeriodSeconds: 0 }, { gone: true }],
    never: [container('main', ended(137))],
  },
  {
    name: 'a pod that leaves is not ready from the first moment on',
    pod: aPod(
      { terminationGracePeriodSeconds: 30 },
      {
        readinessProbe: whenFile('/tmp/ok'),
      },
    ),
    plays: {
      main: { steps: [{ touches: '/tmp/ok' }, { runs: true }], onStop: { takes: 1 } },
    },
    steps: [{ until: ready }, { delete: true }, { gone: true }],
    statuses: [ready, unready],
  },
  {
    name: 'stopSignal of the container is the signal that it gets',
    on: REAL,
    pod: aPod(
      { terminationGracePeriodSeconds: 20, os: { name: 'linux' } },
      { lifecycle: { stopSignal: 'SIGUSR1' } },
    ),
    plays: {
      main: { steps: [{ says: 'up' }, { runs: true }], onStop: { signal: 'USR1', exits: 33 } },
    },
    steps: [
      { log: 'up' },
      { until: both(ready, container('main', { stopSignal: 'SIGUSR1' })) },
      { delete: true },
      { gone: true },
    ],
    statuses: [container('main', ended(33))],
  },
  {
    name: 'all containers are told to end at the same time',
    pod: aPod({
      terminationGracePeriodSeconds: 20,
      containers: [aContainer('main'), aContainer('other')],
    }),
    plays: {
      main: { steps: [{ runs: true }], onStop: { takes: 0.5 } },
      other: { steps: [{ runs: true }], onStop: { takes: 0.5 } },
    },
    steps: [{ until: ready }, { delete: true }, { gone: true }],
    events: [
      { reason: 'Killing', message: 'Stopping container main' },
      { reason: 'Killing', message: 'Stopping container other' },
    ],
  },
  {
    name: 'a pod deleted before it is scheduled is gone at once',
    pod: aPod({ nodeSelector: { no: 'node' } }),
    plays: { main: steady },
    steps: [
      { until: condition('PodScheduled', 'False', { reason: 'Unschedulable' }) },
      { delete: true },
      { gone: true },
    ],
    never: [phase('Running')],
  },
  {
    name: 'a pod deleted while an init container runs never begins its containers',
    pod: aPod({ initContainers: [aContainer('first')] }),
    plays: { first: steady, main: steady },
    steps: [{ until: init('first', running) }, { delete: true }, { gone: true }],
    never: [container('main', running)],
  },
  {
    name: 'a pod deleted while its image is not there is gone at once',
    pod: aPod(
      { terminationGracePeriodSeconds: 300 },
      { image: 'nobody/has:1', imagePullPolicy: 'Never' },
    ),
    lives: { main: { pullError: 'not found' } },
    steps: [
      { until: container('main', { state: { waiting: { reason: /^Err|BackOff/ } } }) },
      { delete: true },
      { gone: true },
    ],
    never: [container('main', running)],
  },
  {
    name: 'a pod deleted while its ConfigMap is missing is gone at once',
    on: REAL,
    pod: aPod(
      {
        terminationGracePeriodSeconds: 300,
        volumes: [{ name: 'files', configMap: { name: 'nowhere' } }],
      },
      { volumeMounts: [{ name: 'files', mountPath: '/files' }] },
    ),
    plays: { main: steady },
    steps: [
      { event: { type: 'Warning', reason: 'FailedMount' } },
      { delete: true },
      { gone: true },
    ],
    never: [container('main', running)],
  },
  {
    name: 'a pod that has succeeded is gone at once when it is deleted',
    pod: aPod({ restartPolicy: 'Never', terminationGracePeriodSeconds: 300 }),
    plays: { main: play() },
    steps: [{ until: succeeded }, { delete: true }, { gone: true }],
    never: [failed],
  },
  {
    name: 'a container that ends well as its pod is deleted makes it Succeeded, for who still looks',
    pod: aPod({ terminationGracePeriodSeconds: 20, restartPolicy: 'Never' }),
    plays: { main: { steps: [{ runs: true }], onStop: { exits: 0 } } },
    steps: [{ until: ready }, { delete: true }, { gone: true }],
    statuses: [both(succeeded, container('main', ended(0, 'Completed')))],
  },
  {
    name: 'a finalizer keeps the pod in the API after its containers have ended',
    pod: aPod({ terminationGracePeriodSeconds: 30 }, {}, { finalizers: ['example.com/hold'] }),
    plays: { main: steady },
    steps: [
      { until: ready },
      { delete: true },
      { until: container('main', ended(0)) },
      { patch: { metadata: { finalizers: null } } },
      { gone: true },
    ],
  },
  {
    name: 'a program killed from outside is started again, and its end told as 137',
    pod: aPod(),
    plays: { main: steady },
    steps: [
      { until: ready },
      { kill: 'main' },
      {
        until: container('main', {
          restartCount: 1,
          lastState: { terminated: { exitCode: 137, reason: 'Error' } },
          ...running,
        }),
      },
    ],
  },
  {
    name: 'with restartPolicy Never, a program killed from outside makes its pod Failed',
    pod: aPod({ restartPolicy: 'Never' }),
    plays: { main: steady },
    steps: [
      { until: ready },
      { kill: 'main' },
      { until: both(failed, container('main', ended(137, 'Error'))) },
    ],
    never: [container('main', { restartCount: 1 }), container('main', waiting('CrashLoopBackOff'))],
  },
  {
    name: 'an eviction through the API ends a pod as a delete does',
    pod: aPod({ terminationGracePeriodSeconds: 30 }),
    plays: { main: steady },
    steps: [{ until: ready }, { evict: true }, { gone: true }],
    statuses: [
      condition('DisruptionTarget', 'True', {
        reason: 'EvictionByEvictionAPI',
        message: 'Eviction API: evicting',
      }),
      container('main', ended(0)),
    ],
  },
];
