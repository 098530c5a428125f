// Fields of a pod that containers may see: as environment variables (fieldRef) and as files (downwardAPI).
// Pure. The list of fields is upstream's.
import type { Container, EnvVarSource, Pod } from '../../api/generated/types.ts';
import { parseQuantity } from '../../api/meta/quantity.ts';

/** What is known of the pod besides its object. */
export interface PodFacts {
  readonly podIp: string;
  readonly hostIp: string;
  readonly nodeName: string;
  /** What the node has for pods: stands in for limits that are not set. */
  readonly allocatable: {
    readonly cpuMillis: number;
    readonly memoryBytes: number;
    readonly storageBytes: number;
  };
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

/** Which resource of which container, and in what units. */
type ResourceRef = NonNullable<EnvVarSource['resourceFieldRef']>;

/**
 * The value of a resource such as `limits.cpu` of a container, in units of the divisor, rounded up; undefined where the pod has no
 * container of that name. One that names none is about `own`.
 */
export function resourceField(
  { containerName, resource, divisor }: ResourceRef,
  { pod, facts, own }: { readonly pod: Pod; readonly facts: PodFacts; readonly own?: Container },
): string | undefined {
  const container = containerName ? containerOf(pod, containerName) : own;
  if (!container) return undefined;
  const [side, name = ''] = resource.split('.');
  const { requests, limits } = container.resources ?? {};
  const quantity =
    side === 'requests' ? (requests?.[name] ?? '0') : limitOf(limits?.[name], name, { pod, facts });
  const unit = parseQuantity(isZero(divisor) ? '1' : (divisor ?? '1')).nanos;
  return String((parseQuantity(quantity).nanos + unit - 1n) / unit);
}

function containerOf({ spec }: Pod, name: string): Container | undefined {
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return all.find((each) => each.name === name);
}

/** Without a limit of its own a container may use what its pod may, or what the node has for pods; huge pages are never lent. */
function limitOf(
  own: string | undefined,
  name: string,
  { pod, facts: { allocatable } }: { readonly pod: Pod; readonly facts: PodFacts },
): string {
  if (own !== undefined && !isZero(own)) return own;
  const ofPod = pod.spec?.resources?.limits?.[name];
  const isShared = name === 'cpu' || name === 'memory';
  if (isShared && ofPod !== undefined && !isZero(ofPod)) return ofPod;
  if (name === 'cpu') return `${allocatable.cpuMillis}m`;
  if (name === 'memory') return String(allocatable.memoryBytes);
  return name === 'ephemeral-storage' ? String(allocatable.storageBytes) : '0';
}

const isZero = (quantity: string | undefined): boolean =>
  quantity === undefined || parseQuantity(quantity).nanos === 0n;
