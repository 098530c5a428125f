// One look at an object: it goes where its owners are gone, waits for its dependents or lets them go where it is told to.
// Invariant: an owner counts as gone only when the server itself says so; a write rests on the state that was judged.
import type { KindRef } from '../../api/kind-ref.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { KubeObject, OwnerReference } from '../../api/meta/object.ts';
import { isConflict, isNotFound } from '../../api/status.ts';
import type { Client } from '../../client/rest/client.ts';
import type { ReconcileContext, Result } from '../framework/reconciler.ts';
import { done } from '../framework/reconciler.ts';
import type { GraphNode, OwnerGraph } from './graph.ts';
import {
  blocks,
  FOREGROUND,
  letsDependentsGo,
  ORPHAN,
  ownersOf,
  refersTo,
  waitsForDependents,
} from './graph.ts';
import type { OwnerState } from './plan.ts';
import { verdictOn } from './plan.ts';

/** Owners known to be gone that are remembered; uids are never used again. The oldest are forgotten. */
const MAX_ABSENT = 500;

type Seen = NonNullable<GraphNode['seen']>;

/** Reconciles objects, whatever their kind. */
export class GarbageReconciler {
  readonly #client: Client;
  readonly #graph: OwnerGraph;
  readonly #kinds: () => readonly KindRef[];
  readonly #absent = new Set<string>();

  /** `kinds` answers every kind that there is at the moment. */
  constructor(client: Client, graph: OwnerGraph, kinds: () => readonly KindRef[]) {
    this.#client = client;
    this.#graph = graph;
    this.#kinds = kinds;
  }

  /** Looks at the object with that uid. */
  async reconcile(uid: string, context: ReconcileContext): Promise<Result> {
    const node = this.#graph.node(uid);
    if (!node?.seen) return done;
    const { seen } = node;
    try {
      if (letsDependentsGo(seen.object)) await this.#letGo(node, seen);
      else if (waitsForDependents(seen.object)) await this.#finishWaiting(node, seen);
      else if (seen.object.metadata.deletionTimestamp === undefined)
        await this.#judge(node, seen, context);
    } catch (error) {
      // Gone already, which its event will say.
      if (!isNotFound(error)) throw error;
    }
    return done;
  }

  async #judge(node: GraphNode, seen: Seen, context: ReconcileContext): Promise<void> {
    const { object } = seen;
    const owners = [];
    for (const owner of ownersOf(object))
      owners.push({ owner, state: await this.#stateOf(owner, seen, context) });
    const verdict = verdictOn(object, owners, node.dependents.size > 0);
    if (verdict.kind === 'drop-references') await this.#withoutOwners(seen, verdict.uids);
    if (verdict.kind !== 'delete') return;
    const judged = verdict.policy === 'Foreground' ? await this.#breakCircle(node, seen) : object;
    // Whoever changed it meanwhile may have given it another owner: then it is judged again.
    const { namespace, name = '', uid, resourceVersion } = judged.metadata;
    context.logger.debug('deleting an object whose owners are gone or wait for it', {
      kind: seen.ref.kind,
      namespace,
      name,
    });
    await this.#client.resource(seen.ref).delete(
      { namespace, name },
      {
        propagationPolicy: verdict.policy,
        preconditions: {
          ...(uid === undefined ? {} : { uid }),
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
        },
      },
    );
  }

