// Pods that cannot run say why, in words that people can act on, and go on trying as long as it may help.
import { steady } from '../play.ts';
import {
  aPod,
  both,
  configMap,
  container,
  endedBefore,
  phase,
  ready,
  REAL,
  running,
  type Scenario,
  secret,
  waiting,
} from '../scenario.ts';

const env = (valueFrom: object) => ({ env: [{ name: 'A', valueFrom }] });
const failedWith = (message: string | RegExp) => ({
  type: 'Warning' as const,
  reason: 'Failed',
  message,
});

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a command that may not be executed says permission denied',
    on: REAL,
    pod: aPod({}, { command: ['/etc/hosts'] }),
    steps: [{ until: container('main', endedBefore(128, 'StartError', /permission denied/)) }],
    events: [failedWith(/permission denied/)],
  },
  {
    name: 'a working directory that is a file is named',
    on: REAL,
    pod: aPod({}, { workingDir: '/bin/cat' }),
    plays: { main: steady },
    steps: [{ event: failedWith(/\/bin\/cat|not a directory|mkdir/) }],
    never: [ready],
  },
  {
    name: 'a ConfigMap that is missing is named, and the container begins once it is there',
    on: REAL,
    pod: aPod({}, env({ configMapKeyRef: { name: 'later', key: 'a' } })),
    plays: { main: steady },
    steps: [
      {
        until: both(
          phase('Pending'),
          container('main', waiting('CreateContainerConfigError', 'configmap "later" not found')),
        ),
      },
      { apply: configMap('later', { a: '1' }) },
      { until: ready },
    ],
    events: [failedWith('Error: configmap "later" not found')],
    never: [container('main', { restartCount: 1 })],
  },
  {
    name: 'a key that a ConfigMap lacks is named',
    on: REAL,
    objects: [configMap('there', { b: '1' })],
    pod: aPod({}, env({ configMapKeyRef: { name: 'there', key: 'a' } })),
    plays: { main: steady },
    steps: [
      {
        until: container(
          'main',
          waiting(
            'CreateContainerConfigError',
            /^couldn't find key a in ConfigMap cannot-run-\d+\/there$/,
          ),
        ),
      },
    ],
  },
  {
    name: 'a Secret that is missing is named, and the container begins once it is there',
    on: REAL,
    pod: aPod({}, { envFrom: [{ secretRef: { name: 'later' } }] }),
    plays: { main: steady },
    steps: [
      {
        until: container('main', waiting('CreateContainerConfigError', 'secret "later" not found')),
      },
      { apply: secret('later', { A: '1' }) },
      { until: ready },
    ],
    events: [failedWith('Error: secret "later" not found')],
  },
  {
    name: 'a key that a Secret lacks is named',
    on: REAL,
    objects: [secret('there', { b: '1' })],
    pod: aPod({}, env({ secretKeyRef: { name: 'there', key: 'a' } })),
    plays: { main: steady },
    steps: [
      {
        until: container(
          'main',
          waiting(
            'CreateContainerConfigError',
            /^couldn't find key a in Secret cannot-run-\d+\/there$/,
          ),
        ),
      },
    ],
  },
  {
    name: 'a ConfigMap that a volume lacks is told by FailedMount, and mounted once it is there',
    on: REAL,
    pod: aPod(
      { volumes: [{ name: 'files', configMap: { name: 'later' } }] },
      { volumeMounts: [{ name: 'files', mountPath: '/files' }] },
    ),
    plays: { main: steady },
    steps: [
      {
        event: {
          type: 'Warning',
          reason: 'FailedMount',
          message: 'MountVolume.SetUp failed for volume "files" : configmap "later" not found',
        },
      },
      { until: both(phase('Pending'), container('main', waiting('ContainerCreating'))) },
      { apply: configMap('later', { a: '1' }) },
      { until: ready },
      { exec: ['cat', '/files/a'], stdout: '1' },
    ],
    never: [container('main', { restartCount: 1 })],
  },
  {
    name: 'a Secret that a volume lacks is told by FailedMount',
    on: REAL,
    pod: aPod(
      { volumes: [{ name: 'files', secret: { secretName: 'nowhere' } }] },
      { volumeMounts: [{ name: 'files', mountPath: '/files' }] },
    ),
    plays: { main: steady },
    steps: [
      {
        event: {
          type: 'Warning',
          reason: 'FailedMount',
          message: 'MountVolume.SetUp failed for volume "files" : secret "nowhere" not found',
        },
      },
    ],
    never: [container('main', running)],
  },
  {
    name: 'a key that a volume names and its ConfigMap lacks is told',
    on: REAL,
    objects: [configMap('there', { a: '1' })],
    pod: aPod(
      {
        volumes: [
          { name: 'files', configMap: { name: 'there', items: [{ key: 'b', path: 'b' }] } },
        ],
      },
      { volumeMounts: [{ name: 'files', mountPath: '/files' }] },
    ),
    plays: { main: steady },
    steps: [
      {
        event: {
          type: 'Warning',
          reason: 'FailedMount',
          message:
            'MountVolume.SetUp failed for volume "files" : configmap references non-existent config key: b',
        },
      },
    ],
    never: [container('main', running)],
  },
  {
    name: 'runAsNonRoot refuses an image that runs as root, and says of which container',
    on: REAL,
    pod: aPod({}, { securityContext: { runAsNonRoot: true } }),
    plays: { main: steady },
    steps: [
      {
        until: container(
          'main',
          waiting(
            'CreateContainerConfigError',
            /^container has runAsNonRoot and image will run as root \(pod: "it_cannot-run-\d+\([0-9a-f-]{36}\)", container: main\)$/,
          ),
        ),
      },
    ],
    events: [failedWith(/^Error: container has runAsNonRoot and image will run as root/)],
    never: [container('main', running)],
  },
  {
    name: 'runAsNonRoot refuses runAsUser 0',
    on: REAL,
    pod: aPod({}, { securityContext: { runAsNonRoot: true, runAsUser: 0 } }),
    plays: { main: steady },
    steps: [
      {
        until: container(
          'main',
          waiting(
            'CreateContainerConfigError',
            /^container's runAsUser breaks non-root policy \(pod: "it_cannot-run-\d+\([0-9a-f-]{36}\)", container: main\)$/,
          ),
        ),
      },
    ],
  },
  {
    name: 'a hostPath that has to be a directory and is none says so',
    on: REAL,
    pod: aPod(
      { volumes: [{ name: 'host', hostPath: { path: '/etc/hostname', type: 'Directory' } }] },
      { volumeMounts: [{ name: 'host', mountPath: '/host' }] },
    ),
    plays: { main: steady },
    steps: [
      {
        event: {
          type: 'Warning',
          reason: 'FailedMount',
          message:
            'MountVolume.SetUp failed for volume "host" : hostPath type check failed: /etc/hostname is not a directory',
        },
      },
    ],
    never: [container('main', running)],
  },
  {
    name: 'a hostPath that has to be a file and is not there says so',
    on: REAL,
    pod: aPod(
      { volumes: [{ name: 'host', hostPath: { path: '/no/such/file', type: 'File' } }] },
      { volumeMounts: [{ name: 'host', mountPath: '/host' }] },
    ),
    plays: { main: steady },
    steps: [
      {
        event: {
          type: 'Warning',
          reason: 'FailedMount',
          message:
            'MountVolume.SetUp failed for volume "host" : hostPath type check failed: /no/such/file is not a file',
        },
      },
    ],
  },
  {
    name: 'a subPath below a file is refused, and said to be none',
    on: REAL,
    pod: aPod(
      {
        initContainers: [
          {
            name: 'first',
            image: 'test/shell:1',
            command: ['/bin/sh', '-c', 'echo > /scratch/file'],
            volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
          },
        ],
        volumes: [{ name: 'scratch', emptyDir: {} }],
      },
      { volumeMounts: [{ name: 'scratch', mountPath: '/in', subPath: 'file/below' }] },
    ),
    plays: { main: steady },
    steps: [
      {
        until: container(
          'main',
          waiting('CreateContainerConfigError', /^failed to prepare subPath/),
        ),
      },
    ],
    never: [container('main', running)],
  },
  {
    name: 'a claim that is not there keeps its pod unscheduled, by name',
    pod: aPod({ volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'nowhere' } }] }),
    plays: { main: steady },
    steps: [
      {
        until: both(phase('Pending'), {
          conditions: [
            {
              type: 'PodScheduled',
              status: 'False',
              reason: 'Unschedulable',
              message: /persistentvolumeclaim "nowhere" not found/,
            },
          ],
        }),
      },
    ],
    never: [phase('Running')],
  },
  {
    name: 'a pod that asks for more than there is stays unscheduled, and says of what',
    pod: aPod({}, { resources: { requests: { cpu: '4000' } } }),
    plays: { main: steady },
    steps: [
      {
        until: {
          phase: 'Pending',
          conditions: [
            {
              type: 'PodScheduled',
              status: 'False',
              reason: 'Unschedulable',
              message: /^0\/1 nodes are available: 1 Insufficient cpu\./,
            },
          ],
        },
      },
    ],
    events: [
      {
        type: 'Warning',
        reason: 'FailedScheduling',
        message: /^0\/1 nodes are available: 1 Insufficient cpu\./,
      },
    ],
  },
  {
    name: 'a command that is not in the image is named',
    pod: aPod({}, { command: ['no-such-program'] }),
    lives: {
      main: {
        broken: {
          reason: 'StartError',
          message: 'exec: "no-such-program": executable file not found in $PATH',
        },
      },
    },
    steps: [
      {
        until: container('main', {
          ...waiting('CrashLoopBackOff'),
          ...endedBefore(128, 'StartError', /no-such-program.*(executable file )?not found/),
        }),
      },
    ],
    brief: [container('main', waiting('RunContainerError', /no-such-program.*not found/))],
    events: [failedWith(/^Error: .*no-such-program.*not found/)],
    never: [ready],
  },
];
