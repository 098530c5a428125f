// PodNetwork: what the node agent is given to connect pods; network/pod implements it, tests give a fake.

/** A pod's place in the network. */
export interface PodAttachment {
  /** Path of the network namespace file. */
  readonly netnsPath: string;
  /** IPv4 address without prefix length. */
  readonly ip: string;
}

/** Connects and disconnects pods. Each verb may be repeated and comes to the same end. */
export interface PodNetwork {
  /** Makes namespace, link and address for a pod, or answers those it has already. */
  setUp(podUid: string): Promise<PodAttachment>;
  tearDown(podUid: string): Promise<void>;
  /** Pods that have an attachment now: for clean-up after a crash. */
  list(): Promise<readonly { podUid: string; ip: string; netnsPath: string }[]>;
}
