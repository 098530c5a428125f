// The controller: reads a sync's revision, says in the status what it is about to answer for, puts it in place, and prunes what has left.
// Invariant: an object stands in the inventory before it is made, and until it is gone: whatever dies in between, nothing is forgotten.
import { formatTime, type KindRef, type KubeObject } from 'pinnace/client';
import {
  annotationsChanged,
  anyOf,
  type BuilderContext,
  controllerFor,
  type ControllerFactory,
  done,
  generationChanged,
  keyOf,
  labelsChanged,
  requeueAfter,
  type Result,
  writeStatus,
} from 'pinnace/controllers';
import { type Entry, type GitSync, GitSyncs, MAX_OBJECTS } from './kind.ts';
import { KindFinder } from './kind-finder.ts';
import { SYNC_LABEL } from './manifests.ts';
import { applyOne, removeOne } from './objects.ts';
import {
  checkUnique,
  claimed,
  leaving,
  nameOf,
  type Outcome,
  placed,
  readyConditions,
  statusAfter,
  type Wanted,
} from './plan.ts';
import { type Repositories, SourceError } from './repository.ts';
import { Sources } from './sources.ts';

type Context = BuilderContext<GitSync>;

/** Prunes before a sync goes. */
export const FINALIZER = 'gitops.example.com/prune';
/** What could not be applied, or is still going, is looked at again after so long, or after the interval where that is shorter. */
export const RETRY_MS = 5_000;

/** What one program keeps between looks. */
interface Desk {
  readonly sources: Sources;
  readonly kinds: KindFinder;
}

/** What a look is done with. */
interface Work {
  readonly context: Context;
  readonly desk: Desk;
}

/** Makes the cluster like what these repositories say. */
export const gitSync =
  (repositories: Repositories): ControllerFactory =>
  (context) => {
    const desk = { sources: new Sources(repositories), kinds: new KindFinder(context.client) };
    const controller = controllerFor(GitSyncs)
      .named('git-sync')
      .concurrency(4)
      .where(anyOf(generationChanged, annotationsChanged))
      .index('uid', ({ metadata }) => [metadata.uid ?? ''])
      .withFinalizer(FINALIZER, (sync, context) => withdraw(sync, context, desk))
      .reconcile((sync, context) => follow(sync, context, desk));
    return controller(context);
  };

async function follow(sync: GitSync, context: Context, desk: Desk): Promise<Result> {
  const { clock, events, signal } = context;
  if (sync.spec.suspend) {
    await tell(sync, context, ['False', 'Suspended', 'spec.suspend is set']);
    return done;
  }
  const intervalMs = sync.spec.intervalSeconds * 1000;
  try {
    const source = await desk.sources.of(sync, clock.monotonic(), signal);
    const isSettled = await put(sync, source, { context, desk });
    const untilNews = Math.max(0, source.atMs + intervalMs - clock.monotonic());
    return requeueAfter(isSettled ? untilNews : Math.min(RETRY_MS, intervalMs));
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const { message } = error;
    events.event(sync, { type: 'Warning', reason: 'SourceFailed', message });
    await tell(sync, context, ['False', 'SourceFailed', message]);
    return requeueAfter(intervalMs);
  }
}

/** Puts a revision in place, and prunes. Answers whether all is as it should be now. Throws SourceError before anything is done. */
async function put(
  sync: GitSync,
  { revision, objects }: { readonly revision: string; readonly objects: readonly KubeObject[] },
  { context, desk }: Work,
): Promise<boolean> {
  const { wanted, failures } = await place(sync, objects, { context, desk });
  const before = sync.status?.inventory ?? [];
  const inventory = claimed(before, wanted);
  if (inventory.length > 2 * MAX_OBJECTS)
    throw new SourceError(`more than ${2 * MAX_OBJECTS} objects come and go; do it in steps`);
  // A claim: refused with Conflict where the sync has changed since it was read, and then all is judged anew.
  const held = await writeStatus({ ...context, attempts: 1 }, sync, ({ status }) => ({
    ...status,
    inventory,
  }));
  const corrected = await applyAll(sync, { revision, wanted, failures }, context);
  // Not while anything is missing: what takes the place of another may be what is missing.
  const left = failures.size > 0 ? [] : leaving(sync, inventory, wanted);
  const remaining = await removeAll(sync, left, { context, desk });
  const outcome = { revision, wanted, remaining, failures, corrected };
  const now = timeOf(context);
  const written = await writeStatus(context, held, (current) => statusAfter(current, outcome, now));
  unfollow(before, written, { context, desk });
  record(sync, outcome, context);
  return failures.size + remaining.length === 0;
}

