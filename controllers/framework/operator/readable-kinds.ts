// Looks, before an operator begins, whether it may read what its controllers read.
// Invariant: all that is missing is told at once, each with what to do about it; nothing is written.
import type { KindRef } from '../../../api/kind-ref.ts';
import { isForbidden, isNotFound, STATUS_CODES, StatusError } from '../../../api/status.ts';
import type { InformerScope } from '../../../client/informer/informer.ts';
import { createInformerFactory } from '../../../client/informer/informer-factory.ts';
import { makeControllers } from '../checked-spec.ts';
import { informerView } from '../informer-view.ts';
import type { ControllerContext, ControllerFactory } from '../reconciler.ts';
import { OperatorFailure } from './operator-failure.ts';

/** A collection that is read. */
interface Read {
  readonly ref: KindRef;
  readonly scope: InformerScope;
}

/** What controllers are made with to see what they read, and where they may. */
interface ReadContext extends Omit<ControllerContext, 'informers' | 'events'> {
  readonly namespaces?: readonly string[] | undefined;
  /** Ends the wait for a server that says nothing. */
  readonly signal: AbortSignal;
}

/** Throws OperatorFailure, with one line for each kind that is not there or may not be read. */
export async function checkReadable(
  factories: readonly ControllerFactory[],
  context: ReadContext,
): Promise<void> {
  const problems = await Promise.all(
    readsOf(factories, context).map((read) => problemWith(context, read)),
  );
  const told = problems.filter((problem) => problem !== undefined);
  if (told.length > 0) throw new OperatorFailure(told.join('\n'));
}

/** Which collections the controllers would read: they are made once for that, on informers that never start. */
function readsOf(
  factories: readonly ControllerFactory[],
  { namespaces: kept, ...context }: ReadContext,
): Read[] {
  const reads = new Map<string, Read>();
  const note = (ref: KindRef, { namespaces, ...scope }: InformerScope) => {
    // Who is content with some namespaces need not be allowed to read all of them.
    for (const namespace of namespaces ?? [scope.namespace])
      reads.set(JSON.stringify([ref.group, ref.version, ref.plural, namespace]), {
        ref,
        scope: { ...scope, namespace },
      });
  };
  const informers = informerView(createInformerFactory(context), {
    namespaces: kept,
    asked: note,
  });
  const events = { event: () => undefined };
  const contexts = factories.map(() => ({ ...context, informers, events }));
  for (const { spec } of makeControllers(factories, contexts))
    for (const { ref, scope } of spec.sources) informers.informer(ref, scope);
  return [...reads.values()];
}

async function problemWith(
  { client, signal }: Pick<ReadContext, 'client' | 'signal'>,
  { ref, scope }: Read,
): Promise<string | undefined> {
  const name = ref.group ? `${ref.plural}.${ref.group}` : ref.plural;
  try {
    await client.resource(ref).list({ ...scope, limit: 1, signal });
    return undefined;
  } catch (error) {
    if (isNotFound(error))
      return `the cluster has no ${name} in ${ref.version}; install its definition first: kubectl apply -f the CustomResourceDefinition ${name}`;
    if (isForbidden(error)) return `${(error as Error).message}; ${missingRule(ref, scope)}`;
    // It may be this program's own webhook that is missed, for what is stored in another version: reading waits for that.
    if (error instanceof StatusError && error.code >= STATUS_CODES.InternalError) return undefined;
    throw error;
  }
}

/** The rule that a role of the program's account lacks, as it stands in YAML. */
function missingRule(ref: KindRef, scope: InformerScope): string {
  const rule = { apiGroups: [ref.group], resources: [ref.plural], verbs: ['get', 'list', 'watch'] };
  const role = scope.namespace ? `a Role in ${scope.namespace}` : 'a ClusterRole';
  return `give its account ${role} with the rule ${JSON.stringify(rule)}`;
}
