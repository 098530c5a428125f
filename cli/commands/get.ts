// `pinnace get`: server-side Tables, or the objects as JSON, YAML or names; once, or as they change.
// Invariant: what is there is printed before what is missing is told.
import type { Command } from 'commander';
import { resourcePath } from '../../api/kind-ref.ts';
import type { KubeList, KubeObject } from '../../api/meta/object.ts';
import type { Table } from '../../api/wire/table.ts';
import { type DiscoveredResource, qualifiedName } from '../../client/discovery/discovery.ts';
import type { TransportRequest } from '../../client/transport/transport.ts';
import { TablePrinter } from '../printers/table-printer.ts';
import { toYaml } from '../printers/yaml-printer.ts';
import { type Asked, forAll, kindsOf, nothingFound, whatIsAsked } from './asked.ts';
import { Attempts, CommandFailure } from './command-failure.ts';
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
  readonly ignoreNotFound?: boolean;
  readonly watch?: boolean;
  readonly headers: boolean;
  readonly showLabels?: boolean;
}

const AS_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const OUTPUTS = ['wide', 'json', 'yaml', 'name'];

/** Adds the command. */
export function registerGet(program: Command): void {
  withConnectionFlags(program.command('get'))
    .description('show objects: get TYPE [NAME ...], get TYPE/NAME, get TYPE,TYPE, get all')
    .argument('<types...>')
    .option('-A, --all-namespaces', 'in every namespace')
    .option('-o, --output <format>', `one of ${OUTPUTS.join(', ')}`)
    .option('-l, --selector <labels>', 'label selector')
    .option('--field-selector <fields>', 'field selector')
    .option('--ignore-not-found', 'what is not there is no failure')
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

async function get(connection: Connection, args: string[], flags: GetFlags): Promise<void> {
  const asked = await whatIsAsked(connection, args);
  const named = asked.some(({ names }) => names.length > 0);
  if (flags.allNamespaces && named)
    throw new CommandFailure('a resource cannot be retrieved by name across all namespaces');
  if (named && flags.selector !== undefined)
    throw new CommandFailure('name cannot be provided when a selector is specified');
  if (flags.watch) return watch(connection, asked, flags);
  const attempts = new Attempts(flags.ignoreNotFound);
  if (flags.output === undefined || flags.output === 'wide')
    await printTables({ connection, asked, flags, attempts });
  else await printObjects({ connection, asked, flags, attempts });
  attempts.end();
}

interface Getting {
  readonly connection: Connection;
  readonly asked: readonly Asked[];
  readonly flags: GetFlags;
  readonly attempts: Attempts;
}

/** The request for one name, or for all that the flags select. */
function requestFor(
  { connection, flags }: Pick<Getting, 'connection' | 'flags'>,
  { ref }: DiscoveredResource,
  name: string | undefined,
): TransportRequest {
  const namespace = flags.allNamespaces ? undefined : connection.namespace;
  const { selector: labelSelector, fieldSelector } = flags;
  return {
    method: 'GET',
    path: resourcePath(ref, { namespace, name }),
    ...(name === undefined ? { query: { labelSelector, fieldSelector } } : {}),
  };
}

function printerFor(asked: Asked, flags: GetFlags, kinds: number): TablePrinter {
  return new TablePrinter({
    wide: flags.output === 'wide',
    headers: flags.headers,
    namespaces: (flags.allNamespaces ?? false) && asked.resource.ref.namespaced,
    labels: flags.showLabels ?? false,
    ...(kinds > 1 ? { kind: qualifiedName(asked.resource) } : {}),
  });
}

async function tableOf(connection: Connection, request: TransportRequest): Promise<Table> {
  const reply = await connection.client.transport.request({ ...request, accept: AS_TABLE });
  return reply.object() as unknown as Table;
}

/** Tables one below the other; what belongs to one kind and stands together is one Table. */
async function printTables(getting: Getting): Promise<void> {
  const { connection, asked, flags, attempts } = getting;
  const answers = await forAll(asked, attempts, (resource, name) =>
    tableOf(connection, requestFor(getting, resource, name)),
  );
  const groups: { resource: DiscoveredResource; tables: Table[] }[] = [];
  for (const { resource, answer } of answers) {
    if (answer.rows.length === 0) continue;
    const last = groups.at(-1);
    if (last?.resource === resource) last.tables.push(answer);
    else groups.push({ resource, tables: [answer] });
  }
  const kinds = kindsOf(asked);
  const texts = groups.map(({ resource, tables }) =>
    printerFor({ resource, names: [] }, flags, kinds).print({
      ...(tables[0] as Table),
      rows: tables.flatMap((table) => table.rows),
    }),
  );
  if (texts.length > 0) process.stdout.write(texts.join('\n'));
  else if (!attempts.anyFailed && !flags.ignoreNotFound)
    process.stderr.write(nothingFound(connection, asked, flags.allNamespaces));
}

async function watch(
  connection: Connection,
  asked: readonly Asked[],
  flags: GetFlags,
): Promise<void> {
  const [only] = asked;
  if (!only || asked.length > 1 || only.names.length > 1)
    throw new CommandFailure('you may only specify a single resource type, and one name, to watch');
  const [name] = only.names;
  const printer = printerFor(only, flags, 1);
  const at = { connection, flags };
  const table = await tableOf(connection, requestFor(at, only.resource, name));
  if (table.rows.length > 0) process.stdout.write(printer.print(table));
  const all = requestFor(at, only.resource, undefined);
  const query = {
    ...all.query,
    ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
    watch: 'true',
    resourceVersion: table.metadata.resourceVersion ?? '',
  };
  const { transport } = connection.client;
  for await (const events of transport.watch({ ...all, query, accept: AS_TABLE }))
    for (const event of events)
      if (event.type !== 'BOOKMARK')
        process.stdout.write(printer.print(withColumns(event.object as unknown as Table, table)));
}

/** A watch sends the columns with its first Table only. */
function withColumns(table: Table, first: Table): Table {
  return { ...table, columnDefinitions: first.columnDefinitions };
}

async function printObjects(getting: Getting): Promise<void> {
  const { connection, asked, flags, attempts } = getting;
  const answers = await forAll(asked, attempts, async (resource, name) => {
    const reply = await connection.client.transport.request(requestFor(getting, resource, name));
    return reply.object() as unknown as KubeObject | KubeList<KubeObject>;
  });
  const found = answers.flatMap(({ resource, answer }) =>
    ('items' in answer ? answer.items : [answer]).map((object) => ({ resource, object })),
  );
  if (flags.output === 'name') {
    for (const { resource, object } of found)
      process.stdout.write(`${qualifiedName(resource)}/${object.metadata.name}\n`);
    return;
  }
  const single = asked.length === 1 && asked[0]?.names.length === 1;
  if (single && found.length === 0) return;
  const items = found.map(({ object }) => object);
  const shown = single
    ? items[0]
    : { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items };
  process.stdout.write(
    flags.output === 'json' ? `${JSON.stringify(shown, null, 4)}\n` : toYaml(shown),
  );
}
