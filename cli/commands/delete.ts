// `pinnace delete`: by file, by name, by label; waits until the objects are gone unless told not to.
import type { Command } from 'commander';
import { isNotFound } from '../../api/status.ts';
import { resourceOfKind, type DiscoveredResource } from '../../client/discovery/discovery.ts';
import type { DeleteOptions, ObjectRef } from '../../client/rest/client.ts';
import { CommandFailure } from './command-failure.ts';
import {
  connected,
  type Connection,
  type ConnectionFlags,
  withConnectionFlags,
} from './connection.ts';
import { whatIsAsked } from './get.ts';
import { readManifests } from './manifests.ts';

interface DeleteFlags extends ConnectionFlags {
  readonly filename?: string[];
  readonly selector?: string;
  readonly all?: boolean;
  readonly gracePeriod?: string;
  readonly force?: boolean;
  readonly ignoreNotFound?: boolean;
  readonly wait: boolean;
}

interface Target {
  readonly resource: DiscoveredResource;
  readonly ref: ObjectRef;
}

/** Adds the command. */
export function registerDelete(program: Command): void {
  withConnectionFlags(program.command('delete'))
    .description(
      'delete objects: delete TYPE NAME ..., delete -f FILE, delete TYPE -l LABELS, delete TYPE --all',
    )
    .argument('[types...]')
    .option('-f, --filename <path...>', 'files or folders; - is standard input')
    .option('-l, --selector <labels>', 'label selector')
    .option('--all', 'every object of the type in the namespace')
    .option('--grace-period <seconds>', 'time to end in; 0 with --force for at once')
    .option('--force', 'do not wait for the node')
    .option('--ignore-not-found', 'what is gone already is no failure')
    .option('--no-wait', 'return before the objects are gone')
    .action(async (args: string[], flags: DeleteFlags) => {
      await connected(flags, async (connection) => {
        const targets = await targetsOf(connection, args, flags);
        if (targets.length === 0) process.stdout.write('No resources found\n');
        for (const target of targets) await deleteOne(connection, target, flags);
      });
    });
}

async function targetsOf(
  connection: Connection,
  args: string[],
  flags: DeleteFlags,
): Promise<Target[]> {
  if (flags.filename) return targetsOfFiles(connection, flags.filename);
  if (args.length === 0) throw new CommandFailure('give a type and a name, or -f FILE');
  const asked = await whatIsAsked(connection, args);
  const targets: Target[] = [];
  for (const { resource, names } of asked) {
    const namespace = resource.ref.namespaced ? connection.namespace : undefined;
    const listed = names.length > 0 ? names : await namesOf(connection, resource, flags);
    for (const name of listed) targets.push({ resource, ref: { namespace, name } });
  }
  return targets;
}

async function namesOf(
  connection: Connection,
  resource: DiscoveredResource,
  flags: DeleteFlags,
): Promise<string[]> {
  if (!flags.all && flags.selector === undefined)
    throw new CommandFailure(
      'resource(s) were provided, but no name was specified; add a name, -l or --all',
    );
  const list = await connection.client.resource(resource.ref).list({
    namespace: resource.ref.namespaced ? connection.namespace : undefined,
    labelSelector: flags.selector,
  });
  return list.items.map((item) => item.metadata.name ?? '');
}

async function targetsOfFiles(connection: Connection, paths: string[]): Promise<Target[]> {
  const discovery = await connection.discovery();
  return readManifests(paths).map((document) => {
    if (document.kind === 'broken') throw new CommandFailure(document.problem);
    const { object } = document;
    const resource = resourceOfKind(discovery, object.apiVersion, object.kind);
    if (!resource)
      throw new CommandFailure(
        `no matches for kind "${object.kind}" in version "${object.apiVersion}"`,
      );
    const namespace = resource.ref.namespaced
      ? (object.metadata.namespace ?? connection.namespace)
      : undefined;
    return { resource, ref: { namespace, name: object.metadata.name ?? '' } };
  });
}

async function deleteOne(
  connection: Connection,
  target: Target,
  flags: DeleteFlags,
): Promise<void> {
  const { resource, ref } = target;
  const client = connection.client.resource(resource.ref);
  const seconds = flags.force ? Number(flags.gracePeriod ?? 0) : Number(flags.gracePeriod ?? -1);
  const options: DeleteOptions = {
    propagationPolicy: 'Background',
    ...(seconds >= 0 ? { gracePeriodSeconds: seconds } : {}),
  };
  try {
    await client.delete(ref, options);
  } catch (error) {
    if (isNotFound(error) && flags.ignoreNotFound) return;
    throw error;
  }
  const group = resource.ref.group === '' ? '' : `.${resource.ref.group}`;
  process.stdout.write(`${resource.singular}${group} "${ref.name}" deleted\n`);
  if (flags.wait) await gone(connection, target);
}

/** Watches until the object is no more. */
async function gone(connection: Connection, { resource, ref }: Target): Promise<void> {
  const client = connection.client.resource(resource.ref);
  const only = { namespace: ref.namespace, fieldSelector: `metadata.name=${ref.name}` };
  const list = await client.list(only);
  if (list.items.length === 0) return;
  const { resourceVersion } = list.metadata;
  for await (const events of client.watch({ ...only, resourceVersion }))
    if (events.some((event) => event.type === 'DELETED')) return;
}
