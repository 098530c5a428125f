// Nodes: machines that run pods. The agent writes the status; the address block never changes once given.
import type { FieldError } from '../field-error.ts';
import { ALL_VERBS, defineResource, PROXY_VERBS } from '../definition.ts';
import { forbiddenField, invalidValue } from '../field-error.ts';
import type { Node, NodeSystemInfo } from '../generated/types.ts';
import { Nodes } from '../kinds.ts';
import { ageColumn, nameColumn, text, wide } from '../meta/columns.ts';
import { findCondition } from '../meta/conditions.ts';
import { cidrBlock } from '../meta/ip.ts';
import { quantityNotNegative } from '../meta/numbers.ts';
import { repeats } from '../meta/repeats.ts';
import { validateTaints } from './placement-validation.ts';
import { canonicalResources } from './pod-template-defaults.ts';

const ROLE_PREFIX = 'node-role.kubernetes.io/';

/** What upstream shows of a node whose agent has told nothing yet. */
const NOTHING_TOLD: NodeSystemInfo = {
  architecture: '',
  bootID: '',
  containerRuntimeVersion: '',
  kernelVersion: '',
  kubeProxyVersion: '',
  kubeletVersion: '',
  machineID: '',
  operatingSystem: '',
  osImage: '',
  systemUUID: '',
};

/** What nodes are. */
export const nodeDefinition = defineResource<Node>({
  ref: Nodes,
  singular: 'node',
  listKind: 'NodeList',
  shortNames: ['no'],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.Node',
  verbs: ALL_VERBS,
  hasStatus: true,
  createdWithStatus: true,
  hasGeneration: false,
  subresources: [{ name: 'proxy', kind: 'NodeProxyOptions', verbs: PROXY_VERBS }],
  columns: [
    nameColumn,
    text('Status', 'Whether it is ready, and takes new pods.', statusText),
    text('Roles', 'Roles, from its labels.', rolesText),
    ageColumn,
    text('Version', "The agent's version.", (node) => node.status?.nodeInfo?.kubeletVersion ?? ''),
    wide('Internal-IP', 'Address within the cluster.', (node) => addressOf(node, 'InternalIP')),
    wide('External-IP', 'Address from outside.', (node) => addressOf(node, 'ExternalIP')),
    wide('OS-Image', 'Operating system.', (node) => node.status?.nodeInfo?.osImage || '<unknown>'),
    wide(
      'Kernel-Version',
      'Kernel.',
      (node) => node.status?.nodeInfo?.kernelVersion || '<unknown>',
    ),
    wide(
      'Container-Runtime',
      'What runs its containers.',
      (node) => node.status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
    ),
  ],
  selectableFields: {
    'spec.unschedulable': (node) => String(node.spec?.unschedulable ?? false),
  },
  defaults(node) {
    node.spec ??= {};
    // podCIDR is the first of podCIDRs.
    if (node.spec.podCIDR && !node.spec.podCIDRs?.length) node.spec.podCIDRs = [node.spec.podCIDR];
    const first = node.spec.podCIDRs?.[0];
    if (first && !node.spec.podCIDR) node.spec.podCIDR = first;
    canonicalResources(node.status?.capacity);
    canonicalResources(node.status?.allocatable);
    const { capacity, allocatable } = node.status ?? {};
    if (node.status && capacity && !allocatable) node.status.allocatable = { ...capacity };
  },
  prepareForCreate(node) {
    const daemonEndpoints = { kubeletEndpoint: { Port: 0 } };
    node.status = { daemonEndpoints, nodeInfo: { ...NOTHING_TOLD }, ...node.status };
  },
  validate: (node, old) => [
    ...validateSpec(node),
    ...validateStatus(node),
    ...(old ? validateUnchanged(node, old) : []),
  ],
  validateStatus,
});

function statusText(node: Node): string {
  const ready = findCondition(node.status?.conditions, 'Ready');
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec?.unschedulable ? `${word},SchedulingDisabled` : word;
}

function rolesText(node: Node): string {
  const roles = Object.entries(node.metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return [key.slice(ROLE_PREFIX.length)];
    return key === 'kubernetes.io/role' ? [value] : [];
  });
  return (
    [...new Set(roles)]
      .filter((role) => role !== '')
      .sort()
      .join(',') || '<none>'
  );
}

function addressOf(node: Node, type: string): string {
  return node.status?.addresses?.find((one) => one.type === type)?.address ?? '<none>';
}

function validateSpec(node: Node): FieldError[] {
  const { taints = [], podCIDRs = [] } = node.spec ?? {};
  return [
    ...validateTaints(taints, 'spec.taints'),
    ...podCIDRs.flatMap((block, i) => {
      const why = cidrBlock(block);
      return why === undefined ? [] : [invalidValue(`spec.podCIDRs[${i}]`, block, why)];
    }),
    ...(podCIDRs.length > 0 && node.spec?.podCIDR !== podCIDRs[0]
      ? [invalidValue('spec.podCIDRs', podCIDRs, 'must have podCIDR as its first')]
      : []),
  ];
}

function validateStatus(node: Node): FieldError[] {
  const { capacity, allocatable, addresses = [] } = node.status ?? {};
  const amounts = (list: Record<string, string> | undefined, path: string) =>
    Object.entries(list ?? {}).flatMap(([name, amount]) =>
      quantityNotNegative(amount, `${path}[${name}]`),
    );
  const repeated = repeats(addresses.map(({ type, address }) => `${type} ${address}`));
  return [
    ...amounts(capacity, 'status.capacity'),
    ...amounts(allocatable, 'status.allocatable'),
    ...addresses.flatMap((address, i) =>
      repeated.has(i)
        ? [invalidValue(`status.addresses[${i}]`, address, 'must not be listed twice')]
        : [],
    ),
  ];
}

function validateUnchanged(node: Node, old: Node): FieldError[] {
  const errors: FieldError[] = [];
  const { podCIDR, providerID } = node.spec ?? {};
  if (old.spec?.podCIDR && podCIDR !== old.spec.podCIDR) {
    const why = 'node updates may not change podCIDR except from "" to valid';
    errors.push(forbiddenField('spec.podCIDRs', why));
  }
  if (old.spec?.providerID && providerID !== old.spec.providerID) {
    const why = 'node updates may not change providerID except from "" to valid';
    errors.push(forbiddenField('spec.providerID', why));
  }
  return errors;
}
