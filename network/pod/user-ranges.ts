// Ranges of user ids for pods with users of their own. Pure.
// Invariant: pods with different addresses in a /16 have ranges that do not overlap, and none overlaps the host's own users.

/** Users 0 to `size` - 1 of a pod are the host's from `hostId` on. */
export interface UserRange {
  readonly hostId: number;
  readonly size: number;
}

/** Ids of one pod, as upstream's kubelet has it. */
const IDS_PER_POD = 65_536;

/** The range of the pod with an IPv4 address: it is kept, given out and taken back with the address. */
export function usersOf(ip: string): UserRange {
  const [, , high = 0, low = 0] = ip.split('.').map(Number);
  // The first range is the host's own users.
  const number = Math.max(1, high * 256 + low);
  return { hostId: number * IDS_PER_POD, size: IDS_PER_POD };
}
