// Names and addresses that one node of one cluster uses on its host.
// Invariant: every name carries the cluster's id, so that clusters on one host never touch each other's things.

/** Where a node's network lies. */
export interface NetworkLayout {
  /** Six hex digits. */
  readonly clusterId: string;
  /** Addresses of all pods of the cluster, e.g. 10.244.0.0/16. */
  readonly podCidr: string;
  /** This node's share, a /24. */
  readonly nodePodCidr: string;
  readonly serviceCidr: string;
  /** This node's own address, on a device of its own. */
  readonly nodeIp: string;
  /** Service address of DNS, and the port the node's own server listens on behind it. */
  readonly dnsIp: string;
  readonly dnsPort: number;
}

/** The gateway that each pod sees; answered by a fixed neighbour entry, never by a host. */
export const POD_GATEWAY = '169.254.1.1';

/** The device that holds the node's address. Interface names have at most 15 characters. */
export const nodeDevice = (layout: NetworkLayout): string => `pn${layout.clusterId}`;
/** What host ends of pod links begin with. */
export const linkPrefix = (layout: NetworkLayout): string => `p${layout.clusterId}-`;
/** The host end of the pod's link at an address. */
export const linkName = (layout: NetworkLayout, ip: string): string => {
  const [, , third = '0', fourth = '0'] = ip.split('.');
  return `${linkPrefix(layout)}${Number(third) * 256 + Number(fourth)}`;
};
/** What names of network namespaces begin with. */
export const namespacePrefix = (layout: NetworkLayout): string => `pinnace-${layout.clusterId}-`;
/** The network namespace of a pod; the uid's first 13 characters are unique enough on a node. */
export const namespaceName = (layout: NetworkLayout, podUid: string): string =>
  `${namespacePrefix(layout)}${podUid.replaceAll('-', '').slice(0, 16)}`;
/** The nftables table of the cluster. */
export const tableName = (layout: NetworkLayout): string => `${TABLE_PREFIX}${layout.clusterId}`;
/** What every cluster's table begins with. */
export const TABLE_PREFIX = 'pinnace_';

/** An IPv4 address as a number. */
export function ipToNumber(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The inverse of ipToNumber. */
export function numberToIp(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** First address and size of a range. */
export function cidrRange(cidr: string): { first: number; size: number } {
  const [ip = '', length = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(length));
  return { first: Math.floor(ipToNumber(ip) / size) * size, size };
}
