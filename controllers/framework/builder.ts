// Sugar over ControllerSpec: says in one sentence what a controller watches and does.
// Invariant: builders are values; each call answers a new one and nothing runs before runControllers.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import { controllerKeys } from './owner.ts';
import type { ControllerContext, ControllerFactory, ReconcileContext } from './reconciler.ts';
import type { Result, Source } from './reconciler.ts';
import { done, source } from './reconciler.ts';

/** Which changes of the controller's own kind count. */
export type Predicate<T> = NonNullable<Source<T & KubeObject>['predicate']>;

/** What a reconcile function of the builder is given besides the object. */
export interface BuilderContext<T extends KubeObject>
  extends Omit<ControllerContext, 'logger'>,
    ReconcileContext {
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

interface Plan<T extends KubeObject> {
  readonly ref: KindRef<T>;
  readonly name: string;
  readonly concurrency: number;
  readonly sources: readonly Source[];
  readonly predicates: readonly Predicate<T>[];
}

/** A controller in the making. */
export interface ControllerBuilder<T extends KubeObject> {
  /** The name in logs, events and metrics; `<kind>-controller` unless given. */
  named(name: string): ControllerBuilder<T>;
  /** How many objects at once; 1 unless given. */
  concurrency(workers: number): ControllerBuilder<T>;
  /** Changes of objects of this kind that one of ours controls wake their owner. */
  owns(ref: KindRef): ControllerBuilder<T>;
  /** Changes of objects of this kind wake the keys that `map` answers, for the new state and the old. */
  watches<W extends KubeObject>(
    ref: KindRef<W>,
    map: (object: W) => readonly string[],
  ): ControllerBuilder<T>;
  /** Only changes of our own kind that pass count; of several predicates, all must pass. */
  where(predicate: Predicate<T>): ControllerBuilder<T>;
  /** The controller. Objects that are gone are not reconciled: a finalizer is for what must be cleaned up. */
  reconcile(reconcile: ReconcileObject<T>): ControllerFactory;
}

/** Begins a controller of a kind. */
export function controllerFor<T extends KubeObject>(ref: KindRef<T>): ControllerBuilder<T> {
  const name = `${ref.kind.toLowerCase()}-controller`;
  return build({ ref, name, concurrency: 1, sources: [], predicates: [] });
}

function build<T extends KubeObject>(plan: Plan<T>): ControllerBuilder<T> {
  const withSource = (added: Source) => build({ ...plan, sources: [...plan.sources, added] });
  return {
    named: (name) => build({ ...plan, name }),
    concurrency: (concurrency) => build({ ...plan, concurrency }),
    owns: (ref) => withSource(mapped(ref, (object) => controllerKeys(object, plan.ref))),
    watches: (ref, map) => withSource(mapped(ref, map)),
    where: (predicate) => build({ ...plan, predicates: [...plan.predicates, predicate] }),
    reconcile: (reconcile) => factoryOf(plan, reconcile),
  };
}

function mapped<W extends KubeObject>(
  ref: KindRef<W>,
  map: (object: W) => readonly string[],
): Source {
  return source<W>({
    ref,
    keys: (object, old) => (old ? [...new Set([...map(object), ...map(old)])] : map(object)),
  });
}

function factoryOf<T extends KubeObject>(
  plan: Plan<T>,
  reconcile: ReconcileObject<T>,
): ControllerFactory {
  const own = source<T>({
    ref: plan.ref,
    predicate: (object, old, change) => plan.predicates.every((each) => each(object, old, change)),
  });
  return (context) => {
    const informer = context.informers.informer(plan.ref);
    const resource = context.client.resource(plan.ref);
    return {
      name: plan.name,
      concurrency: plan.concurrency,
      sources: [own, ...plan.sources],
      async reconcile(key, { signal, logger }) {
        const object = informer.get(key);
        if (!object) return done;
        const tools = { ...context, key, informer, resource, signal, logger };
        return (await reconcile(object, tools)) ?? done;
      },
    };
  };
}
