// Init containers: one after the other, each until it has succeeded, before anything else begins.
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
} from '../scenario.ts';

const incomplete = (names: string) =>
  condition('Initialized', 'False', {
    message: `containers with incomplete status: [${names}]`,
  });

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'init containers run one after the other, then the containers begin',
    pod: aPod({ initContainers: [aContainer('first'), aContainer('second')] }),
    plays: { first: steady, second: steady, main: steady },
    steps: [
      { until: both(init('first', running), init('second', waiting('PodInitializing'))) },
      endsWell('first'),
      {
        until: both(
          init('first', { ready: true, ...ended(0, 'Completed') }),
          init('second', running),
          container('main', waiting('PodInitializing')),
        ),
      },
      endsWell('second'),
      { until: ready },
    ],
    statuses: [
      both(
        phase('Pending'),
        condition('Initialized', 'False', {
          reason: 'ContainersNotInitialized',
          message: 'containers with incomplete status: [first second]',
        }),
        init('first', { ready: false }),
        init('second', waiting('PodInitializing')),
        container('main', waiting('PodInitializing')),
      ),
      both(
        phase('Running'),
        condition('Initialized', 'True'),
        init('second', { ready: true, restartCount: 0, ...ended(0, 'Completed') }),
        container('main', running),
      ),
    ],
    never: [
      both(init('first', running), init('second', running)),
      both(init('second', running), container('main', running)),
    ],
  },
  {
    name: 'the incomplete ones are named, fewer and fewer',
    pod: aPod({ initContainers: [aContainer('first'), aContainer('second')] }),
    plays: { first: steady, second: steady, main: steady },
    steps: [
      { until: both(init('first', running), incomplete('first second')) },
      endsWell('first'),
      { until: both(init('second', running), incomplete('second')) },
      endsWell('second'),
      { until: both(ready, condition('Initialized', 'True')) },
    ],
  },
  {
    name: 'an init container that fails is started again until it succeeds',
    pod: aPod({ initContainers: [aContainer('first')] }),
    plays: { first: { first: play({ exits: 1 }), later: play() }, main: steady },
    steps: [{ until: ready }],
    statuses: [
      init('first', { restartCount: 1, ready: true, ...ended(0), ...endedBefore(1, 'Error') }),
    ],
    never: [failed],
  },
  {
    name: 'with restartPolicy Never, an init container that fails makes its pod Failed and nothing else begins',
    pod: aPod({
      restartPolicy: 'Never',
      initContainers: [aContainer('first'), aContainer('second')],
    }),
    plays: { first: play({ exits: 5 }), second: play(), main: steady },
    steps: [
      {
        until: both(
          failed,
          init('first', { ready: false, restartCount: 0, ...ended(5, 'Error') }),
          init('second', waiting('PodInitializing')),
          container('main', { ready: false, ...waiting('PodInitializing') }),
          condition('Initialized', 'False', { reason: 'ContainersNotInitialized' }),
        ),
      },
    ],
    never: [phase('Running'), init('second', running), container('main', running)],
  },
  {
    name: 'with restartPolicy OnFailure, a failed init container is started again and the pod may succeed',
    pod: aPod({ restartPolicy: 'OnFailure', initContainers: [aContainer('first')] }),
    plays: { first: { first: play({ exits: 1 }), later: play() }, main: play() },
    steps: [{ until: both(succeeded, init('first', { restartCount: 1 })) }],
    never: [failed],
  },
  {
    name: 'init containers do not run again when a container is restarted',
    pod: aPod({ initContainers: [aContainer('first')] }),
    plays: {
      first: play({ says: 'once' }),
      main: { first: play({ sleeps: 1 }, { exits: 1 }), later: steady },
    },
    steps: [{ until: both(ready, container('main', { restartCount: 1 })) }],
    never: [init('first', { restartCount: 1 })],
    logs: { first: ['once'] },
  },
  {
    name: 'the log of an init container is kept after its end',
    pod: aPod({ initContainers: [aContainer('first')] }),
    plays: { first: play({ says: 'made ready' }), main: steady },
    steps: [{ until: ready }],
    logs: { first: ['made ready'] },
  },
  {
    name: 'a pod with many init containers counts the done ones as ready',
    pod: aPod({
      restartPolicy: 'Never',
      initContainers: ['a', 'b', 'c', 'd'].map((name) => aContainer(name)),
    }),
    plays: { a: play(), b: play(), c: play(), d: play(), main: play() },
    steps: [
      {
        until: both(
          succeeded,
          ...['a', 'b', 'c', 'd'].map((name) => init(name, { ready: true, restartCount: 0 })),
        ),
      },
    ],
    statuses: [condition('Initialized', 'True', { reason: 'PodCompleted' })],
  },
  {
    name: 'an init container past the deadline of its pod is ended with it',
    pod: aPod({ activeDeadlineSeconds: 1, initContainers: [aContainer('first')] }),
    plays: { first: steady, main: steady },
    steps: [
      {
        until: phase(
          'Failed',
          'DeadlineExceeded',
          'Pod was active on the node longer than the specified deadline',
        ),
      },
    ],
    never: [container('main', running)],
  },
];
