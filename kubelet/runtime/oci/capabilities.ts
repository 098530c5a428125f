// Linux capabilities: their names, the set that containers get, and what this process may hand out. Pure.
// Numbers from capabilities(7) and linux/capability.h.
import { RuntimeError } from '../runtime.ts';

/** Names in the order of their numbers. */
export const CAPABILITY_NAMES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const;

/** What a container's root may do unless its security context says otherwise: the set that container engines agree on. */
const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SYS_CHROOT',
  'CAP_MKNOD',
  'CAP_AUDIT_WRITE',
  'CAP_SETFCAP',
];

/** Names of the bits of a line such as `CapBnd: 000001ffffffffff` in /proc/PID/status. */
export function capabilitiesOf(status: string, field: 'CapBnd' | 'CapEff'): ReadonlySet<string> {
  const hex = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
  const bits = BigInt(`0x${hex}`);
  return new Set(CAPABILITY_NAMES.filter((_, number) => ((bits >> BigInt(number)) & 1n) === 1n));
}

/**
 * What a container gets, cut to what may be handed out: asking for more makes the start fail. Throws RuntimeError for one that it
 * names and this host does not give; a name that no kernel has is passed over, as runc does.
 */
export function containerCapabilities(
  wanted: { privileged: boolean; add: readonly string[]; drop: readonly string[] },
  available: ReadonlySet<string>,
): readonly string[] {
  if (wanted.privileged) return CAPABILITY_NAMES.filter((name) => available.has(name));
  const add = wanted.add.map(fullName);
  const missing = add.find((name) => isKnown(name) && !available.has(name));
  if (missing !== undefined)
    throw new RuntimeError(
      'CreateContainerError',
      `capability ${missing} cannot be given on this host, as the node agent does not have it itself; leave it out of securityContext.capabilities.add`,
    );
  const drop = wanted.drop.map(fullName);
  const granted = new Set<string>(drop.includes('CAP_ALL') ? [] : DEFAULT_CAPABILITIES);
  if (add.includes('CAP_ALL')) CAPABILITY_NAMES.forEach((name) => granted.add(name));
  for (const name of drop) if (!add.includes(name)) granted.delete(name);
  for (const name of add) granted.add(name);
  return CAPABILITY_NAMES.filter((name) => granted.has(name) && available.has(name));
}

const isKnown = (name: string): boolean => (CAPABILITY_NAMES as readonly string[]).includes(name);

function fullName(name: string): string {
  const upper = name.toUpperCase();
  return upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
}
