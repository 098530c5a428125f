// `pinnace logs`: logs of containers, once or as they grow; of one pod, of one behind a workload, or of all with a label.
import type { Command } from 'commander';
import { resourcePath } from '../../api/kind-ref.ts';
import type { Pod } from '../../api/generated/types.ts';
import { Pods } from '../../api/kinds.ts';
import { Attempts, CommandFailure } from './command-failure.ts';
import {
  connected,
  type Connection,
  type ConnectionFlags,
  withConnectionFlags,
} from './connection.ts';
import { podsBehind, podsLabelled } from './pods-behind.ts';

interface LogFlags extends ConnectionFlags {
  readonly container?: string;
  readonly selector?: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly timestamps?: boolean;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
/** Lines of each pod where labels select them and no number is asked. */
const TAIL_OF_MANY = '10';
/** Logs followed at once. */
const MAX_FOLLOWED = 5;

/** Adds the command. */
export function registerLogs(program: Command): void {
  withConnectionFlags(program.command('logs'))
    .description('print logs: logs POD [CONTAINER], logs TYPE/NAME, logs -l LABELS')
    .argument('[pod]')
    .argument('[container]')
    .option('-c, --container <name>', 'the container; the first one unless given')
    .option('-l, --selector <labels>', 'of every pod with these labels')
    .option('-f, --follow', 'go on as it grows')
    .option('-p, --previous', 'of the container that ran before')
    .option('--tail <lines>', `the last lines only; ${TAIL_OF_MANY} of each pod with -l`)
    .option('--since <duration>', 'newer than this: 90s, 5m, 1h30m')
    .option('--timestamps', 'with the time of each line')
    .action((pod: string | undefined, container: string | undefined, given: LogFlags) => {
      const flags = container === undefined ? given : { ...given, container };
      if ((pod === undefined) === (flags.selector === undefined))
        throw new CommandFailure('give either a pod (POD or TYPE/NAME) or a selector (-l LABELS)');
      return connected(flags, (connection) =>
        pod === undefined ? logsOfMany(connection, flags) : logsOfOne(connection, pod, flags),
      );
    });
}

async function logsOfOne(connection: Connection, text: string, flags: LogFlags): Promise<void> {
  const pods = await podsBehind(connection, text);
  const [pod] = pods;
  if (pods.length > 1)
    process.stderr.write(`Found ${pods.length} pods, using pod/${pod?.metadata.name}\n`);
  if (pod) await print(connection, pod, flags);
}

async function logsOfMany(connection: Connection, flags: LogFlags): Promise<void> {
  const pods = await podsLabelled(connection, flags.selector ?? '');
  if (pods.length === 0)
    process.stderr.write(`No resources found in ${connection.namespace} namespace.\n`);
  const each = { ...flags, tail: flags.tail ?? TAIL_OF_MANY };
  const attempts = new Attempts();
  const one = (pod: Pod) => attempts.make(() => print(connection, pod, each));
  if (flags.follow) {
    if (pods.length > MAX_FOLLOWED)
      throw new CommandFailure(
        `you are attempting to follow ${pods.length} log streams, but at most ${MAX_FOLLOWED} can be followed at once`,
      );
    await Promise.all(pods.map(one));
  } else for (const pod of pods) await one(pod);
  attempts.end();
}

async function print({ client }: Connection, pod: Pod, flags: LogFlags): Promise<void> {
  const { name, namespace } = pod.metadata;
  const body = await client.transport.stream({
    method: 'GET',
    path: resourcePath(Pods, { namespace, name, subresource: 'log' }),
    query: {
      container: flags.container ?? defaultContainer(pod),
      follow: flags.follow ? 'true' : undefined,
      previous: flags.previous ? 'true' : undefined,
      tailLines: flags.tail,
      sinceSeconds: flags.since === undefined ? undefined : String(secondsOf(flags.since)),
      timestamps: flags.timestamps ? 'true' : undefined,
    },
  });
  for await (const chunk of body) process.stdout.write(chunk);
}

/** The one that the pod names for this, else its first; said where there are several. */
function defaultContainer({ metadata, spec }: Pod): string {
  const named = metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  const names = (spec?.containers ?? []).map((container) => container.name);
  if (named !== undefined && names.includes(named)) return named;
  const [first = ''] = names;
  if (names.length > 1)
    process.stderr.write(`Defaulted container "${first}" out of: ${names.join(', ')}\n`);
  return first;
}

function secondsOf(text: string): number {
  if (!/^(\d+[smh])+$/.test(text))
    throw new CommandFailure(`--since ${text}: give numbers with s, m or h, such as 5m or 1h30m`);
  return [...text.matchAll(/(\d+)([smh])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_SECONDS[unit ?? 's'] ?? 1),
    0,
  );
}
