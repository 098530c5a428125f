// Sidecars: init containers with restartPolicy Always. They begin in their turn, run beside the containers, and end after them.
import { play, steady } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  condition,
  container,
  ended,
  endedBefore,
  endsWell,
  failed,
  init,
  phase,
  ready,
  running,
  type Scenario,
  succeeded,
  waiting,
  whenFile,
} from '../scenario.ts';

const sidecar = (name: string, more: object = {}) =>
  aContainer(name, { restartPolicy: 'Always', ...more });

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a sidecar runs on beside the containers, and is started before they are',
    pod: aPod({ initContainers: [sidecar('proxy')] }),
    plays: { proxy: steady, main: steady },
    steps: [
      { until: both(ready, init('proxy', { ready: true, started: true, ...running })) },
      { stays: both(ready, init('proxy', running)), seconds: 1 },
    ],
    statuses: [
      both(
        phase('Pending'),
        init('proxy', { started: false }),
        container('main', waiting('PodInitializing')),
      ),
      both(init('proxy', running), container('main', running), condition('Initialized', 'True')),
    ],
  },
  {
    name: 'what comes after a sidecar waits for its startup probe',
    pod: aPod({
      initContainers: [sidecar('proxy', { startupProbe: whenFile('/tmp/up') }), aContainer('next')],
    }),
    plays: {
      proxy: steady,
      next: play(),
      main: steady,
    },
    steps: [
      {
        until: both(
          init('proxy', { started: false, ...running }),
          init('next', waiting('PodInitializing')),
        ),
      },
      { exec: ['touch', '/tmp/up'], of: 'proxy' },
      { until: ready },
    ],
    statuses: [both(init('proxy', { started: true, ...running }), init('next', ended(0))), ready],
    never: [both(init('proxy', { started: false }), init('next', running))],
  },
  {
    name: 'a sidecar that ends is started again, even where the pod restarts nothing',
    pod: aPod({ restartPolicy: 'Never', initContainers: [sidecar('proxy')] }),
    plays: { proxy: { first: play({ sleeps: 0.3 }, { exits: 1 }), later: steady }, main: steady },
    steps: [
      { until: both(ready, init('proxy', { restartCount: 1, ...running, ...endedBefore(1) })) },
    ],
    never: [failed],
  },
  {
    name: 'a pod is over when its containers are: sidecars are ended, and do not count',
    pod: aPod({ restartPolicy: 'Never', initContainers: [sidecar('proxy')] }),
    plays: {
      proxy: { steps: [{ runs: true }], onStop: { exits: 3 } },
      main: steady,
    },
    steps: [
      { until: both(phase('Running'), init('proxy', running), container('main', running)) },
      endsWell('main'),
      { until: both(succeeded, init('proxy', ended(3))) },
    ],
    never: [failed],
  },
  {
    name: 'a pod whose container fails is Failed though its sidecar ends well',
    pod: aPod({ restartPolicy: 'Never', initContainers: [sidecar('proxy')] }),
    plays: { proxy: steady, main: play({ sleeps: 0.3 }, { exits: 2 }) },
    steps: [{ until: both(failed, container('main', ended(2)), init('proxy', ended(0))) }],
  },
  {
    name: 'the readiness probe of a sidecar counts for the pod',
    pod: aPod({ initContainers: [sidecar('proxy', { readinessProbe: whenFile('/tmp/ok') })] }),
    plays: { proxy: steady, main: steady },
    steps: [
      {
        until: both(
          container('main', { ready: true }),
          init('proxy', { ready: false, ...running }),
          condition('Ready', 'False', {
            reason: 'ContainersNotReady',
            message: 'containers with unready status: [proxy]',
          }),
        ),
      },
      { exec: ['touch', '/tmp/ok'], of: 'proxy' },
      { until: ready },
    ],
  },
  {
    name: 'a sidecar that fails its liveness probe is restarted, and the containers are left alone',
    pod: aPod({
      initContainers: [
        sidecar('proxy', {
          livenessProbe: whenFile('/tmp/alive', { failureThreshold: 1, initialDelaySeconds: 1 }),
        }),
      ],
    }),
    plays: {
      proxy: {
        first: steady,
        later: play({ touches: '/tmp/alive' }, { runs: true }),
      },
      main: steady,
    },
    steps: [
      {
        until: both(
          ready,
          init('proxy', { restartCount: 1, ready: true }),
          container('main', { restartCount: 0 }),
        ),
      },
    ],
    events: [
      { type: 'Warning', reason: 'Unhealthy', message: /^Liveness probe failed: / },
      { type: 'Normal', reason: 'Killing', message: 'Init container proxy failed liveness probe' },
    ],
  },
  {
    name: 'sidecars end after the containers, the last one first',
    pod: aPod({
      terminationGracePeriodSeconds: 30,
      initContainers: [sidecar('outer'), sidecar('inner')],
    }),
    plays: {
      outer: { steps: [{ runs: true }], onStop: { says: 'bye', exits: 4 } },
      inner: { steps: [{ runs: true }], onStop: { takes: 1 } },
      main: { steps: [{ runs: true }], onStop: { takes: 1 } },
    },
    steps: [{ until: ready }, { delete: true }, { gone: true }],
    statuses: [both(container('main', ended(0)), init('inner', ended(0)), init('outer', ended(4)))],
    brief: [
      both(container('main', ended(0)), init('inner', running), init('outer', running)),
      both(init('inner', ended(0)), init('outer', running)),
    ],
    never: [
      both(init('inner', ended(0)), container('main', running)),
      both(init('outer', ended(4)), init('inner', running)),
    ],
  },
  {
    name: 'a sidecar that keeps failing while the pod begins waits in CrashLoopBackOff',
    pod: aPod({ initContainers: [sidecar('proxy', { startupProbe: whenFile('/never') })] }),
    plays: { proxy: play({ exits: 1 }), main: steady },
    steps: [{ until: both(phase('Pending'), init('proxy', waiting('CrashLoopBackOff', /proxy/))) }],
    never: [container('main', running)],
  },
  {
    name: 'an init container after a sidecar has it beside itself',
    pod: aPod({ initContainers: [sidecar('proxy'), aContainer('next')] }),
    plays: { proxy: steady, next: steady, main: steady },
    steps: [
      {
        until: both(
          init('proxy', running),
          init('next', running),
          container('main', waiting('PodInitializing')),
        ),
      },
      endsWell('next'),
      { until: ready },
    ],
  },
];
