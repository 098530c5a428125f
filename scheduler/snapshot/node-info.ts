// What a node has and what is taken of it, kept in step pod by pod.
// Invariant: `requested` and `weighed` are sums over exactly the pods that were added and not removed.
import { claimKeysOf } from '../../api/core/volume-matching.ts';
import type { Node, Pod, PodSpec } from '../../api/generated/types.ts';
import { parseResources, podRequests, type ResourceList } from '../../api/meta/pod-resources.ts';

/** What a pod takes of a node: nano-units by resource, host ports, and claims. */
export interface PodDemand {
  readonly requests: ReadonlyMap<string, bigint>;
  /** What it counts for when nodes are compared: its requests, and UNREQUESTED for containers that state none. */
  readonly weighs: ReadonlyMap<string, bigint>;
  /** `protocol/hostIP/port`. */
  readonly ports: readonly string[];
  /** Keys of the claims that it uses. */
  readonly claims: readonly string[];
}

/** What a container that requests none of it counts for, in scoring only, as upstream. */
const UNREQUESTED = parseResources({ cpu: '100m', memory: '200Mi' });

/** The demand of a pod. */
export function demandOf(pod: Pod): PodDemand {
  const spec = pod.spec as PodSpec;
  // Init containers that restart always run beside the others.
  const sidecars = (spec.initContainers ?? []).filter((each) => each.restartPolicy === 'Always');
  const ports = [...spec.containers, ...sidecars].flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => port.hostPort)
      .map((port) => `${port.protocol ?? 'TCP'}/${port.hostIP || '0.0.0.0'}/${port.hostPort}`),
  );
  return {
    requests: nanosOf(podRequests(spec)),
    weighs: nanosOf(podRequests(spec, UNREQUESTED)),
    ports,
    claims: claimKeysOf(pod),
  };
}

function nanosOf(list: ResourceList): Map<string, bigint> {
  return new Map(Object.entries(list).map(([name, quantity]) => [name, quantity.nanos]));
}

/** A node and what runs on it. */
export class NodeInfo {
  #node: Node;
  #allocatable: ReadonlyMap<string, bigint>;
  readonly #requested = new Map<string, bigint>();
  readonly #weighed = new Map<string, bigint>();
  readonly #ports = new Map<string, number>();
  readonly #pods = new Map<string, PodDemand>();

  constructor(node: Node) {
    this.#node = node;
    this.#allocatable = allocatableOf(node);
  }

  get node(): Node {
    return this.#node;
  }

  get podCount(): number {
    return this.#pods.size;
  }

  update(node: Node): void {
    this.#node = node;
    this.#allocatable = allocatableOf(node);
  }

  /** Nano-units of a resource that pods may request in all; 0 for one the node has not. */
  allocatable(resource: string): bigint {
    return this.#allocatable.get(resource) ?? 0n;
  }

  requested(resource: string): bigint {
    return this.#requested.get(resource) ?? 0n;
  }

  /** As `requested`, with what containers without requests count for. */
  weighed(resource: string): bigint {
    return this.#weighed.get(resource) ?? 0n;
  }

  /** Is the host port taken? An address of 0.0.0.0 is every address. */
  hasPort(port: string): boolean {
    const [protocol, ip, number] = port.split('/');
    for (const taken of this.#ports.keys()) {
      const [otherProtocol, otherIp, otherNumber] = taken.split('/');
      const sameAddress = ip === otherIp || ip === '0.0.0.0' || otherIp === '0.0.0.0';
      if (protocol === otherProtocol && number === otherNumber && sameAddress) return true;
    }
    return false;
  }

  addPod(uid: string, demand: PodDemand): void {
    this.removePod(uid);
    this.#pods.set(uid, demand);
    for (const [resource, nanos] of demand.requests)
      this.#requested.set(resource, this.requested(resource) + nanos);
    for (const [resource, nanos] of demand.weighs)
      this.#weighed.set(resource, this.weighed(resource) + nanos);
    for (const port of demand.ports) this.#ports.set(port, (this.#ports.get(port) ?? 0) + 1);
  }

  removePod(uid: string): void {
    const demand = this.#pods.get(uid);
    if (!demand) return;
    this.#pods.delete(uid);
    for (const [resource, nanos] of demand.requests)
      this.#requested.set(resource, this.requested(resource) - nanos);
    for (const [resource, nanos] of demand.weighs)
      this.#weighed.set(resource, this.weighed(resource) - nanos);
    for (const port of demand.ports) {
      const left = (this.#ports.get(port) ?? 1) - 1;
      if (left > 0) this.#ports.set(port, left);
      else this.#ports.delete(port);
    }
  }
}

function allocatableOf(node: Node): ReadonlyMap<string, bigint> {
  return nanosOf(parseResources(node.status?.allocatable ?? node.status?.capacity));
}
