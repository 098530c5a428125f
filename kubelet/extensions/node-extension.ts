// What a program that runs a node agent may add to it: devices and other resources of the node's own, and places on it (processors,
// memory of one socket) for pods that ask. The door for what upstream does by plugins over gRPC, by its CPU and its memory manager.
// Invariant: what a pod was given it keeps until it is over, whichever agent looks after it; the agent keeps that, not the extension.
import type { Pod } from '../../api/generated/types.ts';
import type { Verdict } from '../pods/pod-status.ts';
import type { ContainerDevice, ContainerMount } from '../runtime/runtime.ts';

/** How much the node has of a resource, in whole units. */
export interface ExtendedResource {
  readonly capacity: number;
  /** What of it is for pods: without those that are unwell. */
  readonly allocatable: number;
}

/** What a container is given besides what its pod says. */
export interface ContainerAdditions {
  readonly devices?: readonly ContainerDevice[];
  /** Before these its own variables count. */
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly mounts?: readonly ContainerMount[];
  /** Processors that it runs on, as the kernel lists them: `0-3,8`. */
  readonly cpus?: string;
  /** Nodes of memory that it is given memory of, in the same form. */
  readonly memoryNodes?: string;
}

/** What a pod is given, by the name of the container. Kept as JSON. */
export type Grant = Readonly<Record<string, ContainerAdditions>>;

/** An extension of one node. Nothing in it may block; an error that it throws refuses the pod (UnexpectedAdmissionError). */
export interface NodeExtension {
  /** Its grants are kept under this name: the same each time the agent starts. */
  readonly name: string;
  /**
   * What the node has by it, by extended resource (`example.com/widget`), as it is now. Told on the Node, and asked at each admission: pods
   * that ask for more are refused (`OutOfexample.com/widget`). One that is gone must be told as 0, or the Node goes on showing it.
   */
  resources(): Readonly<Record<string, ExtendedResource>>;
  /** Calls `changed` when `resources` answers something else, until the signal aborts. */
  watch?(changed: () => void, signal: AbortSignal): void;
  /**
   * Takes for a pod what it asks for: what its containers are given, nothing where it asks for nothing here, or why it is refused. Asked once
   * for a pod, after all else of the node's admission.
   */
  admit(pod: Pod): { readonly grant: Grant } | { readonly refusal: Verdict } | undefined;
  /** The agent has begun, and a pod has this from before it did. */
  restore(podUid: string, grant: Grant): void;
  /** The pod is over, or came to nothing: what it had is free. May come for pods that had nothing. */
  release(podUid: string): void;
}
