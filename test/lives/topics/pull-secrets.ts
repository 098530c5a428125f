// Pulls in their turn, and the secrets that pods bring for them: what is told of those that are missing or broken.
import { aContainer, aPod, container, ready, secret, type Scenario, waiting } from '../scenario.ts';

const brought = (...names: string[]) => ({ imagePullSecrets: names.map((name) => ({ name })) });
const twoImages = {
  containers: [
    { ...aContainer('main'), image: 'pulled/first:1' },
    { ...aContainer('other'), image: 'pulled/second:1' },
  ],
};
const pulled = (image: string, took: string) => ({
  type: 'Normal' as const,
  reason: 'Pulled',
  message: new RegExp(`^Successfully pulled image "${image}" in ${took} including waiting\\)`),
});

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a pull secret that is not there is told of, and the pull is tried all the same',
    on: ['fake'],
    pod: aPod(brought('nobody-made-it', 'nor-this'), { image: 'pulled/openly:1' }),
    steps: [{ until: ready }],
    events: [
      {
        type: 'Warning',
        reason: 'FailedToRetrieveImagePullSecret',
        message:
          'Unable to retrieve some image pull secrets (nobody-made-it, nor-this); attempting to pull the image may not succeed.',
      },
      { type: 'Normal', reason: 'Pulling', message: 'Pulling image "pulled/openly:1"' },
      { type: 'Normal', reason: 'Pulled' },
    ],
  },
  {
    name: 'a pull secret that is there is not told of',
    on: ['fake'],
    objects: [
      secret(
        'pull',
        { '.dockerconfigjson': '{"auths":{"docker.io":{"auth":"YW5uOnNlY3JldA=="}}}' },
        { type: 'kubernetes.io/dockerconfigjson' },
      ),
    ],
    pod: aPod(brought('pull'), { image: 'pulled/privately:1' }),
    steps: [{ until: ready }],
    events: [{ type: 'Normal', reason: 'Pulled', message: /^Successfully pulled image / }],
    noEvents: [{ reason: 'FailedToRetrieveImagePullSecret' }],
  },
  {
    name: 'pulls of one node come one after the other',
    on: ['fake'],
    pod: aPod(twoImages),
    lives: { main: { pullMs: 10_000 }, other: { pullMs: 10_000 } },
    steps: [{ until: ready }],
    events: [pulled('pulled/first:1', '10s \\(10s'), pulled('pulled/second:1', '10s \\(10s')],
  },
  {
    name: 'a pull that fails waits 10 s, and its pod starts with the first one that succeeds',
    on: ['fake'],
    pod: aPod({}, { image: 'pulled/never:1' }),
    lives: { main: { pullError: 'manifest unknown' } },
    steps: [
      { until: container('main', waiting('ErrImagePull', 'manifest unknown')) },
      {
        until: container(
          'main',
          waiting(
            'ImagePullBackOff',
            'Back-off pulling image "pulled/never:1": ErrImagePull: manifest unknown',
          ),
        ),
      },
      { stays: container('main', waiting('ImagePullBackOff')), seconds: 7 },
      { until: container('main', waiting('ErrImagePull', 'manifest unknown')) },
    ],
  },
];
