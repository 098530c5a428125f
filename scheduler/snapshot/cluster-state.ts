// All nodes with what runs on them, kept by events; pods that were just bound count at once (assumed).
// Invariant: a pod counts on one node at most; an assumed pod counts until its binding is seen or refused.
import type { Node, Pod } from '../../api/generated/types.ts';
import { demandOf, NodeInfo, type PodDemand } from './node-info.ts';

/** The scheduler's view of the cluster. Each event costs the same, however many nodes and pods there are. */
export class ClusterState {
  readonly #nodes = new Map<string, NodeInfo>();
  readonly #places = new Map<string, { readonly node: string; readonly demand: PodDemand }>();

  get nodes(): Iterable<NodeInfo> {
    return this.#nodes.values();
  }

  get nodeCount(): number {
    return this.#nodes.size;
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
    for (const [uid, place] of this.#places)
      if (place.node === name) info.addPod(uid, place.demand);
  }

  removeNode(name: string): void {
    this.#nodes.delete(name);
  }

  /** A pod as it is now: counts on its node until it is over. */
  putPod(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const node = pod.spec?.nodeName;
    const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (over) this.#forget(uid);
    else if (node) this.#place(uid, node, demandOf(pod));
  }

  removePod(pod: Pod): void {
    this.#forget(pod.metadata.uid ?? '');
  }

  /** Counts a pod on a node before its binding is seen. */
  assume(pod: Pod, node: string): void {
    this.#place(pod.metadata.uid ?? '', node, demandOf(pod));
  }

  /** The binding was refused. */
  unassume(pod: Pod): void {
    this.#forget(pod.metadata.uid ?? '');
  }

  #place(uid: string, node: string, demand: PodDemand): void {
    const known = this.#places.get(uid);
    if (known && known.node !== node) this.#forget(uid);
    this.#places.set(uid, { node, demand });
    this.#nodes.get(node)?.addPod(uid, demand);
  }

  #forget(uid: string): void {
    const place = this.#places.get(uid);
    if (!place) return;
    this.#places.delete(uid);
    this.#nodes.get(place.node)?.removePod(uid);
  }
}
