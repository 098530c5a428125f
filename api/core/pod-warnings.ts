// Words of warning about pods and templates of them: what is deprecated, and what can hardly be meant.
// Pure, and cheap: every create of a pod runs it. Wordings are those API clients know. Nothing here refuses anything.
import { gather, gatherMembers } from '../../base/gather.ts';
import { table } from '../../base/table.ts';
import type {
  Affinity,
  Container,
  ContainerPort,
  LocalObjectReference,
  Pod,
  PodAffinityTerm,
  PodSpec,
  PodTemplateSpec,
  TopologySpreadConstraint,
  Volume,
} from '../generated/types.ts';
import { dnsLabel } from '../meta/names.ts';
import { renamedLabel, termWarnings } from '../meta/node-labels.ts';
import { tryParseQuantity } from '../meta/quantity.ts';

/** A word of warning about a workload's name, which names its pods, where it is a subdomain but no label. */
export function podNameWarnings(name: string | undefined): string[] {
  return nameWarnings(name, 'in Pod names and hostnames');
}

function nameWarnings(name: string | undefined, where: string): string[] {
  const why = name === undefined ? undefined : dnsLabel(name);
  if (why === undefined) return [];
  return [
    `metadata.name: this is used ${where}, which can result in surprising ` +
      `behavior; a DNS label is recommended: [${why}]`,
  ];
}

/** What is to be said of a new pod. */
export function podWarnings({ metadata, spec }: Pod): string[] {
  return [
    ...nameWarnings(metadata.name, "in the Pod's hostname"),
    ...warningsOf({ annotations: metadata.annotations, spec, path: '' }),
  ];
}

/** What is to be said of a template of pods at that path, such as `spec.template`; of what makes pods by it, by its name too. */
export function templateWarnings(template: PodTemplateSpec | undefined, path: string): string[] {
  const { metadata, spec } = template ?? {};
  return warningsOf({ annotations: metadata?.annotations, spec, path: `${path}.` });
}

interface Described {
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly spec: PodSpec | undefined;
  /** What stands before `spec` and `metadata`. */
  readonly path: string;
}

