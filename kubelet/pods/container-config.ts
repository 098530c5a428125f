// From a container of a pod to what the runtime is told: mounts, environment, limits, security.
// Invariant: what a container says itself counts more than what its pod says.
import type { Container, Pod, PodSpec } from '../../api/generated/types.ts';
import { parseQuantity } from '../../api/meta/quantity.ts';
import { podLimits, podRequests, qosClassOf } from '../../api/meta/pod-resources.ts';
import type {
  ContainerConfig,
  ContainerDevice,
  ContainerMount,
  LinuxResources,
} from '../runtime/runtime.ts';
import type { ContainerAdditions } from '../extensions/node-extension.ts';
import type { KubeletConfiguration } from '../configuration.ts';
import { rotationLimits } from '../logs/pod-logs.ts';
import { ConfigError } from '../volumes/volume-error.ts';
import { type SecurityFacts, securityOf } from './container-security.ts';
import { expand } from './environment.ts';

/** What a container's configuration is made from. */
export interface ContainerFacts extends SecurityFacts {
  readonly pod: Pod;
  readonly attempt: number;
  readonly imageId: string;
  readonly env: readonly { name: string; value: string }[];
  /** Host paths of the pod's volumes by name. */
  readonly volumes: ReadonlyMap<string, string>;
  /** Ids of images by the volume that shows them; none unless given. */
  readonly imageVolumes?: ReadonlyMap<string, string>;
  /** A part of a volume as a host path of its own; throws ConfigError when it leads out of the volume. */
  subPath(root: string, inside: string, index: number): string;
  readonly logPath: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly nodeMemoryBytes: number;
  /** What extensions of the node give the container. */
  readonly additions?: ContainerAdditions | undefined;
  readonly configuration: Pick<
    KubeletConfiguration,
    'containerLogMaxFiles' | 'containerLogMaxSize' | 'seccompDefault'
  >;
  /** The runtime can make mounts read-only with all below them. */
  readonly recursiveReadOnly?: boolean;
  /** Id of the container that an ephemeral one looks into. */
  readonly targetId?: string | undefined;
}

/** What limits depend on besides the container. */
type SizeFacts = Pick<ContainerFacts, 'pod' | 'nodeMemoryBytes'>;

const CPU_PERIOD_US = 100_000;
const MIN_SHARES = 2;
/** The least quota the kernel takes. */
const MIN_QUOTA_US = 1_000;
const NANOS_PER_MILLI = 1_000_000n;

/** The configuration of one container. Throws ConfigError. */
export function containerConfigOf(container: Container, facts: ContainerFacts): ContainerConfig {
  const values = new Map(facts.env.map(({ name, value }) => [name, value]));
  const expanded = (texts: readonly string[] | undefined) =>
    (texts ?? []).map((text) => expand(text, values));
  return {
    name: container.name,
    attempt: facts.attempt,
    imageId: facts.imageId,
    command: expanded(container.command),
    args: expanded(container.args),
    workingDir: container.workingDir ?? '',
    env: [...missingFrom(values, facts.additions?.env), ...facts.env],
    mounts: [...mountsOf(container, facts, values), ...(facts.additions?.mounts ?? [])],
    devices: [...volumeDevicesOf(container, facts), ...(facts.additions?.devices ?? [])],
    resources: { ...containerResources(container, facts), ...placeOf(facts.additions) },
    security: securityOf(container, facts.pod.spec as PodSpec, facts),
    ...(facts.targetId && { targetId: facts.targetId }),
    tty: container.tty ?? false,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    ...(container.lifecycle?.stopSignal && { stopSignal: container.lifecycle.stopSignal }),
    logPath: facts.logPath,
    logMaxBytes: logBound(facts.configuration),
    annotations: {
      ...facts.annotations,
      terminationMessagePath: container.terminationMessagePath ?? '/dev/termination-log',
      terminationMessagePolicy: container.terminationMessagePolicy ?? 'File',
    },
  };
}

/** Volumes that are block devices, as devices; to be read alone where their claim is taken that way. */
function volumeDevicesOf({ volumeDevices = [] }: Container, facts: ContainerFacts) {
  return volumeDevices.map(({ name, devicePath }): ContainerDevice => {
    const hostPath = facts.volumes.get(name);
    if (hostPath === undefined)
      throw new ConfigError('CreateContainerConfigError', `volume "${name}" is no device`);
    const permissions = isReadOnly(facts.pod, name) ? 'r' : 'rwm';
    return { hostPath, containerPath: devicePath, permissions };
  });
}

/** What a container says of itself counts more than what it is given. */
const missingFrom = (own: ReadonlyMap<string, string>, given: ContainerAdditions['env'] = []) =>
  given.filter(({ name }) => !own.has(name));

/** Where it runs, and whose memory it has. */
const placeOf = ({ cpus, memoryNodes }: ContainerAdditions = {}): LinuxResources => ({
  ...(cpus !== undefined && { cpusetCpus: cpus }),
  ...(memoryNodes !== undefined && { cpusetMems: memoryNodes }),
});

type VolumeMount = NonNullable<Container['volumeMounts']>[number];

/** `IfPossible` asks for it where the runtime has it; `Enabled` in any case, and it refuses. */
function isRecursive({ recursiveReadOnly: asked }: VolumeMount, facts: ContainerFacts): boolean {
  return asked === 'Enabled' || (asked === 'IfPossible' && facts.recursiveReadOnly === true);
}

