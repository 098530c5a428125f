// A cluster's fixed facts: made at first start, read at each later one.
// Invariant: ranges and ids are picked once; only the API server's port may be asked for anew.
import { hostname } from 'node:os';
import type { Random } from '../../base/random.ts';
import type { System } from '../../system/system.ts';
import { cidrRange, type NetworkLayout, numberToIp } from '../../network/layout.ts';
import { pickRanges } from '../../network/ranges.ts';
import { type ClusterFacts, type DataPaths, readFacts, writeFacts } from './data-directory.ts';
import { freePort } from './ports.ts';

/** Upstream's customary ports. */
const DEFAULT_PORT = 6443;
/** Where the node's own name server listens, behind the Service address. */
export const DNS_PORT = 10_053;
/** Name that the API server is reached by from its own host. */
export const API_HOST = '127.0.0.1';
/** Domain of Services' names. */
export const CLUSTER_DOMAIN = 'cluster.local';

/** What a start may ask of a cluster. */
export interface AskedFacts {
  /** 0 for any free one in this run, undefined for the one asked for last. */
  readonly port: number | undefined;
  /** Undefined for that of last time; empty for none. */
  readonly containerRuntimeEndpoint?: string | undefined;
}

/** Reads the facts or makes them, and settles what was asked. */
export async function settleFacts(
  paths: DataPaths,
  doors: { system: System; random: Random },
  { port, containerRuntimeEndpoint: asked }: AskedFacts,
): Promise<ClusterFacts> {
  const known = readFacts(paths);
  const remembered = known?.portPicked ? undefined : known?.port;
  const wanted = port ?? remembered ?? DEFAULT_PORT;
  const settled = await freePort(API_HOST, wanted, '--port');
  const fixed = known ?? (await newFacts(doors, settled));
  const { containerRuntimeEndpoint: before, ...rest } = fixed;
  const endpoint = asked ?? before;
  const facts = {
    ...rest,
    port: settled,
    portPicked: wanted === 0,
    ...(endpoint && { containerRuntimeEndpoint: endpoint }),
  };
  writeFacts(paths, facts);
  return facts;
}

async function newFacts(
  doors: { system: System; random: Random },
  port: number,
): Promise<ClusterFacts> {
  const ranges = await pickRanges(doors.system);
  return {
    id: doors.random.uuid().slice(0, 6),
    ...ranges,
    nodeName: nodeNameOf(hostname()),
    port,
    kubeletPort: 10_250,
  };
}

/** A node's name is a DNS subdomain: lower case, and nothing else than letters, digits, dots and dashes. */
function nodeNameOf(host: string): string {
  const name = host
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return name === '' ? 'node' : name;
}

/** The network of the first node. */
export function layoutOf(facts: ClusterFacts): NetworkLayout {
  return {
    clusterId: facts.id,
    podCidr: facts.podCidr,
    nodePodCidr: `${numberToIp(cidrRange(facts.podCidr).first)}/24`,
    serviceCidr: facts.serviceCidr,
    nodeIp: facts.nodeIp,
    dnsIp: facts.dnsIp,
    dnsPort: DNS_PORT,
  };
}

/** The first address of the Service range: the API server's own. */
export function apiServiceIp(facts: ClusterFacts): string {
  return numberToIp(cidrRange(facts.serviceCidr).first + 1);
}

/** The URL of the API server from its own host. */
export function serverUrl(facts: ClusterFacts): string {
  return `https://${API_HOST}:${facts.port}`;
}
