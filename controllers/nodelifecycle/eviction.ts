// One look at a pod on a tainted node: it leaves at once, later, or not at all.
// Invariant: the moment follows from the taint and the pod alone, so a restart of this program changes nothing. A taint says
// in wall time when it was added; that is read once, when we first see it, and from there on the time that is left runs on
// the clock that only goes forward: setting the host's clock meanwhile drives nobody away early, and keeps nobody longer.
import type { Clock } from '../../base/clock.ts';
import type { Node, Pod, Taint } from '../../api/generated/types.ts';
import { Nodes, Pods } from '../../api/kinds.ts';
import { setCondition } from '../../api/meta/conditions.ts';
import { keyOf } from '../../api/meta/object.ts';
import { parseTime } from '../../api/meta/time.ts';
import { isConflict, isNotFound } from '../../api/status.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import type { ControllerContext, EventRecorder, Result } from '../framework/reconciler.ts';
import { done, requeueAfter } from '../framework/reconciler.ts';
import { isPodActive } from '../framework/pod-state.ts';
import { leavesAtMs } from './eviction-plan.ts';
import { evictingTaints } from './taints.ts';

/** Evicts pods from tainted nodes. */
export class TaintEvictor {
  readonly #clock: Clock;
  readonly #events: EventRecorder;
  readonly #nodes: Informer<Node>;
  readonly #pods: Informer<Pod>;
  readonly #client: ResourceClient<Pod>;
  /** By pod and taint: since when the taint is there, on the monotonic clock. */
  readonly #since = new Map<string, ReadonlyMap<string, number>>();

  constructor({ clock, events, informers, client }: ControllerContext) {
    this.#clock = clock;
    this.#events = events;
    this.#nodes = informers.informer(Nodes);
    this.#pods = informers.informer(Pods);
    this.#client = client.resource(Pods);
  }

  /** Looks at one pod. */
  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const pod = this.#pods.get(key);
    const node = this.#nodes.get(pod?.spec?.nodeName ?? '');
    const taints = node ? evictingTaints(node) : [];
    if (!pod || !isPodActive(pod) || taints.length === 0) {
      this.#since.delete(key);
      return done;
    }
    const nowMs = this.#clock.monotonic();
    const since = this.#sinceWhen(taints, this.#since.get(key));
    this.#since.set(key, since);
    const sinceMs = (taint: Taint) => since.get(idOf(taint)) ?? nowMs;
    const dueMs = leavesAtMs(taints, pod.spec?.tolerations, sinceMs);
    if (dueMs === undefined) return done;
    if (dueMs > nowMs) return requeueAfter(dueMs - nowMs);
    await this.#evict(pod, signal);
    return done;
  }

  /** What is known of taints stays; one that is new has been there for as long as it says, or from now on. */
  #sinceWhen(
    taints: readonly Taint[],
    known: ReadonlyMap<string, number> | undefined,
  ): ReadonlyMap<string, number> {
    const [nowMs, wallMs] = [this.#clock.monotonic(), this.#clock.now()];
    return new Map(
      taints.map((taint) => {
        const ageMs = Math.max(0, wallMs - (parseTime(taint.timeAdded) ?? wallMs));
        return [idOf(taint), known?.get(idOf(taint)) ?? nowMs - ageMs];
      }),
    );
  }

  async #evict(pod: Pod, signal: AbortSignal): Promise<void> {
    const { namespace, name = '', uid } = pod.metadata;
    this.#events.event(pod, {
      type: 'Normal',
      reason: 'TaintManagerEviction',
      message: `Marking for deletion Pod ${keyOf(pod)}`,
    });
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
    };
    const conditions = setCondition(pod.status?.conditions, condition, this.#clock.now());
    try {
      await this.#client.updateStatus(
        { ...pod, status: { ...pod.status, conditions } },
        { signal },
      );
    } catch (error) {
      // Whoever changed it: the deletion counts, its reason is for people.
      if (!isConflict(error) && !isNotFound(error)) throw error;
    }
    try {
      const preconditions = uid === undefined ? undefined : { uid };
      await this.#client.delete({ namespace, name }, { preconditions, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** A taint that is taken away and put back is another one, since it says another time. */
const idOf = ({ key, value = '', effect, timeAdded = '' }: Taint): string =>
  [key, value, effect, timeAdded].join(' ');
