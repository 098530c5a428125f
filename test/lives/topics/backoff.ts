// How long a container that keeps ending waits before it is started again: 10 seconds, doubled up to 5 minutes, and forgotten after 10.
import { play, steady } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  container,
  endedBefore,
  init,
  phase,
  running,
  type Scenario,
  waiting,
} from '../scenario.ts';
import type { Witness } from '../running/witness.ts';

/** Seconds between an end of `main` and the start that followed, by what its statuses told. */
function waits({ history }: Witness): number[] {
  const found = new Map<number, number>();
  for (const { pod } of history()) {
    const status = pod.status?.containerStatuses?.[0];
    const startedAt = status?.state?.running?.startedAt;
    const finishedAt = status?.lastState?.terminated?.finishedAt;
    if (startedAt && finishedAt)
      found.set(status.restartCount, (Date.parse(startedAt) - Date.parse(finishedAt)) / 1000);
  }
  return [...found.values()];
}

function expectWaits(witness: Witness, wanted: readonly number[]): void {
  const found = waits(witness);
  if (JSON.stringify(found.slice(0, wanted.length)) !== JSON.stringify(wanted))
    throw new Error(`it waited ${found.join(', ')} seconds, not ${wanted.join(', ')}`);
}

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a crash is answered at once, further ones after 10, 20, 40, 80, 160 and 300 seconds',
    on: ['fake'],
    pod: aPod(),
    plays: { main: play({ sleeps: 1 }, { exits: 1 }) },
    steps: [
      { until: container('main', { restartCount: 8, ...running }) },
      {
        check: (witness) => expectWaits(witness, [0, 10, 20, 40, 80, 160, 300, 300]),
        why: 'each wait is as long as upstream says',
      },
    ],
    events: [
      {
        type: 'Warning',
        reason: 'BackOff',
        involvedObject: { fieldPath: 'spec.containers{main}' },
      },
    ],
  },
  {
    name: 'a node may be told of a shorter wait at most',
    node: { crashLoopBackOff: { maxContainerRestartPeriod: '15s' } },
    pod: aPod(),
    plays: { main: play({ sleeps: 1 }, { exits: 1 }) },
    steps: [
      { until: container('main', waiting('CrashLoopBackOff', /^back-off 15s restarting/)) },
      { until: container('main', { restartCount: 5, ...running }) },
      {
        check: (witness) => expectWaits(witness, [0, 10, 15, 15, 15]),
        why: 'no wait is longer',
      },
    ],
  },
  {
    name: 'the message of CrashLoopBackOff tells the wait of now',
    on: ['fake'],
    pod: aPod(),
    plays: { main: play({ exits: 1 }) },
    steps: [
      { until: container('main', waiting('CrashLoopBackOff', /^back-off 10s restarting/)) },
      { until: container('main', waiting('CrashLoopBackOff', /^back-off 20s restarting/)) },
      { until: container('main', waiting('CrashLoopBackOff', /^back-off 1m20s restarting/)) },
      { until: container('main', waiting('CrashLoopBackOff', /^back-off 5m0s restarting/)) },
    ],
  },
  {
    name: 'a container that ran for ten minutes begins its waits anew',
    on: ['fake'],
    pod: aPod(),
    plays: { main: { first: play({ exits: 1 }), later: play({ sleeps: 601 }, { exits: 1 }) } },
    steps: [
      { until: container('main', { restartCount: 3, ...running }) },
      {
        check: (witness) => expectWaits(witness, [0, 0, 0]),
        why: 'what ran long enough has no past',
      },
    ],
  },
  {
    name: 'ends with code 0 wait as failures do where the pod runs always',
    on: ['fake'],
    pod: aPod(),
    plays: { main: play() },
    steps: [
      {
        until: container('main', {
          ...waiting('CrashLoopBackOff'),
          ...endedBefore(0, 'Completed'),
        }),
      },
    ],
  },
  {
    name: 'the wait of one container holds up no other of its pod',
    pod: aPod({ containers: [aContainer('main'), aContainer('well')] }),
    plays: { main: play({ exits: 1 }), well: steady },
    steps: [
      {
        until: both(
          phase('Running'),
          container('main', waiting('CrashLoopBackOff')),
          container('well', { ready: true, restartCount: 0, ...running }),
        ),
      },
    ],
  },
  {
    name: 'an init container that keeps failing waits as others do, and its pod stays Pending',
    pod: aPod({ initContainers: [aContainer('first')] }),
    plays: { first: play({ exits: 4 }), main: steady },
    steps: [
      {
        until: both(
          phase('Pending'),
          init('first', { ...waiting('CrashLoopBackOff', /first/), ...endedBefore(4, 'Error') }),
          container('main', waiting('PodInitializing')),
        ),
      },
    ],
    never: [phase('Running'), phase('Failed')],
  },
  {
    name: 'a pod that waits in CrashLoopBackOff is deleted at once',
    pod: aPod({ terminationGracePeriodSeconds: 30 }),
    plays: { main: play({ exits: 1 }) },
    steps: [
      { until: container('main', waiting('CrashLoopBackOff')) },
      { delete: true },
      { gone: true },
      {
        check: ({ history }) => {
          const moments = history();
          const asked = moments.find(({ pod }) => pod.metadata.deletionTimestamp);
          const took = (moments.at(-1)?.atMs ?? 0) - (asked?.atMs ?? 0);
          if (took > 15_000) throw new Error(`it took ${took} ms`);
        },
        why: 'nothing runs that would need its grace',
      },
    ],
  },
];
