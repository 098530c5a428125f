// `pinnace top`: CPU and memory of pods or nodes, from metrics.k8s.io.
import type { Command } from 'commander';
import { NodeMetricsKind, PodMetricsKind } from '../../api/kinds.ts';
import { parseQuantity } from '../../api/meta/quantity.ts';
import { CommandFailure } from './command-failure.ts';
import {
  connected,
  type Connection,
  type ConnectionFlags,
  withConnectionFlags,
} from './connection.ts';

interface TopFlags extends ConnectionFlags {
  readonly allNamespaces?: boolean;
  readonly selector?: string;
}

interface Usage {
  readonly cpu: string;
  readonly memory: string;
}

/** Adds the command. */
export function registerTop(program: Command): void {
  withConnectionFlags(program.command('top'))
    .description('show CPU and memory: top pods, top nodes')
    .argument('<pods|nodes>')
    .option('-A, --all-namespaces', 'in every namespace')
    .option('-l, --selector <labels>', 'label selector')
    .action(async (what: string, flags: TopFlags) => {
      await connected(flags, async (connection) => {
        if (/^(po|pods?)$/.test(what)) await topPods(connection, flags);
        else if (/^(no|nodes?)$/.test(what)) await topNodes(connection, flags);
        else throw new CommandFailure(`top shows pods or nodes, not "${what}"`);
      });
    });
}

async function topPods(connection: Connection, flags: TopFlags): Promise<void> {
  const list = await connection.client.resource(PodMetricsKind).list({
    namespace: flags.allNamespaces ? undefined : connection.namespace,
    labelSelector: flags.selector,
  });
  const rows = list.items.map((item) => [
    ...(flags.allNamespaces ? [item.metadata.namespace ?? ''] : []),
    item.metadata.name ?? '',
    ...sumOf(item.containers.map((container) => container.usage)),
  ]);
  print(
    [...(flags.allNamespaces ? ['NAMESPACE'] : []), 'NAME', 'CPU(cores)', 'MEMORY(bytes)'],
    rows,
  );
}

async function topNodes(connection: Connection, flags: TopFlags): Promise<void> {
  const list = await connection.client
    .resource(NodeMetricsKind)
    .list({ labelSelector: flags.selector });
  const rows = list.items.map((item) => [item.metadata.name ?? '', ...sumOf([item.usage])]);
  print(['NAME', 'CPU(cores)', 'MEMORY(bytes)'], rows);
}

const asNumber = (quantity: string): number => Number(parseQuantity(quantity).nanos) / 1e9;

function sumOf(usages: readonly Usage[]): [string, string] {
  const cpu = usages.reduce((sum, usage) => sum + asNumber(usage.cpu), 0);
  const memory = usages.reduce((sum, usage) => sum + asNumber(usage.memory), 0);
  return [`${Math.ceil(cpu * 1000)}m`, `${Math.ceil(memory / 1024 / 1024)}Mi`];
}

function print(header: readonly string[], rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) {
    process.stderr.write('No resources found\n');
    return;
  }
  const widths = header.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  for (const row of [header, ...rows])
    process.stdout.write(
      `${row
        .map((cell, i) => cell.padEnd((widths[i] ?? 0) + 3))
        .join('')
        .trimEnd()}\n`,
    );
}
