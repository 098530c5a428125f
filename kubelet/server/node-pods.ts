// What the node's server may ask of the agent. The agent implements it; the server's tests give their own.
// Invariant: answers are snapshots; nothing here waits.
import type { Pod } from '../../api/generated/types.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';

/** The node's pods as its server sees them. */
export interface NodePods {
  /** Pods with their statuses as this node knows them. */
  list(): readonly Pod[];
  /** A pod and its containers by name, newest first; undefined when this node does not have it. */
  find(namespace: string, name: string): FoundPod | undefined;
}

/** A pod and what the runtime has of it. */
export interface FoundPod {
  readonly pod: Pod;
  /** Its address while it has a sandbox: this node's own word, whatever anybody wrote into the status. */
  readonly podIp: string | undefined;
  readonly containers: ReadonlyMap<string, readonly ContainerStatus[]>;
}
