// Probes: what each kind asks, when it counts, and what comes of it.
import { play, steady } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  condition,
  container,
  endedBefore,
  PATIENT_S,
  ready,
  REAL,
  running,
  type Scenario,
  unready,
  whenFile,
} from '../scenario.ts';
import { WEB_IMAGE } from '../../support/tiny-images.ts';

const web = (path: string, more: object = {}) => ({
  httpGet: { path, port: 8080 },
  periodSeconds: 1,
  timeoutSeconds: PATIENT_S,
  ...more,
});
const killed = (probe: string) => ({
  type: 'Normal' as const,
  reason: 'Killing',
  message: `Container main failed ${probe} probe, will be restarted`,
});
const unhealthy = (probe: string, why: RegExp) => ({
  type: 'Warning' as const,
  reason: 'Unhealthy',
  message: new RegExp(`^${probe} probe failed: ${why.source}`),
});

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a container is ready once its readiness probe has succeeded, and its pod says why before',
    pod: aPod({}, { readinessProbe: whenFile('/tmp/ok') }),
    plays: { main: steady },
    steps: [
      { until: container('main', running) },
      { event: unhealthy('Readiness', /./) },
      { exec: ['touch', '/tmp/ok'] },
      { until: ready },
    ],
    statuses: [
      both(
        container('main', { ready: false, started: true, ...running }),
        condition('Ready', 'False', {
          reason: 'ContainersNotReady',
          message: 'containers with unready status: [main]',
        }),
        condition('ContainersReady', 'False', { reason: 'ContainersNotReady' }),
      ),
      both(ready, condition('ContainersReady', 'True'), container('main', { ready: true })),
    ],
    never: [container('main', { restartCount: 1 })],
  },
  {
    name: 'a readiness probe that fails later takes the pod out, and back in once it succeeds',
    pod: aPod({}, { readinessProbe: whenFile('/tmp/ok', { failureThreshold: 1 }) }),
    plays: { main: play({ touches: '/tmp/ok' }, { runs: true }) },
    steps: [
      { until: ready },
      { exec: ['rm', '/tmp/ok'] },
      { until: unready },
      { exec: ['touch', '/tmp/ok'] },
      { until: ready },
    ],
    never: [container('main', { restartCount: 1 })],
  },
  {
    name: 'a readiness probe has to succeed as often as successThreshold says',
    on: ['fake'],
    pod: aPod(
      {},
      { readinessProbe: whenFile('/tmp/ok', { periodSeconds: 10, successThreshold: 3 }) },
    ),
    plays: { main: play({ touches: '/tmp/ok' }, { runs: true }) },
    steps: [
      { until: container('main', running) },
      { stays: unready, seconds: 19 },
      { until: ready },
    ],
  },
  {
    name: 'a container whose liveness probe fails is killed and started again',
    pod: aPod({}, { livenessProbe: whenFile('/tmp/alive', { failureThreshold: 2 }) }),
    plays: {
      main: play({ touches: '/tmp/alive' }, { runs: true }),
    },
    steps: [
      { until: ready },
      { exec: ['rm', '/tmp/alive'] },
      { until: container('main', { restartCount: 1, ...running, ...endedBefore(0) }) },
    ],
    events: [unhealthy('Liveness', /./), killed('liveness')],
  },
  {
    name: 'one failure is forgiven where failureThreshold is more',
    on: ['fake'],
    pod: aPod(
      {},
      { livenessProbe: whenFile('/tmp/alive', { periodSeconds: 10, failureThreshold: 3 }) },
    ),
    plays: {
      main: play(
        { touches: '/tmp/alive' },
        { sleeps: 15 },
        { removes: '/tmp/alive' },
        { sleeps: 20 },
        { touches: '/tmp/alive' },
        { runs: true },
      ),
    },
    steps: [
      { until: ready },
      { stays: both(ready, container('main', { restartCount: 0 })), seconds: 120 },
    ],
    events: [unhealthy('Liveness', /./)],
  },
  {
    name: 'nothing else is probed before the startup probe has succeeded',
    pod: aPod(
      {},
      {
        startupProbe: whenFile('/tmp/up', { failureThreshold: 30 }),
        livenessProbe: whenFile('/tmp/up', { failureThreshold: 1 }),
        readinessProbe: whenFile('/tmp/up'),
      },
    ),
    plays: { main: steady },
    steps: [
      { until: container('main', { started: false, ready: false, ...running }) },
      { event: unhealthy('Startup', /./) },
      { exec: ['touch', '/tmp/up'] },
      { until: both(ready, container('main', { started: true, restartCount: 0 })) },
    ],
    noEvents: [unhealthy('Liveness', /./), unhealthy('Readiness', /./)],
    never: [container('main', { started: false, ready: true })],
  },
  {
    name: 'a container that never comes up is killed by its startup probe',
    pod: aPod({}, { startupProbe: whenFile('/tmp/up', { failureThreshold: 2 }) }),
    plays: {
      main: { first: steady, later: play({ touches: '/tmp/up' }, { runs: true }) },
    },
    steps: [{ until: both(ready, container('main', { restartCount: 1 })) }],
    events: [unhealthy('Startup', /./), killed('startup')],
  },
  {
    name: 'a liveness probe has a grace period of its own',
    pod: aPod(
      { terminationGracePeriodSeconds: 60 },
      {
        livenessProbe: whenFile('/tmp/alive', {
          failureThreshold: 1,
          terminationGracePeriodSeconds: 1,
        }),
      },
    ),
    plays: {
      main: { steps: [{ touches: '/tmp/alive' }, { runs: true }], onStop: 'ignores' },
    },
    steps: [
      { until: ready },
      { exec: ['rm', '/tmp/alive'] },
      { until: container('main', { restartCount: 1, ...endedBefore(137) }) },
      { delete: true, gracePeriodSeconds: 1 },
      { gone: true },
    ],
  },
  {
    name: 'a probe over HTTP succeeds from 200 to 399, and tells the code where it fails',
    on: REAL,
    pod: aPod(
      {},
      {
        image: WEB_IMAGE,
        readinessProbe: web('/readyz', { failureThreshold: 1 }),
      },
    ),
    steps: [
      { until: ready },
      { exec: ['touch', '/tmp/busy'] },
      { until: unready },
      { exec: ['rm', '/tmp/busy'] },
      { until: ready },
    ],
    events: [unhealthy('Readiness', /HTTP probe failed with statuscode: 503/)],
  },
  {
    name: 'a probe over HTTP may name its port, its scheme and headers',
    on: REAL,
    pod: aPod(
      {},
      {
        image: WEB_IMAGE,
        ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
        readinessProbe: {
          httpGet: {
            path: '/readyz',
            port: 'http',
            scheme: 'HTTP',
            httpHeaders: [{ name: 'X-Asked', value: 'kubelet' }],
          },
          periodSeconds: 1,
        },
      },
    ),
    steps: [{ until: ready }],
  },
  {
    name: 'a probe over HTTP that nobody answers says that the connection was refused',
    on: REAL,
    pod: aPod({}, { readinessProbe: web('/') }),
    plays: { main: steady },
    steps: [
      {
        event: unhealthy(
          'Readiness',
          /Get "http:\/\/[\d.]+:8080\/": dial tcp [\d.]+:8080: connect: connection refused/,
        ),
      },
    ],
    never: [ready],
  },
  {
    name: 'a probe over TCP succeeds where somebody listens',
    on: REAL,
    pod: aPod(
      {},
      {
        image: WEB_IMAGE,
        readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
      },
    ),
    steps: [{ until: ready }],
  },
  {
    name: 'a probe over TCP that nobody answers says so, and the pod is restarted by its liveness',
    on: REAL,
    pod: aPod(
      {},
      {
        livenessProbe: { tcpSocket: { port: 8081 }, periodSeconds: 1, failureThreshold: 1 },
      },
    ),
    plays: { main: steady },
    steps: [{ until: container('main', { restartCount: 1 }) }],
    events: [
      unhealthy('Liveness', /dial tcp [\d.]+:8081: connect: connection refused/),
      killed('liveness'),
    ],
  },
  {
    name: 'probes may ask another host than the pod',
    on: REAL,
    pod: aPod({
      containers: [
        aContainer('main', {
          readinessProbe: { tcpSocket: { host: '127.0.0.1', port: 1 }, periodSeconds: 1 },
        }),
        aContainer('other', {
          readinessProbe: { httpGet: { host: '127.0.0.1', port: 1, path: '/' }, periodSeconds: 1 },
        }),
      ],
    }),
    plays: { main: steady, other: steady },
    steps: [
      { event: unhealthy('Readiness', /dial tcp 127\.0\.0\.1:1: connect: connection refused/) },
      {
        event: unhealthy(
          'Readiness',
          /Get "http:\/\/127\.0\.0\.1:1\/": dial tcp 127\.0\.0\.1:1: connect: connection refused/,
        ),
      },
    ],
    never: [ready],
  },
  {
    name: 'a probe over gRPC that nobody answers says so',
    on: REAL,
    pod: aPod(
      {},
      { readinessProbe: { grpc: { port: 8082, service: 'readiness' }, periodSeconds: 1 } },
    ),
    plays: { main: steady },
    steps: [{ event: unhealthy('Readiness', /./) }],
    never: [ready],
  },
  {
    name: 'a command that takes longer than timeoutSeconds has failed',
    on: REAL,
    pod: aPod(
      {},
      {
        readinessProbe: {
          exec: { command: ['sleep', '60'] },
          periodSeconds: 1,
          timeoutSeconds: 1,
          failureThreshold: 1,
        },
      },
    ),
    plays: { main: steady },
    steps: [
      {
        event: {
          type: 'Warning',
          reason: 'Unhealthy',
          message: /^Readiness probe (failed|errored)(: | and resulted in .*: ).*timed out/,
        },
      },
    ],
    never: [ready],
  },
  {
    name: 'what a command prints is told where it fails',
    on: REAL,
    pod: aPod(
      {},
      {
        readinessProbe: {
          exec: { command: ['/bin/sh', '-c', 'echo not yet; exit 1'] },
          periodSeconds: 1,
        },
      },
    ),
    plays: { main: steady },
    steps: [{ event: unhealthy('Readiness', /not yet\s*$/) }],
  },
  {
    name: 'a probe waits for initialDelaySeconds',
    on: ['fake'],
    pod: aPod(
      {},
      {
        livenessProbe: whenFile('/tmp/never', { initialDelaySeconds: 60, failureThreshold: 1 }),
      },
    ),
    plays: { main: steady },
    steps: [
      { until: ready },
      { stays: container('main', { restartCount: 0 }), seconds: 59 },
      { until: container('main', { restartCount: 1 }) },
    ],
  },
  {
    name: 'a container is unready while it is restarted',
    pod: aPod({}, { readinessProbe: whenFile('/tmp/ok') }),
    plays: {
      main: { first: play({ touches: '/tmp/ok' }, { runs: true }), later: steady },
    },
    steps: [
      { until: ready },
      { kill: 'main' },
      { until: both(unready, container('main', { restartCount: 1, ready: false, ...running })) },
      { exec: ['touch', '/tmp/ok'] },
      { until: both(ready, container('main', { restartCount: 1 })) },
    ],
  },
];
