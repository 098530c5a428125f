// Picks address ranges for a new cluster that nothing on this host uses.
// Invariant: a picked range overlaps no route and no address that the host had at that moment.
import type { System } from '../system/system.ts';
import { cidrRange, numberToIp } from './layout.ts';

/** The ranges of a cluster. */
export interface ClusterRanges {
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly nodeIp: string;
  readonly dnsIp: string;
}

/** Upstream's customary ranges first, then their neighbours. */
const POD_CANDIDATES = Array.from({ length: 11 }, (_, i) => `10.${244 + i}.0.0/16`);
const SERVICE_CANDIDATES = Array.from({ length: 32 }, (_, i) => `10.${96 + i}.0.0/16`);
/** Offset of DNS' address in the service range; upstream's custom too. */
const DNS_OFFSET = 10;

interface Route {
  readonly dst?: string;
}

/** Ranges free on this host; throws when all candidates are taken. */
export async function pickRanges(system: System): Promise<ClusterRanges> {
  const { stdout } = await system.run('ip', ['-j', '-4', 'route', 'show', 'table', 'all']);
  const taken = (JSON.parse(stdout || '[]') as Route[])
    .map((route) => route.dst ?? 'default')
    .filter((dst) => dst !== 'default' && dst !== '0.0.0.0/0');
  const podCidr = firstFree(POD_CANDIDATES, taken, 'pods');
  const serviceCidr = firstFree(SERVICE_CANDIDATES, taken, 'services');
  return {
    podCidr,
    serviceCidr,
    nodeIp: numberToIp(cidrRange(podCidr).first + 1),
    dnsIp: numberToIp(cidrRange(serviceCidr).first + DNS_OFFSET),
  };
}

/** Do two ranges share an address? */
export function overlaps(a: string, b: string): boolean {
  const [x, y] = [cidrRange(a), cidrRange(b)];
  return x.first < y.first + y.size && y.first < x.first + x.size;
}

function firstFree(candidates: readonly string[], taken: readonly string[], what: string): string {
  const free = candidates.find((range) => !taken.some((used) => overlaps(range, used)));
  if (free === undefined)
    throw new Error(
      `no free address range for ${what}: the host's routes cover all of ${candidates[0]} and its neighbours`,
    );
  return free;
}