  /** Two that wait for each other would wait for ever: one of them stops blocking. Answers the object as it then is. */
  async #breakCircle(node: GraphNode, seen: Seen): Promise<KubeObject> {
    const circular = [...node.dependents].some((uid) => {
      const dependent = this.#graph.node(uid)?.seen?.object;
      return dependent !== undefined && waitsForDependents(dependent);
    });
    if (!circular || !ownersOf(seen.object).some(blocks)) return seen.object;
    const owners = ownersOf(seen.object).map((owner) => ({ ...owner, blockOwnerDeletion: false }));
    return this.#patchOwners(seen, owners, seen.object.metadata.resourceVersion);
  }

  async #stateOf(
    owner: OwnerReference,
    { object, ref }: Seen,
    { logger, signal }: ReconcileContext,
  ): Promise<OwnerState> {
    const seen = this.#graph.node(owner.uid)?.seen;
    if (seen && refersTo(owner, object, seen))
      return waitsForDependents(seen.object) ? 'waiting' : 'solid';
    const kind = this.#kinds().find(
      (each) => each.kind === owner.kind && apiVersionOf(each) === owner.apiVersion,
    );
    // A kind we know nothing of, or an owner in a namespace none can be in: better kept than lost.
    if (!kind || (kind.namespaced && !ref.namespaced)) {
      logger.warn('an owner cannot be looked up; its dependent stays', { owner });
      return 'solid';
    }
    const namespace = kind.namespaced ? object.metadata.namespace : undefined;
    const id = `${owner.uid} ${namespace ?? ''}`;
    if (this.#absent.has(id)) return 'absent';
    try {
      const live = await this.#client
        .resource(kind)
        .get({ namespace, name: owner.name }, { signal });
      if (live.metadata.uid === owner.uid) return waitsForDependents(live) ? 'waiting' : 'solid';
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    this.#noteAbsent(id);
    return 'absent';
  }

  #noteAbsent(id: string): void {
    this.#absent.add(id);
    if (this.#absent.size <= MAX_ABSENT) return;
    const [oldest] = this.#absent;
    if (oldest !== undefined) this.#absent.delete(oldest);
  }

  /** Dependents lose their reference, then the object its finalizer. */
  async #letGo(node: GraphNode, seen: Seen): Promise<void> {
    for (const uid of node.dependents) {
      const dependent = this.#graph.node(uid)?.seen;
      if (dependent) await ifThere(this.#withoutOwners(dependent, [node.uid]));
    }
    await this.#withoutFinalizer(seen, ORPHAN);
  }

  /** Once no dependent blocks it any more, the object may go. Each dependent is looked at by itself. */
  async #finishWaiting(node: GraphNode, seen: Seen): Promise<void> {
    for (const uid of node.dependents) {
      const dependent = this.#graph.node(uid)?.seen?.object;
      const blocking =
        dependent && ownersOf(dependent).some((owner) => owner.uid === node.uid && blocks(owner));
      if (blocking) return;
    }
    await this.#withoutFinalizer(seen, FOREGROUND);
  }

  async #withoutFinalizer({ ref, object }: Seen, finalizer: string): Promise<void> {
    const { namespace, name = '', resourceVersion } = object.metadata;
    const finalizers = (object.metadata.finalizers ?? []).filter((each) => each !== finalizer);
    const body = { metadata: { resourceVersion, finalizers } };
    await this.#client.resource(ref).patch({ namespace, name }, { type: 'merge', body });
  }

  #withoutOwners(seen: Seen, uids: readonly string[]): Promise<void> {
    return this.#writeOwners(
      seen,
      ownersOf(seen.object).filter((owner) => !uids.includes(owner.uid)),
    );
  }

  /** Writes the references onto the state of that revision, and onto no other. */
  #patchOwners(
    { ref, object }: Seen,
    ownerReferences: readonly OwnerReference[],
    resourceVersion: string | undefined,
  ): Promise<KubeObject> {
    const { namespace, name = '', uid } = object.metadata;
    const body = { metadata: { uid, resourceVersion, ownerReferences } };
    return this.#client.resource(ref).patch({ namespace, name }, { type: 'merge', body });
  }

  /** Writes the references onto the state that was seen; on what is newer, that is read first. */
  async #writeOwners(seen: Seen, owners: readonly OwnerReference[]): Promise<void> {
    const { ref, object } = seen;
    const { namespace, name = '', uid, resourceVersion } = object.metadata;
    try {
      await this.#patchOwners(seen, owners, resourceVersion);
    } catch (error) {
      if (!isConflict(error)) throw error;
      const live = await this.#client.resource(ref).get({ namespace, name });
      if (live.metadata.uid !== uid) return;
      const changed = new Map(owners.map((owner) => [owner.uid, owner]));
      const known = new Set(ownersOf(object).map((owner) => owner.uid));
      const next = ownersOf(live).flatMap((owner) =>
        known.has(owner.uid) ? (changed.get(owner.uid) ?? []) : owner,
      );
      await this.#patchOwners(seen, next, live.metadata.resourceVersion);
    }
  }
}

async function ifThere(write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
