// The controller: gathers what is there, has it judged by plan.ts, and does one step of what that says.
// Invariant: what is deleted is deleted as it was judged: where it has changed since, the server refuses and all is judged anew.
import {
  isAlreadyExists,
  isNotFound,
  type KindRef,
  type KubeObject,
  PersistentVolumeClaims,
  Pods,
  Services,
} from 'pinnace/client';
import {
  type BuilderContext,
  controlledBy,
  controllerFor,
  done,
  indexByController,
  isControlledBy,
  keyOf,
  requeueAfter,
  type Result,
  writeStatus,
} from 'pinnace/controllers';
import { type ReplicatedCache, ReplicatedCaches } from './kind.ts';
import {
  CACHE_LABEL,
  claimFor,
  claimOf,
  memberOf,
  podFor,
  selectorOf,
  serviceOf,
  WANTED_ANNOTATION,
} from './members.ts';
import { plan, type Step, stopStep, tellStep } from './plan.ts';

type Context = BuilderContext<ReplicatedCache>;

/** Stops members in order before their cache goes. */
export const FINALIZER = 'cache.example.com/ordered-stop';
/** Looked for again after so long, though members and claims that change wake their cache as well. */
const LOOK_AGAIN_MS = 10_000;
const BY_CACHE = 'cache';

/** Keeps the members of caches as they are asked for. */
export const replicatedCache = controllerFor(ReplicatedCaches)
  .named('replicated-cache')
  .concurrency(4)
  .owns(Pods)
  .owns(Services)
  // Claims that are kept have no owner; their label says whose they are.
  .watches(PersistentVolumeClaims, ({ metadata }) => {
    const name = metadata.labels?.[CACHE_LABEL];
    return name === undefined ? [] : [`${metadata.namespace}/${name}`];
  })
  .withFinalizer(FINALIZER, stop)
  .reconcile(async (cache, context) => {
    const { clock, informers } = context;
    if (!informers.informer(Services).get(context.key))
      await make(Services, serviceOf(cache), context);
    const decided = plan({ cache, ...known(cache, context), nowMs: clock.now() });
    for (const number of decided.makeClaims)
      await make(PersistentVolumeClaims, claimFor(cache, number), context);
    await take(cache, decided.step, context);
    for (const { claim } of decided.dropClaims)
      await remove(PersistentVolumeClaims, claim, context);
    await writeStatus(context, cache, () => decided.status);
    return decided.step.kind === 'none' ? done : requeueAfter(LOOK_AGAIN_MS);
  });

/** What the caches show of members and claims. */
function known(cache: ReplicatedCache, { informers }: Context) {
  const pods = informers.informer(Pods);
  indexByController(pods);
  const claims = informers.informer(PersistentVolumeClaims);
  claims.addIndex(BY_CACHE, ({ metadata }) => [
    `${metadata.namespace}/${metadata.labels?.[CACHE_LABEL]}`,
  ]);
  return {
    members: controlledBy(pods, cache).map(memberOf),
    claims: claims.byIndex(BY_CACHE, keyOf(cache)).map(claimOf),
  };
}

async function take(cache: ReplicatedCache, step: Step, context: Context): Promise<void> {
  if (step.kind === 'wait' || step.kind === 'none') return;
  if (step.kind === 'remove') await remove(Pods, step.member.pod, context);
  else {
    await claimVolume(cache, step.number, context);
    await make(Pods, podFor(cache, step.number), context);
  }
  const message = tellStep(cache, step);
  const reason = step.kind === 'start' ? 'Starting' : 'Removing';
  context.events.event(cache, { type: 'Normal', reason, message });
}

/** Makes the claim of a member that is to start. One that is there is changed, so that a deletion of it that was decided on before is refused. */
async function claimVolume(cache: ReplicatedCache, number: number, context: Context) {
  const claim = claimFor(cache, number);
  if (await make(PersistentVolumeClaims, claim, context)) return;
  const { client, signal } = context;
  const { namespace, name = '' } = claim.metadata;
  const annotations = { [WANTED_ANNOTATION]: String(cache.metadata.generation) };
  const body = { metadata: { annotations } };
  await client
    .resource(PersistentVolumeClaims)
    .patch({ namespace, name }, { type: 'merge', body }, { signal });
}

/** Makes it: true. False where it is there already and this cache's. Else throws, and tells the cache's users why. */
async function make<T extends KubeObject>(
  ref: KindRef<T>,
  object: T,
  context: Context,
): Promise<boolean> {
  const { client, events, signal, informer, key } = context;
  try {
    await client.resource(ref).create(object, { signal });
    return true;
  } catch (error) {
    const isTaken = isAlreadyExists(error);
    if (isTaken && (await isOurs(ref, object, context))) return false;
    const why = isTaken ? NOT_OURS : (error as Error).message;
    const message = `${ref.kind} ${object.metadata.name} cannot be made: ${why}`;
    const reason = isTaken ? 'NameTaken' : 'FailedCreate';
    const cache = informer.get(key);
    if (cache && !signal.aborted) events.event(cache, { type: 'Warning', reason, message });
    throw new Error(message, { cause: error });
  }
}

const NOT_OURS =
  'it is there already and belongs to somebody else; it has to go, or the cache needs another name';

/** Is what is there in its place this cache's? Claims that are kept have no owner: there the label counts. */
async function isOurs<T extends KubeObject>(
  ref: KindRef<T>,
  { metadata }: T,
  { client, informer, key, signal }: Context,
): Promise<boolean> {
  const { labels, name = '', namespace } = metadata;
  const there = await client.resource(ref).get({ namespace, name }, { signal });
  if (ref.kind === PersistentVolumeClaims.kind)
    return there.metadata.labels?.[CACHE_LABEL] === labels?.[CACHE_LABEL];
  const cache = informer.get(key);
  return cache !== undefined && isControlledBy(there, cache);
}

async function remove<T extends KubeObject>(
  ref: KindRef<T>,
  { metadata }: T,
  { client, signal }: Context,
): Promise<void> {
  const { namespace, name = '', uid = '', resourceVersion = '' } = metadata;
  const preconditions = { uid, resourceVersion };
  await client
    .resource(ref)
    .delete({ namespace, name }, { preconditions, signal })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
}

/** Before a cache goes: members stop in order, then claims that are not kept go. Asks the server, since a cache may be behind. */
async function stop(cache: ReplicatedCache, context: Context): Promise<Result> {
  const { client, signal } = context;
  const { finalizers = [], namespace } = cache.metadata;
  // `--cascade=orphan`: members live on without their cache.
  if (finalizers.includes('orphan')) return done;
  const labelSelector = selectorOf(cache);
  const { items } = await client.resource(Pods).list({ namespace, labelSelector, signal });
  const members = items.filter((pod) => isControlledBy(pod, cache)).map(memberOf);
  const step = stopStep(members);
  if (step.kind === 'none') return done;
  await take(cache, step, context);
  return requeueAfter(LOOK_AGAIN_MS);
}
