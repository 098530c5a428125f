// Termination messages: what a container leaves behind to say why it ended.
import { play } from '../play.ts';
import { absent } from '../patterns.ts';
import {
  aPod,
  both,
  container,
  ended,
  failed,
  phase,
  REAL,
  type Scenario,
  succeeded,
} from '../scenario.ts';

const once = { restartPolicy: 'Never' } as const;
const long = (length: number): string => 'x'.repeat(length);

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'what is written to the termination log is the message of the end',
    pod: aPod(once),
    plays: { main: play({ tells: 'no more oil' }, { exits: 1 }) },
    steps: [{ until: both(failed, container('main', ended(1, 'Error', 'no more oil'))) }],
  },
  {
    name: 'a message is told of a good end as well',
    pod: aPod(once),
    plays: { main: play({ tells: 'all done' }) },
    steps: [{ until: both(succeeded, container('main', ended(0, 'Completed', 'all done'))) }],
  },
  {
    name: 'terminationMessagePath says where it is written',
    on: REAL,
    pod: aPod(once, { terminationMessagePath: '/tmp/last-words' }),
    plays: { main: play({ tells: 'elsewhere', to: '/tmp/last-words' }, { exits: 1 }) },
    steps: [{ until: container('main', ended(1, 'Error', 'elsewhere')) }],
  },
  {
    name: 'with FallbackToLogsOnError a failure without a message has the end of its log',
    on: REAL,
    pod: aPod(once, { terminationMessagePolicy: 'FallbackToLogsOnError' }),
    plays: { main: play({ says: 'first' }, { says: 'last' }, { exits: 1 }) },
    steps: [{ until: container('main', ended(1, 'Error', /^first\nlast\n?$/)) }],
  },
  {
    name: 'with FallbackToLogsOnError a message that was written counts more than the log',
    on: REAL,
    pod: aPod(once, { terminationMessagePolicy: 'FallbackToLogsOnError' }),
    plays: { main: play({ says: 'from the log' }, { tells: 'from the file' }, { exits: 1 }) },
    steps: [{ until: container('main', ended(1, 'Error', 'from the file')) }],
  },
  {
    name: 'with FallbackToLogsOnError a good end has no message of its log',
    on: REAL,
    pod: aPod(once, { terminationMessagePolicy: 'FallbackToLogsOnError' }),
    plays: { main: play({ says: 'chatter' }) },
    steps: [
      { until: both(succeeded, container('main', { state: { terminated: { message: absent } } })) },
    ],
  },
  {
    name: 'without a fallback a log makes no message',
    pod: aPod(once),
    plays: { main: play({ says: 'chatter' }, { exits: 1 }) },
    steps: [
      { until: both(failed, container('main', { state: { terminated: { message: absent } } })) },
    ],
  },
  {
    name: 'a message longer than 4096 bytes is cut',
    on: REAL,
    pod: aPod(once),
    plays: { main: play({ tells: long(5000) }, { exits: 1 }) },
    steps: [{ until: container('main', ended(1, 'Error', /^x{4096}$/)) }],
  },
  {
    name: 'a fallback has 2048 bytes or 80 lines of the log at most',
    on: REAL,
    pod: aPod(once, { terminationMessagePolicy: 'FallbackToLogsOnError' }),
    plays: {
      main: play(
        { sh: 'i=0; while [ $i -lt 100 ]; do echo line-$i; i=$((i+1)); done' },
        { exits: 1 },
      ),
    },
    steps: [
      {
        until: container('main', ended(1, 'Error', /^line-20\n(line-\d+\n)*line-99\n?$/)),
      },
    ],
  },
  {
    name: 'each end has a message of its own',
    pod: aPod(),
    plays: {
      main: {
        first: play({ tells: 'the first' }, { exits: 1 }),
        later: play({ tells: 'the second' }, { exits: 2 }),
      },
    },
    steps: [
      {
        until: container('main', {
          restartCount: 1,
          lastState: { terminated: { exitCode: 2, message: 'the second' } },
        }),
      },
    ],
    statuses: [phase('Running')],
  },
];
