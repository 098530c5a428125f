// Which sysctls a pod may set (Kubernetes docs: Using sysctls in a Kubernetes Cluster). Pure.
// Invariant: one that the kernel does not keep apart for each namespace is never set.

/** Kept apart by the kernel, and harmless to others: allowed without being asked. */
const SAFE = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
];

/** A pod as far as it matters here. */
export interface SysctlPod {
  readonly sysctls: readonly string[];
  readonly hostNetwork: boolean;
  readonly hostIpc: boolean;
}

/** What is wrong with the pod's sysctls; undefined when nothing is. `allowed` are those of the node's owner. */
export function sysctlProblem(pod: SysctlPod, allowed: readonly string[]): string | undefined {
  for (const asked of pod.sysctls) {
    const name = withDots(asked);
    const space = namespaceOf(name);
    if (!space || ![...SAFE, ...allowed.map(withDots)].some((each) => covers(each, name)))
      return `forbidden sysctl: "${name}" not allowlisted`;
    if ((space === 'ipc' && pod.hostIpc) || (space === 'net' && pod.hostNetwork))
      return `forbidden sysctl: "${name}" not allowed with host ${space} enabled`;
  }
  return undefined;
}

const covers = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

function namespaceOf(name: string): 'ipc' | 'net' | undefined {
  if (/^(kernel\.(shm|msg)|kernel\.sem$|fs\.mqueue\.)/.test(name)) return 'ipc';
  return name.startsWith('net.') ? 'net' : undefined;
}

/** A name may be written with slashes, and then a dot is one of its parts' own. */
function withDots(name: string): string {
  const separator = name.search(/[./]/);
  if (separator < 0 || name[separator] === '.') return name;
  return name.replace(/[./]/g, (each) => (each === '/' ? '.' : '/'));
}
