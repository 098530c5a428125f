// From pods that ask for ports of their node to rows of the nftables maps. Pure.
// Invariant: a port of an address leads to one pod, the first that was there; the scheduler and the node's admission see to it
// that there is no second one but for a moment.
import type { ContainerPort, Pod } from '../../api/generated/types.ts';
import type { Front } from './rows.ts';

/** Does the pod ask for a port of its node that has to be led to it? Those in the node's own network have their ports anyway. */
export function asksForHostPorts({ spec }: Pod): boolean {
  if (!spec || spec.hostNetwork) return false;
  return portsOf(spec).some(({ hostPort }) => hostPort !== undefined && hostPort > 0);
}

/** The fronts of pods that live and have an address, each of them for a port of the node. */
export function hostPortFronts(pods: readonly Pod[]): Front[] {
  const fronts = new Map<string, Front>();
  for (const pod of pods.toSorted(byAge)) {
    const { phase, podIP } = pod.status ?? {};
    if (!pod.spec || !podIP || phase === 'Succeeded' || phase === 'Failed') continue;
    for (const port of portsOf(pod.spec)) {
      const front = frontOf(port, podIP);
      if (!front) continue;
      const key = `${front.ip ?? ''} ${front.protocol} ${front.port}`;
      if (!fronts.has(key)) fronts.set(key, front);
    }
  }
  return [...fronts.values()];
}

/** Undefined for ports that are not asked for, and for what this network does not carry. */
function frontOf(
  { hostIP, hostPort, containerPort, protocol = 'TCP' }: ContainerPort,
  podIp: string,
): Front | undefined {
  const transport = protocol.toLowerCase();
  const carried = transport === 'tcp' || transport === 'udp';
  if (!hostPort || !carried || hostIP?.includes(':')) return undefined;
  return {
    ip: !hostIP || hostIP === '0.0.0.0' ? undefined : hostIP,
    ofHost: true,
    protocol: transport,
    port: hostPort,
    backends: [{ ip: podIp, port: containerPort }],
  };
}

function portsOf({ containers, initContainers = [] }: NonNullable<Pod['spec']>) {
  return [...containers, ...initContainers].flatMap(({ ports = [] }) => ports);
}

function byAge(a: Pod, b: Pod): number {
  const age =
    Date.parse(a.metadata.creationTimestamp ?? '') - Date.parse(b.metadata.creationTimestamp ?? '');
  if (age !== 0 && !Number.isNaN(age)) return age;
  return (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1;
}
