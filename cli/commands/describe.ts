// `pinnace describe`: an object in full for people, and the events about it.
import type { Command } from 'commander';
import { Events } from '../../api/kinds.ts';
import type { Event } from '../../api/generated/types.ts';
import type { KubeObject, LooseObject } from '../../api/meta/object.ts';
import { toYaml } from '../printers/yaml-printer.ts';
import {
  connected,
  type Connection,
  type ConnectionFlags,
  withConnectionFlags,
} from './connection.ts';
import { whatIsAsked } from './asked.ts';

/** Adds the command. */
export function registerDescribe(program: Command): void {
  withConnectionFlags(program.command('describe'))
    .description('show an object in full with its events: describe TYPE NAME, describe TYPE/NAME')
    .argument('<types...>')
    .action(async (args: string[], flags: ConnectionFlags) => {
      await connected(flags, async (connection) => {
        for (const { resource, names } of await whatIsAsked(connection, args)) {
          const client = connection.client.resource(resource.ref);
          const namespace = resource.ref.namespaced ? connection.namespace : undefined;
          const objects =
            names.length > 0
              ? await Promise.all(names.map((name) => client.get({ namespace, name })))
              : (await client.list({ namespace })).items;
          for (const object of objects) await describe(connection, object as LooseObject);
        }
      });
    });
}

async function describe(connection: Connection, object: LooseObject): Promise<void> {
  const { name = '', namespace, labels, annotations, creationTimestamp } = object.metadata;
  const head: [string, string][] = [
    ['Name', name],
    ...(namespace ? [['Namespace', namespace] as [string, string]] : []),
    ['Labels', pairs(labels)],
    ['Annotations', pairs(annotations)],
    ['Created', creationTimestamp ?? ''],
  ];
  for (const [title, text] of head) process.stdout.write(`${`${title}:`.padEnd(14)}${text}\n`);
  for (const [field, value] of Object.entries(object)) {
    if (['apiVersion', 'kind', 'metadata'].includes(field)) continue;
    const title = `${field[0]?.toUpperCase() ?? ''}${field.slice(1)}`;
    process.stdout.write(`${title}:\n${indent(toYaml(value))}`);
  }
  process.stdout.write(eventTable(await eventsOf(connection, object)));
  process.stdout.write('\n');
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
  return list.items.sort((a, b) => ((a.lastTimestamp ?? '') < (b.lastTimestamp ?? '') ? -1 : 1));
}

function eventTable(events: readonly Event[]): string {
  if (events.length === 0) return 'Events:       <none>\n';
  const lines = events.map(
    (event) =>
      `  ${(event.type ?? '').padEnd(9)}${(event.reason ?? '').padEnd(24)}${event.lastTimestamp ?? event.eventTime ?? ''}  ${event.message ?? ''}${(event.count ?? 1) > 1 ? ` (x${event.count})` : ''}`,
  );
  return `Events:\n${lines.join('\n')}\n`;
}
