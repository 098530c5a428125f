// `pinnace describe`: an object in full for people, and the events about it.
// Invariant: nothing secret is shown: of a Secret only how long each value is, of an apply never what it noted down.
import type { Command } from 'commander';
import { Events } from '../../api/kinds.ts';
import type { Event, Secret } from '../../api/generated/types.ts';
import type { KubeObject, LooseObject } from '../../api/meta/object.ts';
import { isNotFound } from '../../api/status.ts';
import { systemClock } from '../../base/clock.ts';
import type { DiscoveredResource } from '../../client/discovery/discovery.ts';
import { eventTable } from '../printers/event-table.ts';
import { toYaml } from '../printers/yaml-printer.ts';
import { LAST_APPLIED } from './apply-files.ts';
import { forAll, nothingFound, whatIsAsked } from './asked.ts';
import { Attempts, CommandFailure } from './command-failure.ts';
import {
  connected,
  type Connection,
  type ConnectionFlags,
  withConnectionFlags,
} from './connection.ts';

interface DescribeFlags extends ConnectionFlags {
  readonly allNamespaces?: boolean;
  readonly selector?: string;
}

/** Adds the command. */
export function registerDescribe(program: Command): void {
  withConnectionFlags(program.command('describe'))
    .description(
      'show an object in full with its events: describe TYPE NAME, describe TYPE/NAME, describe TYPE PREFIX',
    )
    .argument('<types...>')
    .option('-A, --all-namespaces', 'in every namespace')
    .option('-l, --selector <labels>', 'label selector')
    .action((args: string[], flags: DescribeFlags) =>
      connected(flags, (connection) => describeAll(connection, args, flags)),
    );
}

async function describeAll(
  connection: Connection,
  args: string[],
  flags: DescribeFlags,
): Promise<void> {
  const asked = await whatIsAsked(connection, args);
  if (flags.selector !== undefined && asked.some(({ names }) => names.length > 0))
    throw new CommandFailure('name cannot be provided when a selector is specified');
  const attempts = new Attempts();
  const answers = await forAll(asked, attempts, (resource, name) =>
    objectsOf({ connection, resource, flags }, name),
  );
  const objects = answers.flatMap(({ answer }) => answer);
  const texts: string[] = [];
  for (const object of objects) texts.push(describe(object, await eventsOf(connection, object)));
  if (texts.length > 0) process.stdout.write(texts.join('\n\n'));
  else if (!attempts.anyFailed)
    process.stderr.write(nothingFound(connection, asked, flags.allNamespaces));
  attempts.end();
}

/** The object of that name, else all whose names begin so; without a name, all that the flags select. */
async function objectsOf(
  at: { connection: Connection; resource: DiscoveredResource; flags: DescribeFlags },
  name: string | undefined,
): Promise<KubeObject[]> {
  const { connection, resource, flags } = at;
  const client = connection.client.resource(resource.ref);
  const namespace =
    resource.ref.namespaced && !flags.allNamespaces ? connection.namespace : undefined;
  const list = async () => (await client.list({ namespace, labelSelector: flags.selector })).items;
  if (name === undefined) return list();
  try {
    return [await client.get({ namespace, name })];
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const like = (await list()).filter((object) => object.metadata.name?.startsWith(name));
    if (like.length === 0) throw error;
    return like;
  }
}

/** The text of one object. */
function describe(object: KubeObject, events: readonly Event[]): string {
  const { name = '', namespace, labels, annotations, creationTimestamp } = object.metadata;
  const { [LAST_APPLIED]: _, ...shown } = annotations ?? {};
  const head: [string, string][] = [
    ['Name', name],
    ...(namespace ? [['Namespace', namespace] as [string, string]] : []),
    ['Labels', pairs(labels)],
    ['Annotations', pairs(shown)],
    ['Created', creationTimestamp ?? ''],
  ];
  const titled = head.map(([title, text]) => `${`${title}:`.padEnd(14)}${text}\n`).join('');
  const body = isSecret(object) ? secretFields(object) : fields(object as LooseObject);
  return `${titled}${body}${eventTable(events, systemClock.now())}`;
}

function fields(object: LooseObject): string {
  return Object.entries(object)
    .filter(([field]) => !['apiVersion', 'kind', 'metadata'].includes(field))
    .map(([field, value]) => {
      const title = `${field[0]?.toUpperCase() ?? ''}${field.slice(1)}`;
      return `${title}:\n${indent(toYaml(value))}`;
    })
    .join('');
}

function isSecret(object: KubeObject): object is KubeObject & Secret {
  return object.kind === 'Secret' && object.apiVersion === 'v1';
}

/** Only how much a Secret holds under which key. */
function secretFields({ type, data = {} }: Secret): string {
  const lines = Object.keys(data)
    .sort()
    .map((key) => `${key}:  ${Buffer.from(data[key] ?? '', 'base64').length} bytes\n`);
  return `\nType:  ${type ?? ''}\n\nData\n====\n${lines.join('')}\n`;
}

function pairs(map: Readonly<Record<string, string>> | undefined): string {
  const lines = Object.entries(map ?? {}).map(([key, value]) => `${key}=${value.slice(0, 140)}`);
  return lines.length === 0 ? '<none>' : lines.join(`\n${' '.repeat(14)}`);
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

async function eventsOf(connection: Connection, object: KubeObject): Promise<Event[]> {
  const { name, namespace = 'default', uid } = object.metadata;
  const list = await connection.client.resource(Events).list({
    namespace,
    fieldSelector: `involvedObject.name=${name},involvedObject.uid=${uid}`,
  });
  return list.items;
}
