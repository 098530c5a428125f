// Sugar over ControllerSpec: says in one sentence what a controller watches and does.
// Invariant: builders are values; each call answers a new one and nothing runs before runControllers.
import type { KindRef } from '../../api/kind-ref.ts';
import { parseLabelSelector } from '../../api/meta/labels.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { Informer, InformerScope } from '../../client/informer/informer.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import { reconcileWithFinalizer } from './finalizers.ts';
import { type KindsAsNeeded, kindsAsNeeded } from './kinds-as-needed.ts';
import { controllerKeys } from './owner.ts';
import type { ChangePredicate } from './predicates.ts';
import type { ControllerContext, ControllerFactory, ReconcileContext } from './reconciler.ts';
import type { ControllerSpec, Result, Source } from './reconciler.ts';
import { done, source } from './reconciler.ts';

/** What a reconcile function of the builder is given besides the object. */
export interface BuilderContext<T extends KubeObject>
  extends Omit<ControllerContext, 'logger'>,
    ReconcileContext,
    KindsAsNeeded {
  readonly key: string;
  /** The cache of the controller's own kind. */
  readonly informer: Informer<T>;
  /** The verbs on the controller's own kind. */
  readonly resource: ResourceClient<T>;
}

/** Brings the world nearer to what the object asks for. Answering nothing means done. */
export type ReconcileObject<T extends KubeObject> = (
  object: T,
  context: BuilderContext<T>,
) => Promise<Result | void>;

/** What a map function may look things up in. */
export interface MapContext<T extends KubeObject> extends Pick<ControllerContext, 'informers'> {
  /** The cache of the controller's own kind, with the indexes that `index` added. */
  readonly informer: Informer<T>;
}

/** The keys of the controller's own kind (`NAMESPACE/NAME`, or `NAME`) that an object of another kind concerns. */
export type MapToKeys<W extends KubeObject, T extends KubeObject> = (
  object: W,
  context: MapContext<T>,
) => readonly string[];

interface Plan<T extends KubeObject> {
  readonly ref: KindRef<T>;
  readonly name: string;
  readonly concurrency: number;
  readonly timeoutMs?: number;
  readonly resyncMs?: number;
  readonly sources: readonly ((context: MapContext<T>) => Source)[];
  readonly indexes: readonly (readonly [string, (object: T) => readonly string[]])[];
  readonly predicates: readonly ChangePredicate<T>[];
  /** Which objects of the own kind; all unless given. */
  readonly labelSelector?: string;
  readonly finalizer?: { readonly name: string; readonly cleanUp: ReconcileObject<T> };
}

/** A controller in the making. */
export interface ControllerBuilder<T extends KubeObject> {
  /** The name in logs, events and metrics; `<kind>-controller` unless given. */
  named(name: string): ControllerBuilder<T>;
  /** How many objects at once; 1 unless given. */
  concurrency(workers: number): ControllerBuilder<T>;
  /** After so many milliseconds a reconcile's signal aborts; never unless given. */
  timeout(ms: number): ControllerBuilder<T>;
  /** Every object of our own kind is looked over again each so many milliseconds, after what changed; never unless given. */
  resync(ms: number): ControllerBuilder<T>;
  /** Changes of objects of this kind that one of ours controls wake their owner. */
  owns(ref: KindRef): ControllerBuilder<T>;
  /** Changes of objects of this kind wake the keys that `map` answers, for the new state and the old. */
  watches<W extends KubeObject>(ref: KindRef<W>, map: MapToKeys<W, T>): ControllerBuilder<T>;
  /** Gives the cache of our own kind an index, for map functions and reconciles. */
  index(name: string, values: (object: T) => readonly string[]): ControllerBuilder<T>;
  /**
   * Only objects of our own kind whose labels match (`app=shop,tier in (a,b)`); of several selectors, all must. No others are read,
   * cached or reconciled: one that loses its labels is as one that is gone, and a finalizer on it stays. Throws TypeError for bad syntax.
   */
  selecting(labelSelector: string): ControllerBuilder<T>;
  /** Only changes of our own kind that pass count; of several predicates, all must pass. */
  where(predicate: ChangePredicate<T>): ControllerBuilder<T>;
  /**
   * Objects carry this finalizer before they are reconciled, and once they are to go `cleanUp` is called until it answers
   * nothing or done; then they may. Answer requeueAfter while there is more to wait for.
   */
  withFinalizer(name: string, cleanUp: ReconcileObject<T>): ControllerBuilder<T>;
  /** The controller. Objects that are gone are not reconciled: a finalizer is for what must be cleaned up. */
  reconcile(reconcile: ReconcileObject<T>): ControllerFactory;
}

