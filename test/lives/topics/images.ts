// Images that are there, that are not, and that cannot be: pull policies and the words for what is wrong.
import { play, steady } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  container,
  phase,
  ready,
  REAL,
  running,
  type Scenario,
  succeeded,
  waiting,
} from '../scenario.ts';

const missing = 'nobody/has-this:1';

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'an image that is present is used, and said to be',
    on: REAL,
    pod: aPod({ restartPolicy: 'Never' }, { imagePullPolicy: 'IfNotPresent' }),
    plays: { main: play() },
    steps: [{ until: succeeded }],
    events: [
      {
        type: 'Normal',
        reason: 'Pulled',
        message:
          'Container image "test/shell:1" already present on machine and can be accessed by the pod',
      },
      { type: 'Normal', reason: 'Created' },
      { type: 'Normal', reason: 'Started' },
    ],
    noEvents: [{ type: 'Normal', reason: 'Pulling' }],
  },
  {
    name: 'with imagePullPolicy Never an image that is missing is not pulled, in words that say so',
    on: REAL,
    pod: aPod({}, { image: missing, imagePullPolicy: 'Never' }),
    steps: [
      {
        until: both(
          phase('Pending'),
          container('main', {
            restartCount: 0,
            ...waiting(
              'ErrImageNeverPull',
              `Container image "${missing}" is not present with pull policy of Never`,
            ),
          }),
        ),
      },
    ],
    events: [
      {
        type: 'Warning',
        reason: 'ErrImageNeverPull',
        message: `Container image "${missing}" is not present with pull policy of Never`,
      },
      { type: 'Warning', reason: 'Failed', message: 'Error: ErrImageNeverPull' },
    ],
    never: [phase('Failed'), container('main', running)],
  },
  {
    name: 'an image that cannot be pulled is tried again later and later',
    pod: aPod({}, { image: missing }),
    lives: { main: { pullError: 'no such image' } },
    steps: [
      {
        until: container(
          'main',
          waiting(
            'ImagePullBackOff',
            /^Back-off pulling image "nobody\/has-this:1": ErrImagePull: /,
          ),
        ),
      },
    ],
    events: [
      { type: 'Normal', reason: 'Pulling', message: `Pulling image "${missing}"` },
      {
        type: 'Warning',
        reason: 'Failed',
        message: /^Failed to pull image "nobody\/has-this:1": /,
      },
      { type: 'Warning', reason: 'Failed', message: 'Error: ErrImagePull' },
      {
        type: 'Normal',
        reason: 'BackOff',
        message: /^Back-off pulling image "nobody\/has-this:1"/,
      },
      { type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff' },
    ],
    brief: [
      container('main', waiting('ErrImagePull')),
      container('main', waiting('ImagePullBackOff')),
    ],
    never: [phase('Failed'), phase('Running')],
  },
  {
    name: 'a name that is none is told as such',
    on: REAL,
    pod: aPod({}, { image: 'Not//A:Name' }),
    steps: [
      {
        until: container(
          'main',
          waiting(
            'InvalidImageName',
            /^Failed to apply default image tag "Not\/\/A:Name": couldn't parse image name "Not\/\/A:Name": invalid reference format/,
          ),
        ),
      },
    ],
    events: [
      { type: 'Warning', reason: 'InspectFailed', message: /^Failed to apply default image tag / },
      { type: 'Warning', reason: 'Failed', message: 'Error: InvalidImageName' },
    ],
    never: [phase('Failed')],
  },
  {
    name: 'the containers whose images are there run while another waits for its own',
    on: REAL,
    pod: aPod({
      containers: [
        aContainer('main'),
        { ...aContainer('other'), image: missing, imagePullPolicy: 'Never' },
      ],
    }),
    plays: { main: steady },
    steps: [
      {
        until: both(
          phase('Pending'),
          container('main', { ready: true, ...running }),
          container('other', waiting('ErrImageNeverPull')),
        ),
      },
    ],
    never: [ready],
  },
  {
    name: 'an init container whose image is missing holds up the rest',
    on: REAL,
    pod: aPod({
      initContainers: [{ ...aContainer('first'), image: missing, imagePullPolicy: 'Never' }],
    }),
    plays: { main: steady },
    steps: [
      {
        until: both(phase('Pending'), {
          initContainerStatuses: [{ name: 'first', ...waiting('ErrImageNeverPull') }],
          containerStatuses: [{ name: 'main', ...waiting('PodInitializing') }],
        }),
      },
    ],
  },
  {
    name: 'a pull that takes its time keeps its pod in ContainerCreating, and is told when it is through',
    on: ['fake'],
    pod: aPod({}, { image: 'slow/one:1' }),
    lives: { main: { pullMs: 30_000 } },
    steps: [
      { until: container('main', waiting('ContainerCreating')) },
      { stays: phase('Pending'), seconds: 29 },
      { until: ready },
    ],
    events: [
      { type: 'Normal', reason: 'Pulling', message: 'Pulling image "slow/one:1"' },
      {
        type: 'Normal',
        reason: 'Pulled',
        message:
          /^Successfully pulled image "slow\/one:1" in 30s \(30s including waiting\)\. Image size: \d+ bytes\.$/,
      },
    ],
  },
  {
    name: 'an image that can be pulled after all is pulled, and the pod begins',
    on: ['fake'],
    pod: aPod({ initContainers: [aContainer('first')] }, { image: 'late/one:1' }),
    plays: { first: play() },
    steps: [{ until: ready }],
    events: [{ type: 'Normal', reason: 'Pulled', message: /late\/one:1/ }],
  },
];
