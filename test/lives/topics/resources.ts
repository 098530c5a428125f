// What containers may use: memory, processors, processes, and what happens to those that want more.
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
  phase,
  ready,
  REAL,
  type Runtime,
  running,
  type Scenario,
  succeeded,
} from '../scenario.ts';

const once = { restartPolicy: 'Never' } as const;
const limits = (memory: string, more: object = {}) => ({
  resources: { limits: { memory, ...more } },
});

/** What becomes of those that take more memory than they may, in a runtime's word for it. */
const beyondMemory = (on: Runtime, reason: string | RegExp): readonly Scenario[] => [
  {
    name: `a program that takes more memory than its limit is OOMKilled, on ${on}`,
    on: [on],
    pod: aPod(once, limits('24Mi')),
    plays: { main: play({ eats: 'memory' }) },
    steps: [{ until: both(failed, container('main', ended(137, reason))) }],
  },
  {
    name: `a program that was OOMKilled is started again, and the reason is in its last state, on ${on}`,
    on: [on],
    pod: aPod({}, limits('24Mi')),
    plays: { main: { first: play({ eats: 'memory' }), later: steady } },
    steps: [
      { until: both(ready, container('main', { restartCount: 1, ...endedBefore(137, reason) })) },
    ],
  },
  {
    name: `one container beyond its memory leaves the others of its pod alone, on ${on}`,
    on: [on],
    pod: aPod({
      ...once,
      containers: [aContainer('main', limits('24Mi')), aContainer('other', limits('24Mi'))],
    }),
    plays: { main: play({ eats: 'memory' }), other: steady },
    steps: [
      {
        until: both(
          phase('Running'),
          container('main', ended(137, reason)),
          container('other', running),
        ),
      },
    ],
  },
  {
    name: `a pod as a whole may have a limit of its own, on ${on}`,
    on: [on],
    pod: aPod({ ...once, resources: { limits: { memory: '32Mi', cpu: '500m' } } }),
    plays: { main: play({ eats: 'memory' }) },
    steps: [{ until: both(failed, container('main', ended(137, reason))) }],
  },
];

/**
 * On a busy host containerd (1.6, on cgroup v1) at times never hears of it: its shim is told by the container's cgroup, and that may be
 * gone before the shim has looked. Its word is `Error` then.
 */
const MAYBE_UNHEARD = /^(OOMKilled|Error)$/;

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  ...beyondMemory('embedded', 'OOMKilled'),
  ...beyondMemory('containerd', MAYBE_UNHEARD),
  {
    name: 'a program that takes more memory than its limit again and again is told to be OOMKilled',
    on: ['containerd'],
    pod: aPod({}, limits('24Mi')),
    plays: { main: play({ eats: 'memory' }) },
    steps: [{ until: container('main', endedBefore(137, 'OOMKilled')) }],
  },
  {
    name: 'a status tells what a running container was given',
    pod: aPod(
      {},
      {
        resources: {
          requests: { cpu: '20m', memory: '16Mi' },
          limits: { cpu: '200m', memory: '32Mi' },
        },
      },
    ),
    plays: { main: steady },
    steps: [
      {
        until: both(
          ready,
          container('main', {
            allocatedResources: { cpu: '20m', memory: '16Mi' },
            resources: {
              requests: { cpu: '20m', memory: '16Mi' },
              limits: { cpu: '200m', memory: '32Mi' },
            },
          }),
        ),
      },
    ],
  },
  {
    name: 'a program sees its limits in its cgroup',
    on: REAL,
    pod: aPod(once, {
      resources: { requests: { cpu: '500m' }, limits: { cpu: '500m', memory: '32Mi' } },
    }),
    plays: {
      main: play({
        sh: [
          'cd /sys/fs/cgroup',
          'if [ -e memory.max ]; then cat memory.max cpu.max; else',
          'cat memory/memory.limit_in_bytes; echo $(cat cpu/cpu.cfs_quota_us) 100000; fi',
        ].join('\n'),
      }),
    },
    steps: [{ until: succeeded }],
    logs: { main: ['33554432', '50000 100000'] },
  },
  {
    name: 'a memory limit too small for any process is told as such',
    on: ['embedded'],
    pod: aPod({}, { resources: { limits: { memory: '1Mi' } } }),
    plays: { main: steady },
    steps: [
      {
        event: {
          type: 'Warning',
          reason: 'Failed',
          message: /^Error: .*memory/,
        },
      },
    ],
    never: [ready],
  },
  {
    name: 'a resize of CPU happens in place',
    pod: aPod(
      {},
      {
        resources: { requests: { cpu: '20m' }, limits: { cpu: '100m' } },
      },
    ),
    plays: { main: steady },
    steps: [
      { until: ready },
      {
        resize: {
          spec: {
            containers: [
              { name: 'main', resources: { requests: { cpu: '30m' }, limits: { cpu: '200m' } } },
            ],
          },
        },
      },
      {
        until: container('main', {
          restartCount: 0,
          allocatedResources: { cpu: '30m' },
          resources: { requests: { cpu: '30m' }, limits: { cpu: '200m' } },
          ...running,
        }),
      },
    ],
    never: [container('main', { restartCount: 1 })],
  },
  {
    name: 'a resize of memory restarts the container where its policy says so',
    pod: aPod(
      {},
      {
        resources: { requests: { memory: '16Mi' }, limits: { memory: '32Mi' } },
        resizePolicy: [
          { resourceName: 'memory', restartPolicy: 'RestartContainer' },
          { resourceName: 'cpu', restartPolicy: 'NotRequired' },
        ],
      },
    ),
    plays: { main: steady },
    steps: [
      { until: ready },
      {
        resize: {
          spec: { containers: [{ name: 'main', resources: { limits: { memory: '48Mi' } } }] },
        },
      },
      {
        until: both(
          ready,
          container('main', { restartCount: 1, resources: { limits: { memory: '48Mi' } } }),
        ),
      },
    ],
    events: [{ type: 'Normal', reason: 'Killing', message: /resize requires restart/ }],
  },
  {
    name: 'a resize beyond the node is infeasible, and the container runs on as it is',
    pod: aPod({}, { resources: { requests: { cpu: '20m' } } }),
    plays: { main: steady },
    steps: [
      { until: ready },
      {
        resize: {
          spec: { containers: [{ name: 'main', resources: { requests: { cpu: '4000' } } }] },
        },
      },
      { until: both(ready, condition('PodResizePending', 'True', { reason: 'Infeasible' })) },
    ],
    never: [container('main', { restartCount: 1 })],
  },
];
