// What a node does about pods by itself: those that write too much, those that it does not take, and pods that are sized as a whole.
import { steady } from '../play.ts';
import {
  aPod,
  both,
  condition,
  failed,
  phase,
  ready,
  REAL,
  type Scenario,
  type StatusPattern,
} from '../scenario.ts';

const writes = (path: string) => ({
  command: ['/bin/sh', '-c', `dd if=/dev/zero of=${path} bs=1M count=4; sleep 1000`],
});
const unsafe = { securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '64' }] } };
const forbidden = 'forbidden sysctl: "net.core.somaxconn" not allowlisted';
const whole = (cpu: string, memory: string) => ({
  resources: { requests: { cpu, memory }, limits: { cpu, memory } },
});
const given = (parts: object): StatusPattern => parts as StatusPattern;

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a pod that writes more into an emptyDir than its size limit is evicted',
    on: REAL,
    pod: aPod(
      { volumes: [{ name: 'cache', emptyDir: { sizeLimit: '1Mi' } }] },
      { ...writes('/cache/x'), volumeMounts: [{ name: 'cache', mountPath: '/cache' }] },
    ),
    steps: [{ until: failed }],
    statuses: [
      phase('Running'),
      phase('Failed', 'Evicted', 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". '),
    ],
    events: [
      {
        type: 'Warning',
        reason: 'Evicted',
        message: 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". ',
      },
      { type: 'Normal', reason: 'Killing', message: 'Stopping container main' },
    ],
  },
  {
    name: 'a pod that sets a sysctl which its node does not allow is refused, in words that name it',
    pod: aPod(unsafe),
    plays: { main: steady },
    steps: [{ until: failed }],
    statuses: [phase('Failed', 'SysctlForbidden', `Pod was rejected: ${forbidden}`)],
    events: [{ type: 'Warning', reason: 'SysctlForbidden', message: forbidden }],
    never: [phase('Running')],
  },
  {
    name: 'a sysctl that the node was told to allow is set',
    on: ['fake'],
    node: { allowedUnsafeSysctls: ['net.core.*'] },
    pod: aPod(unsafe),
    plays: { main: steady },
    steps: [{ until: ready }],
  },
  {
    name: 'a pod that is sized as a whole is told what it was given, and of the class that this makes it',
    pod: aPod(whole('50m', '32Mi')),
    plays: { main: steady },
    steps: [
      {
        until: both(
          ready,
          given({
            qosClass: 'Guaranteed',
            resources: { limits: { cpu: '50m', memory: '32Mi' } },
            allocatedResources: { cpu: '50m', memory: '32Mi' },
          }),
        ),
      },
    ],
  },
  {
    name: 'a pod that is sized as a whole is resized as a whole, and goes on',
    pod: aPod(whole('50m', '32Mi')),
    plays: { main: steady },
    steps: [
      { until: ready },
      { resize: { spec: whole('60m', '48Mi') } },
      {
        until: both(
          ready,
          given({
            resources: { limits: { cpu: '60m', memory: '48Mi' } },
            containerStatuses: [{ name: 'main', restartCount: 0 }],
          }),
        ),
      },
    ],
    never: [condition('PodResizePending', 'True')],
  },
];
