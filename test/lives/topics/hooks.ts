// postStart and preStop: what they hold up, and what happens when they fail.
import { play, steady } from '../play.ts';
import {
  aPod,
  both,
  container,
  ended,
  endedBefore,
  ready,
  REAL,
  running,
  type Scenario,
  waiting,
  whenFile,
} from '../scenario.ts';
import { WEB_IMAGE } from '../../support/tiny-images.ts';

const sh = (script: string) => ({ exec: { command: ['/bin/sh', '-c', script] } });

const sixOrKilled = (code: unknown) => code === 6 || code === 137;

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'postStart runs beside the program, and nothing is ready before it has ended',
    on: REAL,
    pod: aPod({}, { lifecycle: { postStart: sh('sleep 1; echo hooked > /proc/1/fd/1') } }),
    plays: { main: play({ says: 'begun' }, { runs: true }) },
    steps: [{ until: ready }],
    statuses: [
      container('main', waiting('ContainerCreating')),
      both(ready, container('main', running)),
    ],
    never: [container('main', { ready: true, state: { waiting: {} } })],
    logs: { main: ['begun', 'hooked'] },
  },
  {
    name: 'a container whose postStart fails is killed and started again, with the reason in its status and events',
    pod: aPod({}, { lifecycle: { postStart: { exec: { command: ['/bin/sh', '-c', 'exit 4'] } } } }),
    plays: { main: steady },
    steps: [{ until: container('main', { ...waiting('CrashLoopBackOff') }) }],
    events: [
      { type: 'Normal', reason: 'Started' },
      { type: 'Warning', reason: 'FailedPostStartHook', message: 'PostStartHook failed' },
    ],
    never: [container('main', { ready: true })],
  },
  {
    name: 'postStart by HTTP asks the container itself',
    on: REAL,
    pod: aPod(
      {},
      {
        image: WEB_IMAGE,
        lifecycle: { postStart: { httpGet: { path: '/healthz', port: 9 } } },
      },
    ),
    steps: [
      {
        event: { type: 'Warning', reason: 'FailedPostStartHook', message: 'PostStartHook failed' },
      },
    ],
    never: [ready],
  },
  {
    name: 'a hook by a socket fails, as nobody runs such any more',
    pod: aPod({}, { lifecycle: { postStart: { tcpSocket: { port: 1 } } } }),
    plays: { main: steady },
    steps: [
      {
        event: { type: 'Warning', reason: 'FailedPostStartHook', message: 'PostStartHook failed' },
      },
    ],
  },
  {
    name: 'a postStart that sleeps delays readiness by so much',
    pod: aPod({}, { lifecycle: { postStart: { sleep: { seconds: 1 } } } }),
    plays: { main: steady },
    steps: [{ until: ready }],
    statuses: [container('main', { ready: false }), ready],
  },
  {
    name: 'preStop runs to its end before the stop signal is sent',
    on: REAL,
    pod: aPod(
      { terminationGracePeriodSeconds: 20 },
      {
        lifecycle: { preStop: sh('echo pre > /proc/1/fd/1; sleep 0.5; echo post > /proc/1/fd/1') },
      },
    ),
    plays: {
      main: { steps: [{ says: 'up' }, { runs: true }], onStop: { says: 'stopped', exits: 0 } },
    },
    objects: [],
    steps: [{ until: ready }, { log: 'up' }, { delete: true }, { log: 'stopped' }, { gone: true }],
    statuses: [container('main', ended(0))],
  },
  {
    name: 'a preStop that sleeps takes its time off the grace period',
    pod: aPod(
      { terminationGracePeriodSeconds: 20 },
      {
        lifecycle: { preStop: { sleep: { seconds: 1 } } },
      },
    ),
    plays: { main: { steps: [{ runs: true }], onStop: { exits: 5 } } },
    steps: [
      { until: ready },
      { delete: true },
      { gone: true },
      {
        check: ({ history }) => {
          const moments = history();
          const asked = moments.find(({ pod }) => pod.metadata.deletionTimestamp)?.atMs ?? 0;
          const took = (moments.at(-1)?.atMs ?? 0) - asked;
          if (took < 900) throw new Error(`it was gone after ${took} ms`);
        },
        why: 'the hook is waited for',
      },
    ],
    statuses: [container('main', ended(5, 'Error'))],
  },
  {
    name: 'a preStop that fails is told, and the container is ended all the same',
    pod: aPod(
      { terminationGracePeriodSeconds: 20 },
      {
        lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'exit 3'] } } },
      },
    ),
    plays: { main: steady },
    steps: [{ until: ready }, { delete: true }, { gone: true }],
    events: [{ type: 'Warning', reason: 'FailedPreStopHook', message: 'PreStopHook failed' }],
    statuses: [container('main', ended(0))],
  },
  {
    name: 'a preStop that lasts is cut off when the grace period is over, and two seconds are left for the end',
    on: REAL,
    pod: aPod({ terminationGracePeriodSeconds: 1 }, { lifecycle: { preStop: sh('sleep 100') } }),
    plays: { main: { steps: [{ runs: true }], onStop: { exits: 6 } } },
    steps: [{ until: ready }, { delete: true }, { gone: true }],
    // Where the host stands still for these seconds the program does not come to its end in time; container-stopper.test.ts counts them.
    statuses: [container('main', { state: { terminated: { exitCode: sixOrKilled } } })],
  },
  {
    name: 'preStop runs too where a liveness probe ends the container',
    on: REAL,
    pod: aPod(
      { volumes: [{ name: 'notes', emptyDir: {} }] },
      {
        lifecycle: { preStop: sh('touch /notes/pre') },
        livenessProbe: whenFile('/tmp/alive', { failureThreshold: 1, initialDelaySeconds: 1 }),
        volumeMounts: [{ name: 'notes', mountPath: '/notes' }],
      },
    ),
    plays: {
      main: { first: steady, later: play({ touches: '/tmp/alive' }, { runs: true }) },
    },
    steps: [
      { until: both(ready, container('main', { restartCount: 1, ...endedBefore(0) })) },
      { exec: ['cat', '/notes/pre'] },
    ],
  },
  {
    name: 'preStop does not run where a container ends by itself',
    on: REAL,
    pod: aPod(
      { restartPolicy: 'Never' },
      { lifecycle: { preStop: sh('echo never > /proc/1/fd/1') } },
    ),
    plays: { main: play({ says: 'one' }, { sleeps: 0.3 }, { says: 'two' }) },
    steps: [{ until: container('main', ended(0)) }],
    logs: { main: ['one', 'two'] },
    noEvents: [{ type: 'Warning', reason: 'FailedPreStopHook' }],
  },
];
