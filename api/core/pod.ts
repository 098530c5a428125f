// Pods: containers that live and die together on one node.
// Status belongs to the node agent (through /status); the spec hardly changes once written.
import { ALL_VERBS, defineResource, PROXY_VERBS } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue } from '../field-error.ts';
import type { Pod, PodCondition, PodSpec } from '../generated/types.ts';
import { Pods } from '../kinds.ts';
import { ipAddress } from '../meta/ip.ts';
import { dnsSubdomain } from '../meta/names.ts';
import { qosClassOf } from '../meta/pod-resources.ts';
import { validatePodSpec } from './pod-template-validation.ts';
import { ephemeralContainersPart } from './ephemeral-containers.ts';
import { podColumns } from './pod-columns.ts';
import { defaultPodSpec, mirrorServiceAccount } from './pod-template-defaults.ts';
import { defaultPodLevelRequests } from './pod-level-resources.ts';
import { resizePart } from './pod-resize.ts';
import { validatePodUpdate } from './pod-update-validation.ts';
import { podWarnings } from './pod-warnings.ts';

/** What pods are. */
export const podDefinition = defineResource<Pod>({
  ref: Pods,
  singular: 'pod',
  listKind: 'PodList',
  shortNames: ['po'],
  categories: ['all'],
  schemaName: 'io.k8s.api.core.v1.Pod',
  verbs: ALL_VERBS,
  hasStatus: true,
  keptByStatus: ['ownerReferences'],
  hasGeneration: true,
  returnsDeleted: true,
  subresources: [
    { name: 'attach', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
    { name: 'binding', kind: 'Binding', verbs: ['create'] },
    {
      name: 'ephemeralcontainers',
      kind: 'Pod',
      verbs: ['get', 'patch', 'update'],
      part: ephemeralContainersPart,
    },
    { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
    { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
    { name: 'log', kind: 'Pod', verbs: ['get'] },
    { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
    { name: 'proxy', kind: 'PodProxyOptions', verbs: PROXY_VERBS },
    { name: 'resize', kind: 'Pod', verbs: ['get', 'patch', 'update'], part: resizePart },
  ],
  columns: podColumns,
  selectableFields: {
    'spec.nodeName': (pod) => pod.spec?.nodeName ?? '',
    // A name of before v1.
    'spec.host': (pod) => pod.spec?.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec?.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec?.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec?.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec?.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '',
    // Taken, and never set, as upstream.
    'status.podIPs': () => '',
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
  defaults(pod) {
    if (!pod.spec) return;
    defaultPodSpec(pod.spec);
    pod.spec.enableServiceLinks ??= true;
    requestWhatIsLimited(pod.spec);
    defaultPodLevelRequests(pod.spec);
  },
  prepareForCreate(pod) {
    if (!pod.spec) return;
    // Admission may have named the account after defaults ran.
    mirrorServiceAccount(pod.spec);
    pod.spec.priority ??= 0;
    pod.spec.preemptionPolicy ??= 'PreemptLowerPriority';
    const conditions = gatedConditions(pod.spec);
    const qosClass = qosClassOf(pod.spec);
    pod.status = conditions
      ? { phase: 'Pending', conditions, qosClass }
      : { phase: 'Pending', qosClass };
  },
  prepareForUpdate({ spec }, old) {
    // What admission gave stays: a writer who leaves it out does not take it away.
    const { priority, preemptionPolicy } = old.spec ?? {};
    if (spec && priority !== undefined) spec.priority ??= priority;
    if (spec && preemptionPolicy !== undefined) spec.preemptionPolicy ??= preemptionPolicy;
  },
  prepareForStatus({ status }) {
    if (!status) return;
    // One address in two fields: the older field counts, so that nobody reads another one than was checked.
    const [first] = status.podIPs ?? [];
    const { podIP } = status;
    if (podIP !== undefined && first?.ip !== podIP) status.podIPs = [{ ip: podIP }];
  },
  validate(pod, old) {
    return old === undefined ? validateNewPod(pod) : validatePodUpdate(pod, old);
  },
  // People hardly ever change pods themselves, and the node does all the time.
  warnings: (pod, old) => (old === undefined ? podWarnings(pod) : []),
  validateStatus,
});

/** Why a pod with scheduling gates is not scheduled; words as upstream. */
function gatedConditions({ schedulingGates = [] }: PodSpec): PodCondition[] | undefined {
  if (schedulingGates.length === 0) return undefined;
  return [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    },
  ];
}

/** A limit without a request asks for as much. Not so in templates, which stay as written. */
function requestWhatIsLimited(spec: PodSpec): void {
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const limits = container.resources?.limits;
    if (!limits || !container.resources) continue;
    container.resources.requests = { ...limits, ...container.resources.requests };
  }
}

function validateNewPod({ spec }: Pod): FieldError[] {
  const early = (spec?.ephemeralContainers ?? []).length > 0;
  return [
    ...validatePodSpec(spec, 'spec'),
    ...(early ? [forbiddenField('spec.ephemeralContainers', 'cannot be set on create')] : []),
  ];
}

function validateStatus(pod: Pod, old: Pod): FieldError[] {
  const { nominatedNodeName = '', podIPs = [], qosClass } = pod.status ?? {};
  const errors = podIPs.flatMap(({ ip }, i) => {
    const why = ipAddress(ip ?? '');
    return why === undefined ? [] : [invalidValue(`status.podIPs[${i}]`, ip, why)];
  });
  const badNode = nominatedNodeName === '' ? undefined : dnsSubdomain(nominatedNodeName);
  if (badNode !== undefined) {
    errors.push(invalidValue('status.nominatedNodeName', nominatedNodeName, badNode));
  }
  const before = old.status?.qosClass;
  if (qosClass !== undefined && before !== undefined && qosClass !== before) {
    errors.push(invalidValue('status.qosClass', qosClass, 'field is immutable'));
  }
  return errors;
}
