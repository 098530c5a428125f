// Fields of a pod that containers may see: as environment variables (fieldRef) and as files (downwardAPI).
// Pure. The list of fields is upstream's.
import type { Container, Pod } from '../../api/generated/types.ts';
import { parseQuantity } from '../../api/meta/quantity.ts';

/** What is known of the pod besides its object. */
export interface PodFacts {
  readonly podIp: string;
  readonly hostIp: string;
  readonly nodeName: string;
  /** Stand in for limits that are not set. */
  readonly allocatable: { readonly cpuMillis: number; readonly memoryBytes: number };
}

/** The value of a field path; undefined when it is none that may be used. */
export function podField(pod: Pod, path: string, facts: PodFacts): string | undefined {
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (subscript)
    return pod.metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2] ?? ''] ?? '';
  const fields: Readonly<Record<string, () => string>> = {
    'metadata.name': () => pod.metadata.name ?? '',
    'metadata.namespace': () => pod.metadata.namespace ?? '',
    'metadata.uid': () => pod.metadata.uid ?? '',
    'metadata.labels': () => lines(pod.metadata.labels),
    'metadata.annotations': () => lines(pod.metadata.annotations),
    'spec.nodeName': () => facts.nodeName,
    'spec.serviceAccountName': () => pod.spec?.serviceAccountName ?? '',
    'status.hostIP': () => facts.hostIp,
    'status.hostIPs': () => facts.hostIp,
    'status.podIP': () => facts.podIp,
    'status.podIPs': () => facts.podIp,
  };
  return fields[path]?.();
}

function lines(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/** The value of a resource such as `limits.cpu` of a container, in units of `divisor`, rounded up. */
export function resourceField(
  container: Container,
  field: { resource: string; divisor: string | undefined },
  facts: PodFacts,
): string {
  const [side, name = ''] = field.resource.split('.');
  const { requests, limits } = container.resources ?? {};
  const written = side === 'requests' ? requests?.[name] : limits?.[name];
  const fallback =
    name === 'cpu' ? `${facts.allocatable.cpuMillis}m` : String(facts.allocatable.memoryBytes);
  const quantity = written ?? (side === 'limits' ? fallback : '0');
  const divisor = field.divisor === undefined || field.divisor === '0' ? '1' : field.divisor;
  const [amount, unit] = [parseQuantity(quantity).nanos, parseQuantity(divisor).nanos];
  return String((amount + unit - 1n) / unit);
}