/** Begins a controller of a kind. */
export function controllerFor<T extends KubeObject>(ref: KindRef<T>): ControllerBuilder<T> {
  const name = `${ref.kind.toLowerCase()}-controller`;
  return build({ ref, name, concurrency: 1, sources: [], indexes: [], predicates: [] });
}

function build<T extends KubeObject>(plan: Plan<T>): ControllerBuilder<T> {
  const withSource = (added: (context: MapContext<T>) => Source) =>
    build({ ...plan, sources: [...plan.sources, added] });
  return {
    named: (name) => build({ ...plan, name }),
    concurrency: (concurrency) => build({ ...plan, concurrency }),
    timeout: (timeoutMs) => build({ ...plan, timeoutMs }),
    resync: (resyncMs) => build({ ...plan, resyncMs }),
    owns: (ref) => withSource(() => mapped(ref, (object) => controllerKeys(object, plan.ref))),
    watches: (ref, map) =>
      withSource((context) => mapped(ref, (object) => ownKeys(plan.ref, map(object, context)))),
    index: (name, values) => build({ ...plan, indexes: [...plan.indexes, [name, values]] }),
    selecting: (labels) => build({ ...plan, labelSelector: bothSelectors(plan, labels) }),
    where: (predicate) => build({ ...plan, predicates: [...plan.predicates, predicate] }),
    withFinalizer: (name, cleanUp) => build({ ...plan, finalizer: { name, cleanUp } }),
    reconcile: (reconcile) => factoryOf(plan, reconcile),
  };
}

function bothSelectors<T extends KubeObject>(
  { ref, labelSelector: before }: Plan<T>,
  added: string,
): string {
  try {
    parseLabelSelector(added);
  } catch (cause) {
    const why = (cause as Error).message;
    throw new TypeError(
      `a controller of ${ref.kind}: .selecting(${JSON.stringify(added)}): ${why}`,
      {
        cause,
      },
    );
  }
  return [before, added].filter(Boolean).join(',');
}

function mapped<W extends KubeObject>(
  ref: KindRef<W>,
  map: (object: W) => readonly string[],
): Source {
  return source<W>({
    ref,
    keys: (object, old) =>
      old && old !== object ? [...new Set([...map(object), ...map(old)])] : map(object),
  });
}

/** The same keys, if they can be keys of the kind: a name alone would never be found, and nobody would know. */
function ownKeys({ kind, namespaced }: KindRef, keys: readonly string[]): readonly string[] {
  const wrong = Array.isArray(keys) && keys.find((key) => String(key).includes('/') !== namespaced);
  if (typeof wrong !== 'string') return keys;
  const form = namespaced ? 'NAMESPACE/NAME' : 'NAME';
  throw new TypeError(`a key of a ${kind} is ${form}, not ${JSON.stringify(wrong)}`);
}

function factoryOf<T extends KubeObject>(
  plan: Plan<T>,
  reconcile: ReconcileObject<T>,
): ControllerFactory {
  const { ref, resyncMs, predicates, labelSelector } = plan;
  const scope: InformerScope = { labelSelector };
  const own = source<T>({
    ref,
    scope,
    resyncMs,
    predicate: (object, old, change) => predicates.every((each) => each(object, old, change)),
  });
  return (context) => {
    const { informers } = context;
    const informer = informers.informer(ref, scope);
    const resource = context.client.resource(ref);
    for (const [name, values] of plan.indexes) informer.addIndex(name, values);
    const { connect, ...asNeeded } = kindsAsNeeded(informers);
    const tools = { ...context, ...asNeeded, informer, resource };
    return {
      name: plan.name,
      concurrency: plan.concurrency,
      timeoutMs: plan.timeoutMs,
      sources: [own, ...plan.sources.map((each) => each({ informers, informer }))],
      moreSources: connect,
      async reconcile(key, { signal, logger }) {
        const object = informer.get(key);
        if (!object) return done;
        return (await step(plan, reconcile)(object, { ...tools, key, signal, logger })) ?? done;
      },
    } satisfies ControllerSpec;
  };
}

/** The reconcile, between the finalizer's coming and its going where there is one. */
function step<T extends KubeObject>(
  { finalizer }: Plan<T>,
  reconcile: ReconcileObject<T>,
): ReconcileObject<T> {
  if (!finalizer) return reconcile;
  return (object, context) =>
    reconcileWithFinalizer({ resource: context.resource, finalizer: finalizer.name }, object, {
      apply: async (live) => (await reconcile(live, context)) ?? done,
      cleanup: (live) => finalizer.cleanUp(live, context),
    });
}
