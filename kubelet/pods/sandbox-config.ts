// A pod's sandbox: its names, its resolv.conf and hosts file, its limits as a whole. Pure.
import type { Pod, PodSpec } from '../../api/generated/types.ts';
import { RuntimeError, type SandboxConfig } from '../runtime/runtime.ts';
import { sandboxResources } from './container-config.ts';

/** What a sandbox is made from besides the pod. */
export interface SandboxFacts {
  readonly attempt: number;
  readonly netnsPath: string | undefined;
  readonly podIp: string;
  /** The pod's own users, where its network has them. */
  readonly users?: SandboxConfig['userNamespace'] | undefined;
  readonly nodeName: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  /** The host's own, for pods that ask for it. */
  readonly hostResolvConf: string;
  readonly hostHosts: string;
  /** How many processes the pod may have; no limit unless given. */
  readonly pidsLimit?: number | undefined;
}

/** Longest host name as a DNS label, and as Linux takes it. */
const MAX_HOSTNAME = 63;
const MAX_FULL_NAME = 64;

/** What the runtime is told. */
export function sandboxConfigOf(pod: Pod, facts: SandboxFacts): SandboxConfig {
  const spec = pod.spec as PodSpec;
  const hostNetwork = spec.hostNetwork ?? false;
  const sysctls = spec.securityContext?.sysctls ?? [];
  return {
    podUid: pod.metadata.uid ?? '',
    namespace: pod.metadata.namespace ?? '',
    name: pod.metadata.name ?? '',
    hostname: hostNetwork ? facts.nodeName : hostnameOf(pod, facts.clusterDomain),
    attempt: facts.attempt,
    labels: pod.metadata.labels ?? {},
    hostNetwork,
    hostPid: spec.hostPID ?? false,
    hostIpc: spec.hostIPC ?? false,
    ...(spec.shareProcessNamespace && { shareProcessNamespace: true }),
    ...userNamespaceOf(spec, facts),
    privileged: isPrivileged(spec),
    netnsPath: facts.netnsPath,
    resolvConf: resolvConf(pod, facts),
    hosts: hostsFile(pod, facts),
    sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [sysctlName(name), value])),
    resources: {
      ...sandboxResources(spec),
      ...(facts.pidsLimit && { pidsLimit: facts.pidsLimit }),
    },
  };
}

/** Ephemeral containers come later: where one is privileged and no other is, such a runtime refuses it. */
function isPrivileged({ containers, initContainers = [] }: PodSpec): boolean {
  return [...containers, ...initContainers].some((each) => each.securityContext?.privileged);
}

function userNamespaceOf({ hostUsers }: PodSpec, { users }: SandboxFacts) {
  if (hostUsers !== false) return {};
  if (users) return { userNamespace: users };
  const why = 'hostUsers: false needs a network of the pod’s own, whose users it can be given';
  throw new RuntimeError('CreatePodSandboxError', why);
}

/** What the kernel calls a setting; people may write its path with slashes (sysctl.d(5)). */
export function sysctlName(name: string): string {
  const [first] = /[./]/.exec(name) ?? [];
  const swapped: Readonly<Record<string, string>> = { '/': '.', '.': '/' };
  return first === '/' ? name.replace(/[./]/g, (separator) => swapped[separator] ?? '') : name;
}

/** The pod's host name: its own, or its name cut to what a DNS label takes. */
function shortNameOf(pod: Pod): string {
  const name = pod.spec?.hostname || (pod.metadata.name ?? '');
  return name.slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '');
}

/** The pod's name in DNS; undefined for one without a subdomain. */
function fullNameOf(pod: Pod, clusterDomain: string): string | undefined {
  const { subdomain, hostnameOverride } = pod.spec as PodSpec;
  if (!subdomain || hostnameOverride) return undefined;
  return `${shortNameOf(pod)}.${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`;
}

/** What the pod's containers are told that their host is called. Throws RuntimeError for a name that Linux does not take. */
export function hostnameOf(pod: Pod, clusterDomain: string): string {
  const { hostnameOverride, setHostnameAsFQDN } = pod.spec as PodSpec;
  if (hostnameOverride) return hostnameOverride;
  const full = setHostnameAsFQDN ? fullNameOf(pod, clusterDomain) : undefined;
  if (full !== undefined && full.length > MAX_FULL_NAME)
    throw new RuntimeError(
      'CreatePodSandboxError',
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long (${MAX_FULL_NAME} characters is the max, ${full.length} characters requested)`,
    );
  return full ?? shortNameOf(pod);
}

/** Search domains and options as upstream's dnsPolicy says. */
export function resolvConf(pod: Pod, facts: SandboxFacts): string {
  const { dnsPolicy = 'ClusterFirst', hostNetwork, dnsConfig } = pod.spec as PodSpec;
  const cluster =
    dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork);
  const { clusterDomain: domain } = facts;
  const base = cluster
    ? {
        nameservers: [facts.clusterDns],
        searches: [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain],
        options: ['ndots:5'],
      }
    : dnsPolicy === 'None'
      ? { nameservers: [], searches: [], options: [] }
      : parseResolvConf(facts.hostResolvConf);
  const own = (dnsConfig?.options ?? []).map(({ name = '', value }) =>
    value === undefined ? name : `${name}:${value}`,
  );
  const named = new Set(own.map(optionName));
  const searches = unique([...base.searches, ...(dnsConfig?.searches ?? [])]);
  const options = [...base.options.filter((option) => !named.has(optionName(option))), ...own];
  const lines = unique([...base.nameservers, ...(dnsConfig?.nameservers ?? [])]).map(
    (address) => `nameserver ${address}`,
  );
  if (searches.length > 0) lines.push(`search ${searches.join(' ')}`);
  if (options.length > 0) lines.push(`options ${options.join(' ')}`);
  return `${lines.join('\n')}\n`;
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];
const optionName = (option: string): string => option.split(':')[0] ?? option;

function parseResolvConf(text: string): {
  nameservers: string[];
  searches: string[];
  options: string[];
} {
  const words = text
    .split('\n')
    .map((line) =>
      line
        .replace(/[#;].*/, '')
        .trim()
        .split(/\s+/),
    )
    .filter((line) => line.length > 1);
  const all = (key: string) =>
    words.filter(([first]) => first === key).map((line) => line.slice(1));
  return {
    nameservers: all('nameserver').flat(),
    // The last search line counts, as resolvers have it.
    searches: all('search').at(-1) ?? [],
    options: all('options').flat(),
  };
}

function hostsFile(pod: Pod, facts: SandboxFacts): string {
  const spec = pod.spec as PodSpec;
  const aliases = (spec.hostAliases ?? []).map(
    ({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join('\t')}`,
  );
  if (spec.hostNetwork) return [facts.hostHosts.trimEnd(), ...aliases, ''].join('\n');
  const short = spec.hostnameOverride ?? shortNameOf(pod);
  const full = fullNameOf(pod, facts.clusterDomain);
  const names = full === undefined ? short : `${full}\t${short}`;
  return [
    '# Written by the node agent; changes are lost with the pod.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    `${facts.podIp}\t${names}`,
    ...aliases,
    '',
  ].join('\n');
}