/** May nobody write to it, whatever the mount says? Its content is the API's, or its claim is taken that way. */
function isReadOnly({ spec }: Pod, name: string): boolean {
  const volume = spec?.volumes?.find((each) => each.name === name);
  const { configMap, secret, projected, downwardAPI, persistentVolumeClaim } = volume ?? {};
  const isConfiguration = [configMap, secret, projected, downwardAPI].some(
    (source) => source !== undefined,
  );
  return isConfiguration || persistentVolumeClaim?.readOnly === true;
}

/** As much as a log and those that were put aside of it may take together. */
function logBound(configuration: ContainerFacts['configuration']): number {
  const { maxBytes, maxFiles } = rotationLimits(configuration);
  return maxBytes * maxFiles;
}

function mountsOf(
  container: Container,
  facts: ContainerFacts,
  values: ReadonlyMap<string, string>,
): ContainerMount[] {
  return (container.volumeMounts ?? []).map((mount, index) => {
    const inside = mount.subPathExpr ? expand(mount.subPathExpr, values) : mount.subPath;
    const imageId = facts.imageVolumes?.get(mount.name);
    if (imageId !== undefined)
      return {
        hostPath: '',
        containerPath: mount.mountPath,
        readOnly: true,
        image: { id: imageId, ...(inside && { subPath: inside }) },
      };
    const root = facts.volumes.get(mount.name);
    if (root === undefined)
      throw new ConfigError('CreateContainerConfigError', `volume "${mount.name}" is not mounted`);
    const propagation = mount.mountPropagation as ContainerMount['propagation'];
    return {
      hostPath: inside ? facts.subPath(root, inside, index) : root,
      containerPath: mount.mountPath,
      readOnly: mount.readOnly === true || isReadOnly(facts.pod, mount.name),
      ...(isRecursive(mount, facts) && { recursiveReadOnly: true }),
      ...(propagation ? { propagation } : {}),
    };
  });
}

function millis(quantity: string | undefined): number | undefined {
  if (quantity === undefined) return undefined;
  return Number((parseQuantity(quantity).nanos + NANOS_PER_MILLI - 1n) / NANOS_PER_MILLI);
}

function bytes(quantity: string | undefined): number | undefined {
  return quantity === undefined
    ? undefined
    : Number(parseQuantity(quantity).nanos / 1_000_000_000n);
}

function cpuResources(requestMillis: number | undefined, limitMillis: number | undefined) {
  const shares = Math.floor(((requestMillis ?? limitMillis ?? 0) * 1024) / 1000);
  return {
    cpuShares: Math.max(MIN_SHARES, shares),
    ...(limitMillis
      ? {
          cpuQuotaUs: Math.max(MIN_QUOTA_US, (limitMillis * CPU_PERIOD_US) / 1000),
          cpuPeriodUs: CPU_PERIOD_US,
        }
      : {}),
  };
}

/** The limits of one container. */
export function containerResources(container: Container, facts: SizeFacts): LinuxResources {
  const { requests, limits } = container.resources ?? {};
  const memory = bytes(limits?.['memory']);
  return {
    ...cpuResources(millis(requests?.['cpu']), millis(limits?.['cpu'])),
    ...(memory ? { memoryLimitBytes: memory } : {}),
    oomScoreAdj: oomScore(container, facts),
  };
}

const GUARANTEED_SCORE = -997;
const NODE_CRITICAL = 'system-node-critical';

/** Upstream's order of who dies first when memory runs out. */
function oomScore(container: Container, { pod, nodeMemoryBytes }: SizeFacts): number {
  const spec = pod.spec as PodSpec;
  if (spec.priorityClassName === NODE_CRITICAL) return GUARANTEED_SCORE;
  const quality = qosClassOf(spec);
  if (quality === 'Guaranteed') return GUARANTEED_SCORE;
  if (quality === 'BestEffort') return 1000;
  const scoreOf = ({ resources }: Container) =>
    1000 - Math.floor((1000 * (bytes(resources?.requests?.['memory']) ?? 0)) / nodeMemoryBytes);
  // A sidecar is not to die before those that it serves.
  const served = container.restartPolicy === 'Always' ? spec.containers : [];
  return Math.min(999, Math.max(3, Math.min(...[container, ...served].map(scoreOf))));
}

/** Limits of the pod as a whole: those it states itself, or the sum where every container has one. */
export function sandboxResources(spec: PodSpec): LinuxResources {
  const requests = podRequests(spec);
  const limits = podLimits(spec);
  const holders = [...spec.containers, ...(spec.initContainers ?? [])];
  const all = (name: string) =>
    spec.resources?.limits?.[name] !== undefined ||
    holders.every((container) => container.resources?.limits?.[name] !== undefined);
  const text = (nanos: bigint | undefined) =>
    nanos === undefined ? undefined : Number((nanos + NANOS_PER_MILLI - 1n) / NANOS_PER_MILLI);
  const memory = all('memory') ? limits['memory']?.nanos : undefined;
  return {
    ...cpuResources(
      text(requests['cpu']?.nanos),
      all('cpu') ? text(limits['cpu']?.nanos) : undefined,
    ),
    ...(memory ? { memoryLimitBytes: Number(memory / 1_000_000_000n) } : {}),
  };
}