function warningsOf({ annotations, spec, path }: Described): string[] {
  const at = `${path}spec`;
  if (spec === undefined) return [];
  return [
    ...gatherMembers(spec.nodeSelector, (key) => {
      const why = renamedLabel(key);
      return why === undefined ? [] : [`${at}.nodeSelector[${key}]: ${why}`];
    }),
    ...affinityWarnings(spec.affinity, `${at}.affinity`),
    ...gather(spec.topologySpreadConstraints, (each, i) =>
      spreadWarnings(each, `${at}.topologySpreadConstraints[${i}]`),
    ),
    ...(annotations ? annotationWarnings(annotations, spec, `${path}metadata.annotations`) : []),
    ...gather(spec.volumes, (volume, i) => volumeWarnings(volume, `${at}.volumes[${i}]`)),
    ...duplicateWarnings(spec, at),
    ...fractions(spec.overhead, `${at}.overhead`),
    ...containerWarnings(spec, at),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [
          `${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
        ]
      : []),
  ];
}

const NO_PODS = 'a null labelSelector results in matching no pod';

function affinityWarnings(affinity: Affinity | undefined, at: string): string[] {
  if (affinity === undefined) return [];
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity;
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
  const unselecting = (term: PodAffinityTerm | undefined, path: string) =>
    term?.labelSelector === undefined ? [`${path}.labelSelector: ${NO_PODS}`] : [];
  const ofPods = (pods: typeof podAffinity, path: string) => [
    ...gather(pods?.[required], (term, i) => unselecting(term, `${path}.${required}[${i}]`)),
    ...gather(pods?.[preferred], ({ podAffinityTerm }, i) =>
      unselecting(podAffinityTerm, `${path}.${preferred}[${i}].podAffinityTerm`),
    ),
  ];
  return [
    ...gather(nodeAffinity?.[required]?.nodeSelectorTerms, (term, i) =>
      termWarnings(term, `${at}.nodeAffinity.${required}.nodeSelectorTerms[${i}]`),
    ),
    ...gather(nodeAffinity?.[preferred], ({ preference }, i) =>
      termWarnings(preference, `${at}.nodeAffinity.${preferred}[${i}].preference`),
    ),
    ...ofPods(podAffinity, `${at}.podAffinity`),
    ...ofPods(podAntiAffinity, `${at}.podAntiAffinity`),
  ];
}

function spreadWarnings(
  { topologyKey, labelSelector }: TopologySpreadConstraint,
  at: string,
): string[] {
  const why = renamedLabel(topologyKey);
  return [
    ...(why === undefined ? [] : [`${at}.topologyKey: ${topologyKey} is ${why}`]),
    ...(labelSelector === undefined ? [`${at}.labelSelector: ${NO_PODS}`] : []),
  ];
}

const SYSCTLS = 'non-functional in v1.11+; use the "sysctls" field instead';
const SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead';
/** Annotations whose field has come, whoever uses that. */
const REPLACED: Readonly<Record<string, string>> = table({
  'scheduler.alpha.kubernetes.io/critical-pod':
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': SYSCTLS,
  'security.alpha.kubernetes.io/unsafe-sysctls': SYSCTLS,
});

function annotationWarnings(
  annotations: Readonly<Record<string, string>>,
  spec: PodSpec,
  at: string,
): string[] {
  const { seccompProfile, appArmorProfile } = spec.securityContext ?? {};
  const said = (key: string, why: string) =>
    Object.hasOwn(annotations, key) ? [`${at}[${key}]: ${why}`] : [];
  return [
    ...gatherMembers(REPLACED, said),
    ...(seccompProfile ? [] : said('seccomp.security.alpha.kubernetes.io/pod', SECCOMP)),
    ...gather(allContainers(spec), ({ name, securityContext }) => [
      ...(securityContext?.seccompProfile
        ? []
        : said(`container.seccomp.security.alpha.kubernetes.io/${name}`, SECCOMP)),
      ...(appArmorProfile || securityContext?.appArmorProfile
        ? []
        : said(
            `container.apparmor.security.beta.kubernetes.io/${name}`,
            'deprecated since v1.30; use the "appArmorProfile" field instead',
          )),
    ]),
  ];
}

const allContainers = (spec: PodSpec): readonly Container[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
];

/** Kinds of volume that went, with when. */
const GONE_VOLUMES = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'deprecated in v1.11',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
} as const;

/** What is to be said of a volume of a pod, or of a persistent one, for the driver that it names. */
export function volumeWarnings(volume: Omit<Volume, 'name'>, at: string): string[] {
  return gatherMembers(GONE_VOLUMES, (kind, why) =>
    volume[kind as keyof typeof volume] === undefined ? [] : [`${at}.${kind}: ${why}`],
  );
}

function duplicateWarnings({ hostAliases = [], imagePullSecrets = [] }: PodSpec, at: string) {
  const names = imagePullSecrets.map(({ name = '' }: LocalObjectReference) => name);
  return [
    ...repeated(hostAliases.map(({ ip }) => ip)).map(
      ([i, ip]) => `${at}.hostAliases[${i}].ip: duplicate ip ${JSON.stringify(ip)}`,
    ),
    ...repeated(names).map(
      ([i, name]) => `${at}.imagePullSecrets[${i}].name: duplicate name ${JSON.stringify(name)}`,
    ),
    ...gather(names, (name, i) =>
      name === '' ? [`${at}.imagePullSecrets[${i}].name: invalid empty name ""`] : [],
    ),
  ];
}

/** The places where a value comes again. */
function repeated(values: readonly string[]): [index: number, value: string][] {
  if (values.length < 2) return [];
  const seen = new Set<string>();
  return gather(values, (value, i): [number, string][] => {
    if (seen.has(value)) return [[i, value]];
    seen.add(value);
    return [];
  });
}

function containerWarnings(spec: PodSpec, at: string): string[] {
  const placed = [
    ...(spec.initContainers ?? []).map((each, i) => [each, `${at}.initContainers[${i}]`] as const),
    ...(spec.containers ?? []).map((each, i) => [each, `${at}.containers[${i}]`] as const),
  ];
  const ports: PlacedPort[] = [];
  return [
    ...gather(placed, ([{ resources, env }, path]) => [
      ...fractions(resources?.limits, `${path}.resources.limits`),
      ...fractions(resources?.requests, `${path}.resources.requests`),
      ...(env && env.length > 1 ? hiddenVariables(env, `${path}.env`) : []),
    ]),
    ...gather(placed, ([each, path]) => portWarnings(each.ports ?? [], `${path}.ports`, ports)),
  ];
}

const BYTES = ['memory', 'ephemeral-storage'];
const NANOS_PER_UNIT = 1_000_000_000n;

/** Parts of a byte that were asked for: most likely `m` was meant for `M`. */
export function fractions(
  amounts: Readonly<Record<string, string>> | undefined,
  at: string,
  names: readonly string[] = BYTES,
): string[] {
  if (amounts === undefined) return [];
  return gather(names, (name) => {
    const amount = amounts[name];
    const quantity = amount === undefined ? undefined : tryParseQuantity(amount);
    if (quantity === undefined || quantity.nanos % NANOS_PER_UNIT === 0n) return [];
    return [`${at}[${name}]: fractional byte value "${amount}" is invalid, must be an integer`];
  });
}

/** Variables that come again without building on their former value: patches and applies merge them by name. */
function hiddenVariables(env: NonNullable<Container['env']>, at: string): string[] {
  return gather(repeated(env.map(({ name }) => name)), ([i, name]) => {
    const { value = '', valueFrom } = env[i] ?? {};
    const former = `$(${name})`;
    const builds = valueFrom === undefined && value !== former && value.includes(former);
    if (builds) return [];
    const what = `hides previous definition of ${JSON.stringify(name)}`;
    return [`${at}[${i}]: ${what}, which may be dropped when using apply`];
  });
}

interface PlacedPort {
  readonly port: ContainerPort;
  readonly path: string;
}

/** Ports that the pod has already, in any of its containers; `known` gathers them. */
function portWarnings(ports: readonly ContainerPort[], at: string, known: PlacedPort[]): string[] {
  return gather(ports, (port, i) => {
    const path = `${at}[${i}]`;
    const others = known.filter((other) => isSame(other.port, port));
    known.push({ port, path });
    return gather(others, (other) => {
      const how = likeness(other.port, port);
      return how === undefined ? [] : [`${path}: ${how} port definition with ${other.path}`];
    });
  });
}

const isSame = (a: ContainerPort, b: ContainerPort) =>
  a.containerPort === b.containerPort && (a.protocol ?? 'TCP') === (b.protocol ?? 'TCP');

function likeness(a: ContainerPort, b: ContainerPort): 'duplicate' | 'overlapping' | undefined {
  const [onHost, other] = [a.hostPort ?? 0, b.hostPort ?? 0];
  const [address, otherAddress] = [a.hostIP ?? '', b.hostIP ?? ''];
  if (onHost === other && address === otherAddress) return 'duplicate';
  if (onHost === 0 || other === 0) return 'overlapping';
  return onHost === other && (address === '' || otherAddress === '') ? 'overlapping' : undefined;
}
