// One look at a namespace that is being deleted: its pods are deleted, then everything else in it, then it is let go.
// Invariants: the namespace's own finalizer comes off only after every kind was seen empty on the server, not in a cache;
// nothing that pods may rely on (policies, secrets, accounts) is deleted while one of them may still run (KEP-5080);
// nothing is deleted from a namespace that the server does not show as being deleted.
import type { Clock } from '../../base/clock.ts';
import type { Namespace } from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { Namespaces, Pods } from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { isConflict, isNotFound } from '../../api/status.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { Client } from '../../client/rest/client.ts';
import { listAll } from '../../client/rest/list-all.ts';
import type { ControllerContext, Result } from '../framework/reconciler.ts';
import { done, requeueAfter } from '../framework/reconciler.ts';
import { writeStatus } from '../framework/status-writer.ts';
import type { Progress, Remains } from './status.ts';
import { namespaceStatus } from './status.ts';

/** The entry in spec.finalizers that is this controller's. */
const FINALIZER = 'kubernetes';
/** Looked at again after this long at the latest; the end of an object wakes it sooner. */
const RECHECK_MS = 5_000;

/** A kind whose objects are deleted all at once, or one by one where its server offers nothing else. */
export interface EmptiedKind {
  readonly ref: KindRef;
  readonly oneByOne: boolean;
}

/** Every kind that lives in namespaces at the moment, and groups whose kinds are not known as they are now. */
export type KindsInNamespaces = (
  signal: AbortSignal,
) => Promise<{ readonly kinds: readonly EmptiedKind[]; readonly stale: readonly string[] }>;

/** Reconciles namespaces. */
export class NamespaceReconciler {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #namespaces: Informer<Namespace>;
  readonly #kinds: KindsInNamespaces;

  constructor({ client, clock, informers }: ControllerContext, kinds: KindsInNamespaces) {
    this.#client = client;
    this.#clock = clock;
    this.#namespaces = informers.informer(Namespaces);
    this.#kinds = kinds;
  }

  /** Is this namespace being deleted? */
  isEnding(name: string): boolean {
    return this.#namespaces.get(name)?.metadata.deletionTimestamp !== undefined;
  }

  /** Empties one namespace, as far as can be done now. */
  async reconcile(name: string, signal: AbortSignal): Promise<Result> {
    if (!this.isEnding(name)) return done;
    try {
      // The cache may still show a namespace that went and was made anew since: what is in the new one is not to be emptied.
      const namespace = await this.#client.resource(Namespaces).get({ name }, { signal });
      if (namespace.metadata.deletionTimestamp === undefined) return done;
      if (!namespace.spec?.finalizers?.includes(FINALIZER)) return done;
      const progress = await this.#empty(name, signal);
      const written = await writeStatus(
        { resource: this.#client.resource(Namespaces), signal },
        namespace,
        (current) => namespaceStatus(current, progress, this.#clock.now()),
      );
      const { failures, stale, remains } = progress;
      if (failures.length + stale.length > 0 || remains.some(({ count }) => count > 0))
        return requeueAfter(RECHECK_MS);
      await this.#letGo(written, signal);
      return done;
    } catch (error) {
      // It went meanwhile.
      if (isNotFound(error)) return done;
      throw error;
    }
  }

  async #empty(namespace: string, signal: AbortSignal): Promise<Progress> {
    const remains: Remains[] = [];
    const failures: string[] = [];
    const { kinds, stale } = await this.#kinds(signal);
    for (const kind of podsFirst(kinds)) {
      const { ref } = kind;
      try {
        const before = await this.#remainsOf(ref, namespace, signal);
        if (before.count === 0) continue;
        await this.#delete(kind, namespace, signal);
        remains.push(await this.#remainsOf(ref, namespace, signal));
      } catch (error) {
        if (signal.aborted) throw error;
        failures.push(error instanceof Error ? error.message : String(error));
      }
      const mayRun = failures.length > 0 || remains.some(({ count }) => count > 0);
      if (isPods(ref) && mayRun) break;
    }
    return { remains, failures, stale };
  }

  async #delete(
    { ref, oneByOne }: EmptiedKind,
    namespace: string,
    signal: AbortSignal,
  ): Promise<void> {
    const resource = this.#client.resource(ref);
    const how = { propagationPolicy: 'Background', signal } as const;
    if (!oneByOne) return resource.deleteCollection({ namespace, ...how });
    for await (const { metadata } of listAll(resource, { namespace, signal }))
      await resource.delete({ namespace, name: metadata.name ?? '' }, how).catch(unlessGone);
  }

  async #remainsOf(ref: KindRef, namespace: string, signal: AbortSignal): Promise<Remains> {
    const finalizers = new Map<string, number>();
    let count = 0;
    const objects: AsyncIterable<KubeObject> = listAll(this.#client.resource(ref), {
      namespace,
      signal,
    });
    for await (const { metadata } of objects) {
      count++;
      for (const name of metadata.finalizers ?? [])
        finalizers.set(name, (finalizers.get(name) ?? 0) + 1);
    }
    return { ref, count, finalizers };
  }

  async #letGo(namespace: Namespace, signal: AbortSignal): Promise<void> {
    const finalizers = (namespace.spec?.finalizers ?? []).filter((each) => each !== FINALIZER);
    try {
      await this.#client
        .resource(Namespaces)
        .update(
          { ...namespace, spec: { ...namespace.spec, finalizers } },
          { subresource: 'finalize', signal },
        );
    } catch (error) {
      if (!isConflict(error)) throw error;
      // Somebody else changed it: its event brings us back.
    }
  }
}

/** Nothing that pods may rely on goes before them. */
function podsFirst(kinds: readonly EmptiedKind[]): EmptiedKind[] {
  const isFirst = ({ ref }: EmptiedKind) => isPods(ref);
  return [...kinds.filter(isFirst), ...kinds.filter((kind) => !isFirst(kind))];
}

function unlessGone(error: unknown): void {
  if (!isNotFound(error)) throw error;
}

const isPods = ({ group, plural }: KindRef): boolean =>
  group === Pods.group && plural === Pods.plural;
