// `pinnace delete`: by file, by name, by label; waits until the objects are gone unless told not to.
// Invariant: what is gone already, or refused, keeps nothing else from being deleted; each is told.
import type { Command } from 'commander';
import { systemClock } from '../../base/clock.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import {
  type DiscoveredResource,
  qualifiedName,
  resourceOfKind,
} from '../../client/discovery/discovery.ts';
import type { DeleteOptions, ObjectRef } from '../../client/rest/client.ts';
import { isNotFound } from '../../api/status.ts';
import { unknownKind } from './apply-files.ts';
import { EMPTY_NAME, whatIsAsked } from './asked.ts';
import { Attempts, CommandFailure, failureWhile } from './command-failure.ts';
import {
  connected,
  type Connection,
  type ConnectionFlags,
  withConnectionFlags,
} from './connection.ts';
import { deletedUid, type Deletion, untilGone } from './deletion-wait.ts';
import { durationMs } from './duration.ts';
import { type DryRun, dryRunSuffix, readDryRun } from './dry-run.ts';
import { namespaceFor, readManifests } from './manifests.ts';

interface DeleteFlags extends ConnectionFlags {
  readonly filename?: string[];
  readonly recursive?: boolean;
  readonly selector?: string;
  readonly all?: boolean;
  readonly gracePeriod?: string;
  readonly force?: boolean;
  readonly ignoreNotFound?: boolean;
  readonly dryRun?: string;
  readonly wait: boolean;
  readonly timeout?: string;
}

/** What the flags come to. */
interface Deletes {
  readonly gracePeriodSeconds: number | undefined;
  /** 0: as long as it takes. */
  readonly timeoutMs: number;
}

interface Target {
  readonly resource: DiscoveredResource;
  readonly ref: ObjectRef;
  /** The manifest that names it. */
  readonly file?: string;
}

interface Deleting {
  readonly connection: Connection;
  readonly flags: DeleteFlags;
  readonly how: Deletes;
  readonly dryRun: DryRun;
  readonly attempts: Attempts;
}

/** Adds the command. */
export function registerDelete(program: Command): void {
  withConnectionFlags(program.command('delete'))
    .description(
      'delete objects: delete TYPE NAME ..., delete -f FILE, delete TYPE -l LABELS, delete TYPE --all',
    )
    .argument('[types...]')
    .option('-f, --filename <path...>', 'files or folders; - is standard input')
    .option('-R, --recursive', 'folders within the folders, too')
    .option('-l, --selector <labels>', 'label selector')
    .option('--all', 'every object of the type in the namespace')
    .option('--grace-period <seconds>', 'time to end in; at once takes --force, too')
    .option('--force', 'do not wait for the node')
    .option('--ignore-not-found', 'what is gone already is no failure')
    .option(
      '--dry-run <mode>',
      '"server" checks without deleting, "client" only says what it would do',
    )
    .option('--wait', 'return when the objects are gone; --wait=false before', true)
    .option('--no-wait', 'return before the objects are gone')
    .option('--timeout <duration>', 'how long to wait for that; for ever unless given')
    .action(async (args: string[], flags: DeleteFlags) => {
      const dryRun = readDryRun(flags.dryRun);
      const how = {
        gracePeriodSeconds: gracePeriod(flags),
        timeoutMs: flags.timeout === undefined ? 0 : durationMs('--timeout', flags.timeout),
      };
      await connected(flags, async (connection) => {
        const attempts = new Attempts(flags.ignoreNotFound);
        await deleteAll({ connection, flags, how, dryRun, attempts }, args);
        attempts.end();
      });
    });
}

async function deleteAll(deleting: Deleting, args: string[]): Promise<void> {
  const { attempts, dryRun, flags, connection } = deleting;
  const targets = await targetsOf(deleting, args);
  if (targets.length === 0 && !attempts.anyFailed) process.stdout.write('No resources found\n');
  const deletions: (Target & Deletion)[] = [];
  for (const target of targets) {
    const answer = await attempts.make(() => deleteOne(deleting, target));
    if (answer === undefined) continue;
    const client = connection.client.resource(target.resource.ref);
    deletions.push({ ...target, client, uid: deletedUid(answer) });
  }
  if (flags.wait && dryRun === 'none') await waitForAll(deleting, deletions);
}