/** Applies what is wanted, and notes what fails. Answers how many objects somebody else had changed. */
async function applyAll(
  sync: GitSync,
  {
    revision,
    wanted,
    failures,
  }: Pick<Outcome, 'revision' | 'wanted'> & { failures: Map<string, string> },
  context: Context,
): Promise<number> {
  const { metadata, status } = sync;
  // What the revision no longer says of an object is seen by nothing but the revision.
  const isKnown =
    status?.revision === revision && status.observedGeneration === metadata.generation;
  let corrected = 0;
  for (const each of wanted) {
    const cached = isKnown ? followed(each.ref, context).get(keyOf(each.object)) : undefined;
    const applied = await applyOne(sync, { ...each, cached }, context);
    if (typeof applied === 'object') failures.set(nameOf(each.entry), applied.failed);
    else if (applied === 'changed' && isKnown) corrected++;
  }
  return corrected;
}

/** Deletes the objects, and answers those that are still there. */
async function removeAll(
  sync: GitSync,
  entries: readonly Entry[],
  { context, desk }: Work,
): Promise<Entry[]> {
  const remaining: Entry[] = [];
  for (const entry of entries)
    if (await removeOne(sync, entry, { ...context, kinds: desk.kinds })) remaining.push(entry);
  return remaining;
}

/** Tells people what was done. */
function record(sync: GitSync, outcome: Outcome, { events }: Context): void {
  const { revision, remaining, failures, corrected } = outcome;
  const tell = (reason: string, message: string) =>
    events.event(sync, { type: 'Normal', reason, message });
  if (corrected > 0) tell('DriftCorrected', `Put ${corrected} objects right`);
  if (remaining.length > 0) tell('Pruned', `Deleted ${remaining.map(nameOf).join(', ')}`);
  if (failures.size === 0 && sync.status?.revision !== revision)
    tell('Applied', `Applied ${revision}`);
}

/** Finds out what the objects are on this server; those of kinds that it does not have (yet) fail. */
async function place(
  sync: GitSync,
  objects: readonly KubeObject[],
  { context, desk }: Work,
): Promise<{ wanted: Wanted[]; failures: Map<string, string> }> {
  const wanted: Wanted[] = [];
  const failures = new Map<string, string>();
  for (const object of objects) {
    const { apiVersion, kind, metadata } = object;
    const ref = await desk.kinds.find(object, context.signal);
    if (ref) wanted.push(placed(sync, ref, object));
    else failures.set(`${kind} ${metadata.name}`, `there is no ${kind} in ${apiVersion} (yet)`);
  }
  checkUnique(wanted);
  for (const { ref } of wanted) followed(ref, context);
  return { wanted, failures };
}

const SCOPE = { labelSelector: SYNC_LABEL };

/** The cache of what syncs have of a kind. Its changes wake the sync; those of a status do not. */
const followed = (ref: KindRef, { informer, watch }: Context) =>
  watch(ref, {
    scope: SCOPE,
    where: anyOf(generationChanged, labelsChanged, annotationsChanged),
    map: ({ metadata }) => informer.byIndex('uid', metadata.labels?.[SYNC_LABEL] ?? '').map(keyOf),
  });

/** Lets kinds go that no sync has any more: their definitions may go as well. */
function unfollow(
  before: readonly Entry[],
  { metadata, status }: GitSync,
  { context: { informer, unwatch }, desk }: Work,
): void {
  const nameOfKind = ({ apiVersion, kind }: Entry) => `${apiVersion} ${kind}`;
  const now = new Set((status?.inventory ?? []).map(nameOfKind));
  const gone = before.filter((entry) => !now.has(nameOfKind(entry)));
  if (gone.length === 0) return;
  const others = informer.list().filter((sync) => sync.metadata.uid !== metadata.uid);
  const kept = new Set(others.flatMap((sync) => sync.status?.inventory ?? []).map(nameOfKind));
  const unused = gone.filter((entry) => !kept.has(nameOfKind(entry)));
  for (const ref of unused.map((entry) => desk.kinds.known(entry))) if (ref) unwatch(ref, SCOPE);
  for (const entry of unused) desk.kinds.forget(entry);
}

/** Before a sync goes. Asks the server for the inventory: another copy of this program may have claimed more than the cache shows. */
async function withdraw(sync: GitSync, context: Context, desk: Desk): Promise<Result> {
  const { name = '', namespace } = sync.metadata;
  const live = await context.resource.get({ namespace, name }, { signal: context.signal });
  const left = leaving(live, live.status?.inventory ?? [], []);
  const remaining = await removeAll(live, left, { context, desk });
  if (remaining.length > 0) return requeueAfter(RETRY_MS);
  desk.sources.forget(sync);
  unfollow(live.status?.inventory ?? [], { ...live, status: {} }, { context, desk });
  return done;
}

/** Says what keeps the sync from its work; what was applied stays. */
async function tell(
  sync: GitSync,
  context: Context,
  said: readonly ['True' | 'False', string, string],
): Promise<void> {
  const now = timeOf(context);
  await writeStatus(context, sync, (current) => ({
    ...current.status,
    conditions: readyConditions(current, now, said),
  }));
}

const timeOf = ({ clock }: Context): string => formatTime(clock.now());
