// `pinnace logs`: a container's log, once or as it grows.
import type { Command } from 'commander';
import { resourcePath } from '../../api/kind-ref.ts';
import { Pods } from '../../api/kinds.ts';
import { CommandFailure } from './command-failure.ts';
import {
  connected,
  type Connection,
  type ConnectionFlags,
  withConnectionFlags,
} from './connection.ts';

interface LogFlags extends ConnectionFlags {
  readonly container?: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly timestamps?: boolean;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Adds the command. */
export function registerLogs(program: Command): void {
  withConnectionFlags(program.command('logs'))
    .description('print the log of a pod: logs POD [-c CONTAINER] [-f]')
    .argument('<pod>')
    .option('-c, --container <name>', 'the container; the first one unless given')
    .option('-f, --follow', 'go on as it grows')
    .option('-p, --previous', 'of the container that ran before')
    .option('--tail <lines>', 'the last lines only')
    .option('--since <duration>', 'newer than this: 90s, 5m, 2h')
    .option('--timestamps', 'with the time of each line')
    .action(async (pod: string, flags: LogFlags) => {
      await connected(flags, (connection) => logs(connection, pod.replace(/^pods?\//, ''), flags));
    });
}

async function logs(connection: Connection, name: string, flags: LogFlags): Promise<void> {
  const { client, namespace } = connection;
  const container = flags.container ?? (await firstContainer(connection, name));
  const body = await client.transport.stream({
    method: 'GET',
    path: resourcePath(Pods, { namespace, name, subresource: 'log' }),
    query: {
      container,
      follow: flags.follow ? 'true' : undefined,
      previous: flags.previous ? 'true' : undefined,
      tailLines: flags.tail,
      sinceSeconds: flags.since === undefined ? undefined : String(secondsOf(flags.since)),
      timestamps: flags.timestamps ? 'true' : undefined,
    },
  });
  for await (const chunk of body) process.stdout.write(chunk);
}

async function firstContainer({ client, namespace }: Connection, name: string): Promise<string> {
  const pod = await client.resource(Pods).get({ namespace, name });
  return pod.spec?.containers[0]?.name ?? '';
}

function secondsOf(text: string): number {
  const match = /^(\d+)([smh])$/.exec(text);
  if (!match) throw new CommandFailure(`--since ${text}: give a number with s, m or h, such as 5m`);
  return Number(match[1]) * (UNIT_SECONDS[match[2] ?? 's'] ?? 1);
}
