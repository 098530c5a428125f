// One look at a node: does it still say something, what taints follow, and are its pods to be told not ready.
// Invariant: each write is repeated until it is made, since it follows from what is seen and not from what was seen change.
import type { Clock } from '../../base/clock.ts';
import type { Lease, Node, Pod } from '../../api/generated/types.ts';
import { Leases, Nodes, Pods } from '../../api/kinds.ts';
import { findCondition, setCondition } from '../../api/meta/conditions.ts';
import { keyOf } from '../../api/meta/object.ts';
import { isConflict, isNotFound } from '../../api/status.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import { isPodReady, isPodTerminal } from '../framework/pod-state.ts';
import type { ControllerContext, EventRecorder, Result } from '../framework/reconciler.ts';
import { done, requeueAfter } from '../framework/reconciler.ts';
import { writeStatus } from '../framework/status-writer.ts';
import type { Health } from './health.ts';
import { awayInMs, healthAfter, readiness, unknownConditions } from './health.ts';
import type { NodeLifecycleOptions } from './options.ts';
import { type Eviction, evictionFrom, nextTaints } from './taints.ts';

/** Where nodes keep their Leases. */
export const LEASE_NAMESPACE = 'kube-node-lease';
/** The index of pods by the node they are on. */
export const BY_NODE = 'spec.nodeName';
/** A node that is away is looked at this often though nothing wakes us. */
const AWAY_RECHECK_MS = 10_000;

/** Gives the informer the index of pods by node; may be called again. */
export function indexByNode(pods: Informer<Pod>): void {
  pods.addIndex(BY_NODE, (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
}

/** Reconciles nodes. */
export class NodeReconciler {
  readonly #clock: Clock;
  readonly #events: EventRecorder;
  readonly #options: NodeLifecycleOptions;
  readonly #nodes: Informer<Node>;
  readonly #leases: Informer<Lease>;
  readonly #pods: Informer<Pod>;
  readonly #nodeClient: ResourceClient<Node>;
  readonly #podClient: ResourceClient<Pod>;
  readonly #health = new Map<string, Health>();
  readonly #toldNotReady = new Set<string>();

  constructor(context: ControllerContext, options: NodeLifecycleOptions) {
    this.#clock = context.clock;
    this.#events = context.events;
    this.#options = options;
    this.#nodes = context.informers.informer(Nodes);
    this.#leases = context.informers.informer(Leases);
    this.#pods = context.informers.informer(Pods);
    this.#nodeClient = context.client.resource(Nodes);
    this.#podClient = context.client.resource(Pods);
  }

  /** Looks at one node. */
  async reconcile(name: string, signal: AbortSignal): Promise<Result> {
    const found = this.#nodes.get(name);
    if (!found) {
      this.#health.delete(name);
      this.#toldNotReady.delete(name);
      return done;
    }
    if (!this.#health.has(name)) this.#tellRegistered(found);
    const node = this.#awayInMs(found) > 0 ? found : await this.#markAway(found, signal);
    await this.#taint(node, signal);
    await this.#followReadiness(node, signal);
    return requeueAfter(this.#awayInMs(node) || AWAY_RECHECK_MS);
  }

  /** Takes in what the node says of itself, and answers how long until it counts as away; 0 when it does. */
  #awayInMs(node: Node): number {
    const { name = '' } = node.metadata;
    const lease = this.#leases.get(`${LEASE_NAMESPACE}/${name}`);
    const nowMs = this.#clock.monotonic();
    const health = healthAfter(this.#health.get(name), { node, lease }, nowMs);
    this.#health.set(name, health);
    return awayInMs(node, health, { nowMs, options: this.#options });
  }

  /** Once for each node that comes, and that is there when this program starts. */
  #tellRegistered(node: Node): void {
    const { name } = node.metadata;
    this.#events.event(node, {
      type: 'Normal',
      reason: 'RegisteredNode',
      message: `Node ${name} event: Registered Node ${name} in Controller`,
    });
  }

  /** A newer state that the write meets is judged anew: the node may have spoken meanwhile. */
  #markAway(node: Node, signal: AbortSignal): Promise<Node> {
    return writeStatus({ resource: this.#nodeClient, signal }, node, (current) =>
      this.#awayInMs(current) > 0
        ? current.status
        : { ...current.status, conditions: unknownConditions(current, this.#clock.now()) },
    );
  }

  async #taint(node: Node, signal: AbortSignal): Promise<void> {
    const { name = '', resourceVersion } = node.metadata;
    const taints = nextTaints(node, { eviction: this.#eviction(node), nowMs: this.#clock.now() });
    if (!taints) return;
    const body = { metadata: { resourceVersion }, spec: { taints } };
    await this.#nodeClient.patch({ name }, { type: 'merge', body }, { signal });
  }

  /** A node that is ready costs no look at the others. */
  #eviction(node: Node): Eviction {
    if (readiness(node) === 'True') return 'goes-on';
    const others = this.#nodes.list().filter((each) => keyOf(each) !== keyOf(node));
    return evictionFrom(node, [node, ...others]);
  }

  /** Pods of a node that is not ready are not ready either, so that Services leave them out. */
  async #followReadiness(node: Node, signal: AbortSignal): Promise<void> {
    const name = node.metadata.name ?? '';
    const ready = readiness(node);
    if (ready === 'True') this.#toldNotReady.delete(name);
    if (ready === 'True' || ready === undefined) return;
    if (!this.#toldNotReady.has(name)) {
      this.#toldNotReady.add(name);
      this.#events.event(node, {
        type: 'Normal',
        reason: 'NodeNotReady',
        message: `Node ${name} status is now: NodeNotReady`,
      });
    }
    for (const pod of this.#pods.byIndex(BY_NODE, name))
      if (isPodReady(pod) && !isPodTerminal(pod)) await this.#markNotReady(pod, signal);
  }

  async #markNotReady(pod: Pod, signal: AbortSignal): Promise<void> {
    const ready = findCondition(pod.status?.conditions, 'Ready');
    if (!ready) return;
    const conditions = setCondition(
      pod.status?.conditions,
      { ...ready, status: 'False' },
      this.#clock.now(),
    );
    try {
      await this.#podClient.updateStatus(
        { ...pod, status: { ...pod.status, conditions } },
        { signal },
      );
      this.#events.event(pod, {
        type: 'Warning',
        reason: 'NodeNotReady',
        message: 'Node is not ready',
      });
    } catch (error) {
      // Gone, or changed meanwhile: the next look sees how it is.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}
