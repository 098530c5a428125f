// `pinnace top`: CPU and memory of pods, their containers or nodes, from metrics.k8s.io; by name, or the largest first.
import type { Command } from 'commander';
import { NodeMetricsKind, Nodes, PodMetricsKind } from '../../api/kinds.ts';
import { parseQuantity } from '../../api/meta/quantity.ts';
import { inColumns } from '../printers/columns.ts';
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
  readonly containers?: boolean;
  readonly sortBy?: string;
  readonly headers: boolean;
}

interface Usage {
  readonly cpu: string;
  readonly memory: string;
}

/** A line: what it is about, and its figures in cores and bytes. */
interface Row {
  readonly names: readonly string[];
  readonly cpu: number;
  readonly memory: number;
  /** What there is in all, where that is known. */
  readonly of?: { readonly cpu: number; readonly memory: number };
}

/** Adds the command. */
export function registerTop(program: Command): void {
  withConnectionFlags(program.command('top'))
    .description('show CPU and memory: top pods [NAME], top nodes [NAME]')
    .argument('<pods|nodes>')
    .argument('[name]')
    .option('-A, --all-namespaces', 'in every namespace')
    .option('-l, --selector <labels>', 'label selector')
    .option('--containers', 'a line for each container of the pods')
    .option('--sort-by <figure>', 'cpu or memory, the largest first; by name unless given')
    .option('--no-headers', 'leave the header out')
    .action(async (what: string, name: string | undefined, flags: TopFlags) => {
      if (flags.sortBy !== undefined && !['cpu', 'memory'].includes(flags.sortBy))
        throw new CommandFailure('--sort-by accepts only cpu or memory');
      if (name !== undefined && (flags.selector !== undefined || flags.allNamespaces))
        throw new CommandFailure('a name goes neither with a selector nor with all namespaces');
      await connected(flags, async (connection) => {
        if (/^(po|pods?)$/.test(what)) await topPods(connection, name, flags);
        else if (/^(no|nodes?)$/.test(what)) await topNodes(connection, name, flags);
        else throw new CommandFailure(`top shows pods or nodes, not "${what}"`);
      });
    });
}

async function topPods(
  connection: Connection,
  name: string | undefined,
  flags: TopFlags,
): Promise<void> {
  const client = connection.client.resource(PodMetricsKind);
  const { namespace, allNamespaces, containers } = {
    ...flags,
    namespace: flags.allNamespaces ? undefined : connection.namespace,
  };
  const items =
    name === undefined
      ? (await client.list({ namespace, labelSelector: flags.selector })).items
      : [await client.get({ namespace, name })];
  const rows = items.flatMap((item): Row[] => {
    const pod = [
      ...(allNamespaces ? [item.metadata.namespace ?? ''] : []),
      item.metadata.name ?? '',
    ];
    return containers
      ? item.containers.map((each) => ({ names: [...pod, each.name], ...sumOf([each.usage]) }))
      : [{ names: pod, ...sumOf(item.containers.map((each) => each.usage)) }];
  });
  const titles = [
    ...(allNamespaces ? ['NAMESPACE'] : []),
    ...(containers ? ['POD', 'NAME'] : ['NAME']),
    'CPU(cores)',
    'MEMORY(bytes)',
  ];
  print(titles, rows, flags);
}

async function topNodes(
  { client }: Connection,
  name: string | undefined,
  flags: TopFlags,
): Promise<void> {
  const metrics = client.resource(NodeMetricsKind);
  const labelSelector = flags.selector;
  const items =
    name === undefined
      ? (await metrics.list({ labelSelector })).items
      : [await metrics.get({ name })];
  const nodes = await client.resource(Nodes).list({ labelSelector });
  const sizes = new Map(nodes.items.map((node) => [node.metadata.name, node.status?.allocatable]));
  const rows = items.map((item): Row => {
    const { cpu = '0', memory = '0' } = sizes.get(item.metadata.name) ?? {};
    return {
      names: [item.metadata.name ?? ''],
      ...sumOf([item.usage]),
      of: sumOf([{ cpu, memory }]),
    };
  });
  print(['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'], rows, flags);
}

const asNumber = (quantity: string): number => Number(parseQuantity(quantity).nanos) / 1e9;

function sumOf(usages: readonly Usage[]): { cpu: number; memory: number } {
  return {
    cpu: usages.reduce((sum, usage) => sum + asNumber(usage.cpu), 0),
    memory: usages.reduce((sum, usage) => sum + asNumber(usage.memory), 0),
  };
}

function sorted(rows: readonly Row[], by: string | undefined): Row[] {
  const figure = by === 'cpu' || by === 'memory' ? by : undefined;
  const order = (a: Row, b: Row): number =>
    (figure ? b[figure] - a[figure] : 0) || (a.names.join('/') < b.names.join('/') ? -1 : 1);
  return [...rows].sort(order);
}

function print(titles: readonly string[], rows: readonly Row[], flags: TopFlags): void {
  if (rows.length === 0) {
    process.stderr.write('No resources found\n');
    return;
  }
  const share = (part: number, whole: number | undefined): string[] =>
    whole === undefined ? [] : [whole > 0 ? `${Math.trunc((part / whole) * 100)}%` : '<unknown>'];
  const lines = sorted(rows, flags.sortBy).map(({ names, cpu, memory, of }) => [
    ...names,
    `${Math.ceil(cpu * 1000)}m`,
    ...share(cpu, of?.cpu),
    `${Math.ceil(memory / 1024 / 1024)}Mi`,
    ...share(memory, of?.memory),
  ]);
  process.stdout.write(inColumns(flags.headers ? [titles, ...lines] : lines, 3));
}