/** Every delete is on its way by now: one time limit holds for all of them. */
async function waitForAll(
  { attempts, how }: Deleting,
  deletions: readonly (Target & Deletion)[],
): Promise<void> {
  const ending = new AbortController();
  const { timeoutMs } = how;
  const timer =
    timeoutMs > 0 ? systemClock.timer(timeoutMs, () => ending.abort(new Error())) : undefined;
  const { signal } = ending;
  for (const deletion of deletions)
    await attempts.make(async () => {
      try {
        await untilGone(deletion, { clock: systemClock, signal });
      } catch (error) {
        if (!signal.aborted) throw error;
        const { resource, ref } = deletion;
        throw new CommandFailure(
          `timed out waiting for the condition on ${resource.ref.plural}/${ref.name}`,
        );
      }
    });
  timer?.cancel();
}

async function targetsOf(deleting: Deleting, args: string[]): Promise<Target[]> {
  const { connection, flags } = deleting;
  if (flags.filename) return targetsOfFiles(deleting, flags.filename);
  if (args.length === 0) throw new CommandFailure('give a type and a name, or -f FILE');
  const asked = await whatIsAsked(connection, args);
  if (flags.selector !== undefined && asked.some(({ names }) => names.length > 0))
    throw new CommandFailure('name cannot be provided when a selector is specified');
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

async function targetsOfFiles(
  { connection, flags, attempts }: Deleting,
  paths: string[],
): Promise<Target[]> {
  const documents = readManifests(paths, flags);
  const discovery = await connection.discovery();
  return documents.flatMap((document) => {
    if (document.kind === 'broken') {
      attempts.failed(new CommandFailure(document.problem));
      return [];
    }
    const { object, file } = document;
    const resource = resourceOfKind(discovery, object.apiVersion, object.kind);
    if (!resource) {
      attempts.failed(unknownKind(object, file));
      return [];
    }
    const { name } = object.metadata;
    if (!name) {
      attempts.failed(new CommandFailure(`error when deleting "${file}": ${EMPTY_NAME}`));
      return [];
    }
    try {
      const { namespace: asked } = flags;
      const choice = { namespace: connection.namespace, namespaceAsked: asked !== undefined };
      const namespace = namespaceFor(resource.ref, object, choice);
      return [{ resource, ref: { namespace, name }, file }];
    } catch (error) {
      attempts.failed(error);
      return [];
    }
  });
}

/** Deletes, and says so; answers as the server does, or undefined for what is gone already and need not be there. */
async function deleteOne(deleting: Deleting, target: Target): Promise<KubeObject | undefined> {
  const { connection, flags, how, dryRun } = deleting;
  const { resource, ref, file } = target;
  const client = connection.client.resource(resource.ref);
  let answer: KubeObject;
  try {
    if (dryRun === 'client') answer = await client.get(ref);
    else answer = await client.delete(ref, deleteOptions(how, dryRun));
  } catch (error) {
    if (isNotFound(error) && flags.ignoreNotFound) return undefined;
    throw file === undefined ? error : failureWhile(`error when deleting "${file}"`, error);
  }
  const from = ref.namespace === undefined ? '' : ` from ${ref.namespace} namespace`;
  process.stdout.write(
    `${qualifiedName(resource)} "${ref.name}" ${flags.force ? 'force deleted' : 'deleted'}${from}${dryRunSuffix(dryRun)}\n`,
  );
  return answer;
}

/** The grace period asked for. Deleting at once is only for those who say so with --force, as with kubectl. */
function gracePeriod({ gracePeriod: text, force }: DeleteFlags): number | undefined {
  if (text === undefined) return force ? 0 : undefined;
  const seconds = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(seconds))
    throw new CommandFailure(
      `invalid argument "${text}" for "--grace-period" flag: not a whole number`,
    );
  if (seconds < 0) return force ? 0 : undefined;
  if (force && seconds > 0)
    throw new CommandFailure(
      '--force and --grace-period greater than 0 cannot be specified together',
    );
  return seconds === 0 && !force ? 1 : seconds;
}

function deleteOptions({ gracePeriodSeconds }: Deletes, dryRun: DryRun): DeleteOptions {
  return {
    propagationPolicy: 'Background',
    ...(dryRun === 'server' ? { dryRun: true } : {}),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
  };
}
