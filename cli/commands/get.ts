// `pinnace get`: server-side Tables, or the objects as JSON, YAML or names; once, or as they change.
import type { Command } from 'commander';
import { resourcePath } from '../../api/kind-ref.ts';
import type { KubeList, KubeObject } from '../../api/meta/object.ts';
import type { Table } from '../../api/wire/table.ts';
import type { DiscoveredResource } from '../../client/discovery/discovery.ts';
import type { TransportRequest } from '../../client/transport/transport.ts';
import { TablePrinter } from '../printers/table-printer.ts';
import { toYaml } from '../printers/yaml-printer.ts';
import { CommandFailure } from './command-failure.ts';
import {
  connected,
  type Connection,
  type ConnectionFlags,
  withConnectionFlags,
} from './connection.ts';

interface GetFlags extends ConnectionFlags {
  readonly allNamespaces?: boolean;
  readonly output?: string;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly watch?: boolean;
  readonly headers: boolean;
  readonly showLabels?: boolean;
}

const AS_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const OUTPUTS = ['wide', 'json', 'yaml', 'name'];

/** Adds the command. */
export function registerGet(program: Command): void {
  withConnectionFlags(program.command('get'))
    .description('show objects: get TYPE [NAME ...], get TYPE/NAME, get TYPE,TYPE')
    .argument('<types...>')
    .option('-A, --all-namespaces', 'in every namespace')
    .option('-o, --output <format>', `one of ${OUTPUTS.join(', ')}`)
    .option('-l, --selector <labels>', 'label selector')
    .option('--field-selector <fields>', 'field selector')
    .option('-w, --watch', 'go on with changes')
    .option('--no-headers', 'leave the header out')
    .option('--show-labels', 'a column of labels')
    .action(async (args: string[], flags: GetFlags) => {
      if (flags.output !== undefined && !OUTPUTS.includes(flags.output))
        throw new CommandFailure(
          `unable to match a printer suitable for the output format "${flags.output}", allowed formats are: ${OUTPUTS.join(',')}`,
        );
      await connected(flags, (connection) => get(connection, args, flags));
    });
}

/** What was asked for: a kind, and names where some are given. */
export interface Asked {
  readonly resource: DiscoveredResource;
  readonly names: readonly string[];
}

/** Reads `pods`, `pods web`, `pod/web svc/web`, `pods,services`. */
export async function whatIsAsked(
  connection: Connection,
  args: readonly string[],
): Promise<Asked[]> {
  if (args.every((arg) => arg.includes('/')))
    return Promise.all(
      args.map(async (arg) => {
        const slash = arg.indexOf('/');
        const resource = await connection.resource(arg.slice(0, slash));
        return { resource, names: [arg.slice(slash + 1)] };
      }),
    );
  const [types = '', ...names] = args;
  if (names.some((name) => name.includes('/')))
    throw new CommandFailure('give either TYPE NAME ... or TYPE/NAME ..., not both');
  return Promise.all(
    types.split(',').map(async (type) => ({ resource: await connection.resource(type), names })),
  );
}

async function get(connection: Connection, args: string[], flags: GetFlags): Promise<void> {
  const asked = await whatIsAsked(connection, args);
  for (const each of asked) {
    if (flags.output === undefined || flags.output === 'wide')
      await printTables(connection, each, flags);
    else await printObjects(connection, each, flags);
  }
}

function pathOf(connection: Connection, asked: Asked, flags: GetFlags): string {
  const { ref } = asked.resource;
  const namespace = flags.allNamespaces ? undefined : connection.namespace;
  const name = asked.names.length === 1 ? asked.names[0] : undefined;
  return resourcePath(ref, { namespace, name });
}

function queryOf(flags: GetFlags, asked: Asked): Record<string, string | undefined> {
  const single = asked.names.length === 1;
  return {
    labelSelector: flags.selector,
    fieldSelector: single && flags.watch ? `metadata.name=${asked.names[0]}` : flags.fieldSelector,
  };
}

async function printTables(connection: Connection, asked: Asked, flags: GetFlags): Promise<void> {
  const printer = new TablePrinter({
    wide: flags.output === 'wide',
    headers: flags.headers,
    namespaces: (flags.allNamespaces ?? false) && asked.resource.ref.namespaced,
    labels: flags.showLabels ?? false,
  });
  const { transport } = connection.client;
  const request: TransportRequest = {
    method: 'GET',
    path: pathOf(connection, asked, flags),
    query: queryOf(flags, asked),
    accept: AS_TABLE,
  };
  const table = (await transport.request(request)).object() as unknown as Table;
  const rows = table.rows.filter(
    (row) => asked.names.length < 2 || asked.names.includes(row.object?.metadata.name ?? ''),
  );
  if (rows.length === 0 && !flags.watch)
    process.stderr.write(
      flags.allNamespaces || !asked.resource.ref.namespaced
        ? 'No resources found\n'
        : `No resources found in ${connection.namespace} namespace.\n`,
    );
  else process.stdout.write(printer.print({ ...table, rows }));
  if (!flags.watch) return;
  const collection = resourcePath(asked.resource.ref, {
    namespace: flags.allNamespaces ? undefined : connection.namespace,
  });
  const resourceVersion = table.metadata.resourceVersion ?? '';
  const query = { ...request.query, watch: 'true', resourceVersion };
  for await (const events of transport.watch({ ...request, path: collection, query }))
    for (const event of events)
      if (event.type !== 'BOOKMARK')
        process.stdout.write(printer.print(withColumns(event.object as unknown as Table, table)));
}

/** A watch sends the columns with its first Table only. */
function withColumns(table: Table, first: Table): Table {
  return { ...table, columnDefinitions: first.columnDefinitions };
}

async function printObjects(connection: Connection, asked: Asked, flags: GetFlags): Promise<void> {
  const request: TransportRequest = {
    method: 'GET',
    path: pathOf(connection, asked, flags),
    query: queryOf(flags, asked),
  };
  const answer = (await connection.client.transport.request(request)).object() as unknown as
    | KubeObject
    | KubeList<KubeObject>;
  const all = 'items' in answer ? answer.items : [answer];
  const items = all.filter(
    (object) => asked.names.length < 2 || asked.names.includes(object.metadata.name ?? ''),
  );
  if (flags.output === 'name') {
    const { ref, singular } = asked.resource;
    const group = ref.group === '' ? '' : `.${ref.group}`;
    for (const item of items) process.stdout.write(`${singular}${group}/${item.metadata.name}\n`);
    return;
  }
  const shown =
    'items' in answer
      ? { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items }
      : answer;
  process.stdout.write(
    flags.output === 'json' ? `${JSON.stringify(shown, null, 4)}\n` : toYaml(shown),
  );
}
