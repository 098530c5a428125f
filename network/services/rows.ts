// From Services and EndpointSlices to rows of the nftables maps. Pure.
// Invariant: the rows of a Service depend on that Service and its slices alone, so one change touches only its own rows.
import type { Endpoint, EndpointSlice, Service, ServiceSpec } from '../../api/generated/types.ts';

/** Where a connection may end. */
export interface Backend {
  readonly ip: string;
  readonly port: number;
}

/** One front: an address and port (or a node port, `ip` left out) and the backends behind it. */
export interface Front {
  readonly ip: string | undefined;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly backends: readonly Backend[];
  /** A pod asks for this port of its node: there is one backend, and Services with the same node port go before it. */
  readonly ofHost?: true;
  /** A client keeps its backend for this long after its last connection; left out where each connection is drawn anew. */
  readonly affinitySeconds?: number;
}

/** Label that ties a slice to its Service. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

const NONE: ReadonlySet<string> = new Set();

/**
 * The fronts of a Service that has addresses; none for headless and ExternalName ones. `suspended`: addresses that this
 * node knows to be dead before the slices say so.
 */
export function frontsOf(
  service: Service,
  slices: readonly EndpointSlice[],
  suspended: ReadonlySet<string> = NONE,
): Front[] {
  const spec = service.spec;
  if (!spec || spec.type === 'ExternalName') return [];
  const addresses = [spec.clusterIP, ...(spec.externalIPs ?? [])].filter(
    (ip): ip is string => ip !== undefined && ip !== '' && ip !== 'None' && !ip.includes(':'),
  );
  const affinity = affinityOf(spec);
  const fronts: Front[] = [];
  for (const port of spec.ports ?? []) {
    const protocol = (port.protocol ?? 'TCP').toLowerCase();
    if (protocol !== 'tcp' && protocol !== 'udp') continue;
    const backends = backendsOf(slices, { name: port.name ?? '', protocol }).filter(
      (backend) => !suspended.has(backend.ip),
    );
    const shared = { protocol, backends, ...affinity } as const;
    for (const ip of addresses) fronts.push({ ...shared, ip, port: port.port });
    if (port.nodePort) fronts.push({ ...shared, ip: undefined, port: port.nodePort });
  }
  return fronts;
}

/** As upstream's default: three hours. */
const DEFAULT_AFFINITY_SECONDS = 10_800;

function affinityOf(spec: ServiceSpec): { affinitySeconds?: number } {
  if (spec.sessionAffinity !== 'ClientIP') return {};
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  return { affinitySeconds: seconds ?? DEFAULT_AFFINITY_SECONDS };
}

/** Ready backends of a port; where none is ready, those that still serve while they end (KEP-1669). */
function backendsOf(
  slices: readonly EndpointSlice[],
  port: { name: string; protocol: string },
): Backend[] {
  const ready = new Map<string, Backend>();
  const ending = new Map<string, Backend>();
  for (const slice of slices) {
    const number = portNumber(slice, port);
    if (number === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const group = { ready, ending, none: undefined }[stateOf(endpoint)];
      for (const ip of endpoint.addresses) group?.set(ip, { ip, port: number });
    }
  }
  const chosen = ready.size > 0 ? ready : ending;
  return [...chosen.values()].sort((a, b) => (a.ip < b.ip ? -1 : 1));
}

function portNumber(
  slice: EndpointSlice,
  port: { name: string; protocol: string },
): number | undefined {
  if (slice.addressType !== 'IPv4') return undefined;
  return slice.ports?.find(
    (p) => (p.name ?? '') === port.name && (p.protocol ?? 'TCP').toLowerCase() === port.protocol,
  )?.port;
}

/** Is the address a ready endpoint of the slice? */
export function isReadyIn(slice: EndpointSlice, ip: string): boolean {
  return (slice.endpoints ?? []).some(
    (endpoint) => endpoint.addresses.includes(ip) && stateOf(endpoint) === 'ready',
  );
}

function stateOf(endpoint: Endpoint): 'ready' | 'ending' | 'none' {
  const { ready = true, serving = ready, terminating = false } = endpoint.conditions ?? {};
  if (ready) return 'ready';
  return serving && terminating ? 'ending' : 'none';
}
