// Ephemeral containers: attached to a running pod to look into it; they never count for it.
import { steady } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  container,
  ended,
  endsWell,
  ephemeral,
  failed,
  phase,
  ready,
  REAL,
  running,
  type Scenario,
} from '../scenario.ts';

const image = 'test/shell:1';
const runsOn = ['/bin/sh', '-c', "trap 'exit 0' TERM; while :; do sleep 100 & wait $!; done"];

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'an ephemeral container runs in a pod that runs already',
    pod: aPod(),
    plays: { main: steady },
    steps: [
      { until: ready },
      { attachEphemeral: { name: 'look', image, command: runsOn } },
      { until: both(ready, ephemeral('look', { ready: false, restartCount: 0, ...running })) },
      { delete: true },
      { gone: true },
    ],
    never: [container('main', { restartCount: 1 })],
  },
  {
    name: 'an ephemeral container that has ended is not started again, and the pod goes on',
    on: REAL,
    pod: aPod(),
    plays: { main: steady },
    steps: [
      { until: ready },
      { attachEphemeral: { name: 'look', image, command: ['/bin/sh', '-c', 'echo seen; exit 3'] } },
      { until: both(ready, ephemeral('look', ended(3, 'Error'))) },
      { stays: both(ready, ephemeral('look', ended(3))), seconds: 2 },
    ],
    never: [failed, ephemeral('look', { restartCount: 1 })],
    logs: { look: ['seen'] },
  },
  {
    name: 'an ephemeral container sees the processes of the container that it names',
    on: REAL,
    pod: aPod(),
    plays: { main: steady },
    steps: [
      { until: ready },
      {
        attachEphemeral: {
          name: 'look',
          image,
          targetContainerName: 'main',
          command: ['/bin/sh', '-c', '[ "$$$$" != 1 ] && echo beside; cat /proc/1/cmdline'],
        },
      },
      { until: ephemeral('look', { state: { terminated: { exitCode: 0 } } }) },
    ],
    logs: { look: ['beside', /while :; do sleep/] },
  },
  {
    name: 'an ephemeral container whose image is missing says so, and disturbs nobody',
    on: REAL,
    pod: aPod(),
    plays: { main: steady },
    steps: [
      { until: ready },
      { attachEphemeral: { name: 'look', image: 'nobody/has:1', imagePullPolicy: 'Never' } },
      {
        until: both(
          ready,
          phase('Running'),
          ephemeral('look', { state: { waiting: { reason: 'ErrImageNeverPull' } } }),
        ),
      },
    ],
  },
  {
    name: 'several ephemeral containers may be in one pod',
    pod: aPod({ containers: [aContainer('main')] }),
    plays: { main: steady },
    steps: [
      { until: ready },
      { attachEphemeral: { name: 'one', image, command: runsOn } },
      { until: ephemeral('one', running) },
      { attachEphemeral: { name: 'two', image, command: runsOn } },
      { until: both(ready, ephemeral('one', running), ephemeral('two', running)) },
    ],
  },
  {
    name: 'a pod is over when its containers are, whatever ephemeral ones do',
    pod: aPod({ restartPolicy: 'Never' }),
    plays: { main: steady },
    steps: [
      { until: ready },
      { attachEphemeral: { name: 'look', image, command: runsOn } },
      { until: ephemeral('look', running) },
      endsWell('main'),
      { until: phase('Succeeded') },
    ],
  },
];
