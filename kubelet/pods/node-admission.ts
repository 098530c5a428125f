// May the node take a pod that was assigned to it? Pure. The last word after the scheduler's, for pods that came past it.
// Order, reasons and texts are upstream's.
import type { Pod, Taint } from '../../api/generated/types.ts';
import { fitsNode } from '../../api/meta/node-affinity.ts';
import { qosClassOf } from '../../api/meta/pod-resources.ts';
import { untolerated } from '../../api/meta/tolerations.ts';
import { shortagesOf } from '../admission/node-resources.ts';
import { sysctlProblem } from '../admission/sysctls.ts';
import { unsupportedField } from '../admission/unsupported-fields.ts';
import { isCriticalPod, isStaticPod } from '../eviction/critical-pods.ts';
import { EVICTED, underPressure } from '../eviction/messages.ts';
import type { Pressure } from '../eviction/thresholds.ts';
import type { Verdict } from './pod-status.ts';
import type { NodeFacts } from './worker-parts.ts';

/** What an admission rests on. */
export interface AdmissionFacts {
  readonly node: NodeFacts;
  readonly nodeName: string;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly nodeTaints: readonly Taint[];
  /** Pods that take room now, without the one in question. */
  readonly others: readonly Pod[];
  /** What the node is short of. */
  readonly pressures: readonly Pressure[];
  /** Sysctls that the node's owner allows beyond the safe ones. */
  readonly allowedSysctls: readonly string[];
  readonly hasAppArmor: boolean;
  readonly isShuttingDown: boolean;
}

/** Why the pod is refused; undefined when it is taken. */
export function refusalOf(pod: Pod, facts: AdmissionFacts): Verdict | undefined {
  return (
    refusalUnderPressure(pod, facts) ??
    refusalOfSysctls(pod, facts) ??
    refusalOfOs(pod) ??
    refusalOfFeatures(pod) ??
    refusalOfRoom(pod, facts) ??
    refusalOfPlace(pod, facts) ??
    refusalAtShutdown(facts) ??
    refusalOfAppArmor(pod, facts)
  );
}

const MEMORY_TAINT: Taint = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' };

/** Short of memory alone, a node still takes what asks for some, or says that it does not mind. */
function refusalUnderPressure(pod: Pod, { pressures }: AdmissionFacts): Verdict | undefined {
  if (pressures.length === 0 || isCriticalPod(pod)) return undefined;
  const onlyMemory = pressures.length === 1 && pressures[0] === 'MemoryPressure';
  const asks = pod.spec !== undefined && qosClassOf(pod.spec) !== 'BestEffort';
  const endures = asks || untolerated([MEMORY_TAINT], pod.spec?.tolerations).length === 0;
  if (onlyMemory && endures) return undefined;
  return { reason: EVICTED, message: underPressure(pressures) };
}

function refusalOfSysctls({ spec }: Pod, facts: AdmissionFacts): Verdict | undefined {
  const message = sysctlProblem(
    {
      sysctls: (spec?.securityContext?.sysctls ?? []).map(({ name }) => name),
      hostNetwork: spec?.hostNetwork ?? false,
      hostIpc: spec?.hostIPC ?? false,
    },
    facts.allowedSysctls,
  );
  return message === undefined ? undefined : { reason: 'SysctlForbidden', message };
}

function refusalOfOs({ metadata, spec }: Pod): Verdict | undefined {
  if ((metadata.labels?.['kubernetes.io/os'] ?? 'linux') !== 'linux')
    return {
      reason: 'PodOSSelectorNodeLabelDoesNotMatch',
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    };
  if ((spec?.os?.name ?? 'linux') === 'linux') return undefined;
  const message = "Failed to admit pod as the OS field doesn't match node OS";
  return { reason: 'PodOSNotSupported', message };
}

function refusalOfFeatures(pod: Pod): Verdict | undefined {
  const message = unsupportedField(pod);
  return message === undefined ? undefined : { reason: 'PodFeatureUnsupported', message };
}

function refusalOfRoom(pod: Pod, { others, node }: AdmissionFacts): Verdict | undefined {
  const [first] = shortagesOf(pod, others, node);
  if (!first) return undefined;
  const { resource, requested, used, capacity } = first;
  const figures = `${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return {
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${figures}`,
  };
}

function refusalOfPlace(pod: Pod, facts: AdmissionFacts): Verdict | undefined {
  const failed = (predicate: string, why: string): Verdict => ({
    reason: predicate,
    message: `Predicate ${predicate} failed: ${why}`,
  });
  if (!fitsNode(pod, { name: facts.nodeName, labels: facts.nodeLabels }))
    return failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
  const wanted = hostPortsOf(pod);
  const taken = wanted.length > 0 ? facts.others.flatMap(hostPortsOf) : [];
  if (wanted.some((port) => taken.some((other) => collide(port, other))))
    return failed('NodePorts', "node(s) didn't have free ports for the requested pod ports");
  const driving = facts.nodeTaints.filter(({ effect }) => effect === 'NoExecute');
  if (isStaticPod(pod) && untolerated(driving, pod.spec?.tolerations).length > 0)
    return failed('TaintToleration', "node(s) had taints that the pod didn't tolerate");
  return undefined;
}

interface HostPort {
  readonly protocol: string;
  readonly ip: string;
  readonly port: number;
}

/** Ports of the host that a pod takes; with hostNetwork each of its ports is one. */
function hostPortsOf({ spec }: Pod): HostPort[] {
  const sidecars = (spec?.initContainers ?? []).filter((each) => each.restartPolicy === 'Always');
  const ports = [...(spec?.containers ?? []), ...sidecars].flatMap((each) => each.ports ?? []);
  return ports.flatMap(({ hostPort, hostIP, protocol }) =>
    hostPort ? [{ protocol: protocol ?? 'TCP', ip: hostIP || '0.0.0.0', port: hostPort }] : [],
  );
}

/** All addresses collide with each one. */
const collide = (a: HostPort, b: HostPort): boolean =>
  a.protocol === b.protocol &&
  a.port === b.port &&
  (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0');

function refusalAtShutdown({ isShuttingDown }: AdmissionFacts): Verdict | undefined {
  const message = 'Pod was rejected as the node is shutting down.';
  return isShuttingDown ? { reason: 'NodeShutdown', message } : undefined;
}

function refusalOfAppArmor({ spec }: Pod, { hasAppArmor }: AdmissionFacts): Verdict | undefined {
  if (hasAppArmor) return undefined;
  const contexts = [spec?.securityContext, ...containersOf(spec).map((c) => c.securityContext)];
  const asked = contexts.some(
    (context) => (context?.appArmorProfile?.type ?? 'Unconfined') !== 'Unconfined',
  );
  const message = 'Cannot enforce AppArmor: AppArmor is not enabled on the host';
  return asked ? { reason: 'AppArmor', message } : undefined;
}

const containersOf = (spec: Pod['spec']) => [
  ...(spec?.initContainers ?? []),
  ...(spec?.containers ?? []),
];
