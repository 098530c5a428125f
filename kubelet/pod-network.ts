// PodNetwork: what the node agent is given to connect pods; network/pod implements it, tests give a fake.

/** A pod's place in the network. */
export interface PodAttachment {
  /** Path of the network namespace file. */
  readonly netnsPath: string;
  /** IPv4 address without prefix length. */
  readonly ip: string;
  /** The pod's own users, where it asked for them: 0 to `size` - 1 are the host's from `hostId` on, and no other pod's. */
  readonly users?: { readonly hostId: number; readonly size: number };
}

/** What a pod's network is to be like. */
export interface PodNetworkNeeds {
  /** The namespace belongs to a new user namespace. */
  readonly ownUsers?: boolean;
}

/** Counters of one link since it was made. */
export interface LinkCounts {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** Connects and disconnects pods. Each verb may be repeated and comes to the same end. */
export interface PodNetwork {
  /** Makes namespace, link and address for a pod, or answers those it has already. */
  setUp(podUid: string, needs?: PodNetworkNeeds): Promise<PodAttachment>;
  tearDown(podUid: string): Promise<void>;
  /** Pods that have an attachment now: for clean-up after a crash. */
  list(): Promise<readonly { podUid: string; ip: string; netnsPath: string }[]>;
  /** What went over the links of pods, by uid, and over the host's other ones, its default one first; left out where that is not known. */
  figures?(): { pods: ReadonlyMap<string, LinkCounts>; host: readonly LinkCounts[] };
}
