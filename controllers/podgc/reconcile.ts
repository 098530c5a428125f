// Removes pods that nobody else will: those bound to nodes that are gone, those that end before they have a node, and
// ended ones past the number that is kept.
// Invariant: a node counts as gone only after NODE_QUARANTINE_MS and when the server itself says so.
import type { Clock } from '../../base/clock.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
import { Nodes, Pods } from '../../api/kinds.ts';
import { setCondition } from '../../api/meta/conditions.ts';
import { isConflict, isNotFound } from '../../api/status.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import type { ControllerContext, ReconcileContext, Result } from '../framework/reconciler.ts';
import { done, requeueAfter } from '../framework/reconciler.ts';
import { isPodTerminal } from '../framework/pod-state.ts';
import { planTerminated } from './plan.ts';

/** Index of pods by their node; unassigned ones that are being deleted, and ended ones, have names of their own. */
export const BY_PLACE = 'podgc.place';
export const ENDED = 'ended';
export const LEAVING_UNASSIGNED = 'leaving';

/** How long a node must be missing before its pods go, as upstream: it might be registered again. */
export const NODE_QUARANTINE_MS = 40_000;

/** Where the collector finds the pod. */
export function placesOf(pod: Pod): string[] {
  const { nodeName } = pod.spec ?? {};
  const places = nodeName ? [`node:${nodeName}`] : [];
  const leaving = pod.metadata.deletionTimestamp !== undefined;
  if (!nodeName && leaving) places.push(LEAVING_UNASSIGNED);
  if (isPodTerminal(pod) && !leaving) places.push(ENDED);
  return places;
}

/** Collects pods by place. */
export class PodCollector {
  readonly #clock: Clock;
  readonly #keepEnded: number;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #podClient: ResourceClient<Pod>;
  readonly #nodeClient: ResourceClient<Node>;
  /** When nodes were first found missing. */
  readonly #missingSince = new Map<string, number>();

  constructor({ clock, informers, client }: ControllerContext, keepEnded: number) {
    this.#clock = clock;
    this.#keepEnded = keepEnded;
    this.#pods = informers.informer(Pods);
    this.#nodes = informers.informer(Nodes);
    this.#podClient = client.resource(Pods);
    this.#nodeClient = client.resource(Nodes);
  }

  /** Collects the pods of one place. */
  async reconcile(place: string, context: ReconcileContext): Promise<Result> {
    const pods = this.#pods.byIndex(BY_PLACE, place);
    if (place === ENDED) {
      for (const pod of planTerminated(pods, this.#keepEnded)) await this.#remove(pod, context);
      return done;
    }
    if (place === LEAVING_UNASSIGNED) {
      for (const pod of pods) await this.#remove(pod, context);
      return done;
    }
    return this.#collectNode(place.slice('node:'.length), pods, context);
  }

  async #collectNode(
    name: string,
    pods: readonly Pod[],
    context: ReconcileContext,
  ): Promise<Result> {
    if (pods.length === 0 || this.#nodes.get(name)) {
      this.#missingSince.delete(name);
      return done;
    }
    const now = this.#clock.monotonic();
    const since = this.#missingSince.get(name) ?? now;
    this.#missingSince.set(name, since);
    const left = since + NODE_QUARANTINE_MS - now;
    if (left > 0) return requeueAfter(left);
    if (await this.#nodeExists(name, context.signal)) return done;
    this.#missingSince.delete(name);
    for (const pod of pods) {
      if (!isPodTerminal(pod)) await this.#markFailed(pod, context.signal);
      await this.#remove(pod, context);
    }
    return done;
  }

  async #nodeExists(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#nodeClient.get({ name }, { signal });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Nobody is left to tell how the pod ended. */
  async #markFailed(pod: Pod, signal: AbortSignal): Promise<void> {
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
    };
    const conditions = setCondition(pod.status?.conditions, condition, this.#clock.now());
    try {
      await this.#podClient.updateStatus(
        { ...pod, status: { ...pod.status, phase: 'Failed', conditions } },
        { signal },
      );
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async #remove(pod: Pod, { logger, signal }: ReconcileContext): Promise<void> {
    const { namespace, name = '', uid } = pod.metadata;
    logger.debug('removing a pod that nobody else will', { namespace, name });
    try {
      const preconditions = uid === undefined ? undefined : { uid };
      await this.#podClient.delete(
        { namespace, name },
        { gracePeriodSeconds: 0, preconditions, signal },
      );
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}
