// All nodes with what runs on them, kept by events; pods that were just bound count at once (assumed).
// Invariant: a pod counts on one node at most; an assumed pod counts until its binding is seen or refused.
import type { Node, Pod } from '../../api/generated/types.ts';
import { demandOf, NodeInfo, type PodDemand } from './node-info.ts';

interface Place {
  readonly node: string;
  readonly demand: PodDemand;
  /** Chosen by us, and not yet seen bound. */
  readonly assumed: boolean;
}

/** The scheduler's view of the cluster. Each event costs the same, however many nodes and pods there are. */
export class ClusterState {
  readonly #nodes = new Map<string, NodeInfo>();
  /** The nodes in no particular order, so that a search can begin anywhere; where each stands, by name. */
  readonly #list: NodeInfo[] = [];
  readonly #at = new Map<string, number>();
  readonly #places = new Map<string, Place>();
  /** Which placed pods use a claim, by its key. */
  readonly #users = new Map<string, Set<string>>();

  /** Not to be kept: it changes in place. */
  get nodes(): readonly NodeInfo[] {
    return this.#list;
  }

  /** The node of that name as it is now; not to be kept. */
  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  putNode(node: Node): void {
    const name = node.metadata.name ?? '';
    const known = this.#nodes.get(name);
    if (known) {
      known.update(node);
      return;
    }
    const info = new NodeInfo(node);
    this.#nodes.set(name, info);
    this.#at.set(name, this.#list.push(info) - 1);
    for (const [uid, place] of this.#places)
      if (place.node === name) info.addPod(uid, place.demand);
  }

  removeNode(name: string): void {
    const at = this.#at.get(name);
    if (at === undefined) return;
    this.#nodes.delete(name);
    this.#at.delete(name);
    // The last one takes the place.
    const last = this.#list.pop();
    if (!last || at === this.#list.length) return;
    this.#list[at] = last;
    this.#at.set(last.node.metadata.name ?? '', at);
  }

  /** A pod as it is now: counts on its node until it is over. */
  putPod(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const node = pod.spec?.nodeName;
    const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (over) this.#forget(uid);
    else if (node) this.#place(uid, { node, demand: demandOf(pod), assumed: false });
  }

  removePod(pod: Pod): void {
    this.#forget(pod.metadata.uid ?? '');
  }

  /** Counts a pod on a node before its binding is seen. Answers false, and changes nothing, where one was seen before. */
  assume(pod: Pod, node: string): boolean {
    const uid = pod.metadata.uid ?? '';
    const known = this.#places.get(uid);
    if (known && !known.assumed) return false;
    this.#place(uid, { node, demand: demandOf(pod), assumed: true });
    return true;
  }

  /** The binding was refused. A pod that was seen bound meanwhile goes on counting. */
  unassume(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    if (this.#places.get(uid)?.assumed) this.#forget(uid);
  }

  /** Does the pod count on some node, if only by assumption? */
  isPlaced(pod: Pod): boolean {
    return this.#places.has(pod.metadata.uid ?? '');
  }

  /** Does a pod that counts somewhere use the claim? */
  isClaimUsed(key: string): boolean {
    return this.#users.has(key);
  }

  #place(uid: string, place: Place): void {
    const known = this.#places.get(uid);
    if (known && known.node !== place.node) this.#forget(uid);
    this.#places.set(uid, place);
    this.#nodes.get(place.node)?.addPod(uid, place.demand);
    for (const key of place.demand.claims)
      this.#users.set(key, (this.#users.get(key) ?? new Set()).add(uid));
  }

  #forget(uid: string): void {
    const place = this.#places.get(uid);
    if (!place) return;
    this.#places.delete(uid);
    this.#nodes.get(place.node)?.removePod(uid);
    for (const key of place.demand.claims) {
      const users = this.#users.get(key);
      users?.delete(uid);
      if (users?.size === 0) this.#users.delete(key);
    }
  }
}
