// Messages of rtnetlink(7) for links, addresses, routes and neighbours, and their answers. Pure: netlink-socket.ts sends them.
// Invariant: bytes are in the order of this host's processors, little end first, which is all that Node 24 runs on here; addresses are not.

const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
const NLM_F_REPLACE = 0x100;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const RTM_NEWNEIGH = 28;
const NLMSG_ERROR = 2;
const HEADER_BYTES = 16;
const AF_INET = 2;
const IFF_UP = 1;
const ALL_BITS_OF_ADDRESS = 32;

/** Index of the loopback device in each network namespace. */
export const LOOPBACK = 1;

/** One request: what it is to do, as error messages call it, and its bytes. */
export interface NetlinkRequest {
  readonly what: string;
  readonly bytes: Uint8Array;
}

/**
 * A pair of devices: one here, which is up, and one in the namespace that a descriptor names, which cannot be yet. Refused where the
 * name is taken.
 */
export function addPair(
  here: { readonly name: string; readonly mac: string },
  there: { readonly name: string; readonly namespace: number },
): NetlinkRequest {
  const peer = Buffer.concat([
    device(0, 0),
    attribute(IFLA_IFNAME, text(there.name)),
    attribute(IFLA_NET_NS_FD, number(there.namespace)),
  ]);
  const kind = attribute(IFLA_INFO_KIND, text('veth'));
  const data = attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, peer));
  return request(
    `link add ${here.name}`,
    [RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL],
    [
      device(0, IFF_UP),
      attribute(IFLA_IFNAME, text(here.name)),
      attribute(IFLA_ADDRESS, macBytes(here.mac)),
      attribute(IFLA_LINKINFO, Buffer.concat([kind, data])),
    ],
  );
}

/** Sets a device up. */
export const setUp = (index: number): NetlinkRequest =>
  request(`link set ${index} up`, [RTM_NEWLINK, 0], [device(index, IFF_UP)]);

/** Removes a device, and its other end with it. */
export const deleteDevice = (name: string): NetlinkRequest =>
  request(
    `link delete ${name}`,
    [RTM_DELLINK, 0],
    [device(0, 0), attribute(IFLA_IFNAME, text(name))],
  );

/** An address that stands for itself alone. */
export const addAddress = (index: number, address: string): NetlinkRequest => {
  const head = Buffer.from([AF_INET, ALL_BITS_OF_ADDRESS, 0, 0]);
  const ip = addressBytes(address);
  return request(
    `address add ${address}`,
    [RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL],
    [head, number(index), attribute(IFA_LOCAL, ip), attribute(IFA_ADDRESS, ip)],
  );
};

/** Where a route leads: to one address that is on the link itself, or, by a gateway, to all others. */
export type RouteTarget =
  | { readonly to: string; readonly source?: string }
  | { readonly gateway: string };

/** A route of the main table. Takes the place of one to the same address. */
export function addRoute(index: number, target: RouteTarget): NetlinkRequest {
  const onLink = 'to' in target;
  const bits = onLink ? ALL_BITS_OF_ADDRESS : 0;
  const scope = onLink ? SCOPE_LINK : SCOPE_UNIVERSE;
  const head = [AF_INET, bits, 0, 0, TABLE_MAIN, PROTOCOL_BOOT, scope, UNICAST, 0, 0, 0, 0];
  const rest = onLink
    ? [
        attribute(RTA_DST, addressBytes(target.to)),
        ...(target.source === undefined
          ? []
          : [attribute(RTA_PREFSRC, addressBytes(target.source))]),
      ]
    : [attribute(RTA_GATEWAY, addressBytes(target.gateway))];
  const what = onLink ? `route add ${target.to}` : `route add default via ${target.gateway}`;
  return request(
    what,
    [RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE],
    [Buffer.from(head), ...rest, attribute(RTA_OIF, number(index))],
  );
}

/** Who has an address, for good: nobody is asked. */
export function addNeighbour(index: number, address: string, mac: string): NetlinkRequest {
  const head = Buffer.alloc(NEIGHBOUR_BYTES);
  head.writeUInt8(AF_INET, 0);
  head.writeInt32LE(index, 4);
  head.writeUInt16LE(NUD_PERMANENT, 8);
  return request(
    `neighbour add ${address}`,
    [RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE],
    [head, attribute(NDA_DST, addressBytes(address)), attribute(NDA_LLADDR, macBytes(mac))],
  );
}

/** The error number in an answer, 0 for none; undefined where it answers something else. */
export function errorIn(answer: Buffer): number | undefined {
  if (answer.length < HEADER_BYTES + 4 || answer.readUInt16LE(4) !== NLMSG_ERROR) return undefined;
  return -answer.readInt32LE(HEADER_BYTES);
}

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_NET_NS_FD = 28;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const TABLE_MAIN = 254;
const PROTOCOL_BOOT = 3;
const SCOPE_UNIVERSE = 0;
const SCOPE_LINK = 253;
const UNICAST = 1;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_PERMANENT = 0x80;
const NEIGHBOUR_BYTES = 12;

function request(
  what: string,
  [type, flags]: readonly [number, number],
  parts: readonly Uint8Array[],
): NetlinkRequest {
  const header = Buffer.alloc(HEADER_BYTES);
  const length = parts.reduce((sum, part) => sum + part.length, HEADER_BYTES);
  header.writeUInt32LE(length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK | flags, 6);
  return { what, bytes: Buffer.concat([header, ...parts]) };
}

/** struct ifinfomsg: which device, and the flags that are to change. */
function device(index: number, flags: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeUInt32LE(flags, 12);
  return bytes;
}

/** struct rtattr, filled up to the next multiple of four. */
function attribute(type: number, value: Uint8Array): Buffer {
  const length = 4 + value.length;
  const bytes = Buffer.alloc((length + 3) & ~3);
  bytes.writeUInt16LE(length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, 4);
  return bytes;
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`);
const addressBytes = (ip: string): Buffer => Buffer.from(ip.split('.').map(Number));
const macBytes = (mac: string): Buffer =>
  Buffer.from(mac.split(':').map((part) => Number.parseInt(part, 16)));

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value, 0);
  return bytes;
}
