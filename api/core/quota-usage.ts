// What objects use of a ResourceQuota, which of them it is about, and whether more may be used. Pure.
// Invariant: a quota with scopes is about nothing that a scope does not select. Wordings are those API clients know.
import type {
  Container,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
  Service,
} from '../generated/types.ts';
import type { KindRef } from '../kind-ref.ts';
import type { KubeObject } from '../meta/object.ts';
import type { ResourceList } from '../meta/pod-resources.ts';
import { parseResources, podLimits, podRequests, qosClassOf } from '../meta/pod-resources.ts';
import type { Quantity } from '../meta/quantity.ts';
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  quantityOf,
  subtractQuantities,
  ZERO_QUANTITY,
} from '../meta/quantity.ts';

/** A kind, as far as quotas tell kinds apart. */
type Counted = Pick<KindRef, 'group' | 'plural'>;

const ONE = quantityOf(1);
/** Kinds of the core group that quotas also count by their plain name. */
const PLAIN_NAMES = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
]);
const PLAIN_REQUESTS = new Set(['cpu', 'memory', 'ephemeral-storage']);
/** What each container must say where a quota bounds it. */
const MUST_SAY = new Set([
  'cpu',
  'memory',
  'requests.cpu',
  'requests.memory',
  'limits.cpu',
  'limits.memory',
]);
const CLASS_SUFFIX = 'storageclass.storage.k8s.io';

/** The name under which a quota counts objects of the kind. */
export function countName({ group, plural }: Counted): string {
  return group === '' ? `count/${plural}` : `count/${plural}.${group}`;
}

/** What an object of the kind uses. */
export function usageOf(ref: Counted, object: KubeObject): ResourceList {
  const counted = { [countName(ref)]: ONE };
  if (ref.group !== '') return counted;
  const plain = PLAIN_NAMES.has(ref.plural) ? { ...counted, [ref.plural]: ONE } : counted;
  switch (ref.plural) {
    case 'pods':
      return { ...plain, ...podUsage(object as Pod) };
    case 'services':
      return { ...plain, ...serviceUsage(object as Service) };
    case 'persistentvolumeclaims':
      return { ...plain, ...claimUsage(object as PersistentVolumeClaim) };
    default:
      return plain;
  }
}

/** Pods that have ended use nothing but their own place in the store. */
function podUsage({ spec, status }: Pod): ResourceList {
  if (spec === undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed') return {};
  return { pods: ONE, ...computeUsage(podRequests(spec), podLimits(spec)) };
}

function computeUsage(requests: ResourceList, limits: ResourceList): ResourceList {
  const usage: Record<string, Quantity> = {};
  for (const [name, amount] of Object.entries(requests)) {
    usage[`requests.${name}`] = amount;
    if (PLAIN_REQUESTS.has(name) || name.startsWith('hugepages-')) usage[name] = amount;
  }
  for (const [name, amount] of Object.entries(limits)) usage[`limits.${name}`] = amount;
  return usage;
}

function serviceUsage({ spec }: Service): ResourceList {
  const balanced = spec?.type === 'LoadBalancer';
  const ports = (spec?.ports ?? []).filter(({ nodePort }) => !balanced || nodePort);
  const open = balanced || spec?.type === 'NodePort' ? ports.length : 0;
  return {
    'services.loadbalancers': quantityOf(balanced ? 1 : 0),
    'services.nodeports': quantityOf(open),
  };
}

function claimUsage({ spec }: PersistentVolumeClaim): ResourceList {
  const { storage } = parseResources(spec?.resources?.requests);
  const usage: Record<string, Quantity> = storage ? { 'requests.storage': storage } : {};
  const { storageClassName } = spec ?? {};
  if (!storageClassName) return usage;
  const prefix = `${storageClassName}.${CLASS_SUFFIX}`;
  if (storage) usage[`${prefix}/requests.storage`] = storage;
  usage[`${prefix}/persistentvolumeclaims`] = ONE;
  return usage;
}

/** Is the quota about this object at all? One without scopes is about every one. */
export function quotaCovers({ spec }: ResourceQuota, ref: Counted, object: KubeObject): boolean {
  const requirements: ScopedResourceSelectorRequirement[] = [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ];
  return requirements.every((requirement) => isInScope(requirement, ref, object));
}

function isInScope(
  { scopeName, operator, values = [] }: ScopedResourceSelectorRequirement,
  { group, plural }: Counted,
  object: KubeObject,
): boolean {
  const kind = group === '' ? plural : '';
  if (scopeName === 'VolumeAttributesClass') {
    const { spec } = object as PersistentVolumeClaim;
    const named = spec?.volumeAttributesClassName;
    return kind === 'persistentvolumeclaims' && fits(operator, values, named);
  }
  const { spec } = object as Pod;
  if (kind !== 'pods' || spec === undefined) return false;
  switch (scopeName) {
    case 'Terminating':
      return spec.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return spec.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return qosClassOf(spec) === 'BestEffort';
    case 'NotBestEffort':
      return qosClassOf(spec) !== 'BestEffort';
    case 'PriorityClass':
      return fits(operator, values, spec.priorityClassName);
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(spec);
    default:
      return false;
  }
}

function fits(operator: string, values: readonly string[], name: string | undefined): boolean {
  switch (operator) {
    case 'Exists':
      return Boolean(name);
    case 'DoesNotExist':
      return !name;
    case 'In':
      return values.includes(name ?? '');
    case 'NotIn':
      return !values.includes(name ?? '');
    default:
      return false;
  }
}

function reachesOtherNamespaces({ affinity }: NonNullable<Pod['spec']>): boolean {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].some((one) =>
    [
      ...(one?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
        ({ podAffinityTerm }) => podAffinityTerm,
      ),
    ].some((term) => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined),
  );
}

/** What of these amounts a quota bounds. */
function bounded(usage: ResourceList, hard: ResourceList): ResourceList {
  return Object.fromEntries(Object.entries(usage).filter(([name]) => name in hard));
}

/** What all of these use together of what the quota bounds; nothing used shows as 0. */
export function totalUsage(
  quota: ResourceQuota,
  objects: Iterable<readonly [Counted, KubeObject]>,
): Record<string, string> {
  const hard = parseResources(quota.spec?.hard);
  const total: Record<string, Quantity> = Object.fromEntries(
    Object.keys(hard).map((name) => [name, ZERO_QUANTITY]),
  );
  for (const [ref, object] of objects) {
    if (!quotaCovers(quota, ref, object)) continue;
    for (const [name, amount] of Object.entries(bounded(usageOf(ref, object), hard))) {
      total[name] = addQuantities(total[name] ?? ZERO_QUANTITY, amount);
    }
  }
  return Object.fromEntries(
    Object.entries(total).map(([name, amount]) => [name, formatQuantity(amount)]),
  );
}

/** What a write uses more than before; only what grows. */
export function growth(now: ResourceList, before: ResourceList): ResourceList {
  return Object.fromEntries(
    Object.entries(now)
      .map(([name, amount]) => {
        const old = before[name] ?? ZERO_QUANTITY;
        return [name, subtractQuantities(amount, old)] as const;
      })
      .filter(([, amount]) => amount.nanos > 0n),
  );
}

/** The `used` of a quota with so much more, or why it may not be. */
export function charge(
  { metadata, status }: ResourceQuota,
  asked: ResourceList,
): { readonly used: Record<string, string> } | { readonly why: string } {
  const [hard, used] = [parseResources(status?.hard), parseResources(status?.used)];
  const requested = bounded(asked, hard);
  const next: Record<string, Quantity> = { ...used };
  const exceeded: string[] = [];
  for (const [name, amount] of Object.entries(requested)) {
    const sum = addQuantities(used[name] ?? ZERO_QUANTITY, amount);
    next[name] = sum;
    if (compareQuantities(sum, hard[name] ?? ZERO_QUANTITY) > 0) exceeded.push(name);
  }
  if (exceeded.length === 0) return { used: textsOf(next) };
  const shown = (list: ResourceList) =>
    exceeded
      .toSorted((a, b) => (a < b ? -1 : 1))
      .map((name) => `${name}=${formatQuantity(list[name] ?? ZERO_QUANTITY)}`)
      .join(',');
  const why =
    `exceeded quota: ${metadata.name ?? ''}, requested: ${shown(requested)}, ` +
    `used: ${shown(used)}, limited: ${shown(hard)}`;
  return { why };
}

function textsOf(list: ResourceList): Record<string, string> {
  return Object.fromEntries(
    Object.entries(list).map(([name, amount]) => [name, formatQuantity(amount)]),
  );
}

/** What a pod's containers leave unsaid though the quota bounds it; undefined where nothing is. */
export function unsaid({ metadata, status }: ResourceQuota, { spec }: Pod): string | undefined {
  const containers: Container[] = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const missing = Object.keys(status?.hard ?? {})
    .filter((name) => MUST_SAY.has(name))
    .toSorted((a, b) => (a < b ? -1 : 1))
    .flatMap((name) => {
      const silent = containers.filter(({ resources }) => {
        const { requests, limits } = resources ?? {};
        return !(name in computeUsage(parseResources(requests), parseResources(limits)));
      });
      const names = silent.map((container) => container.name).join(',');
      return silent.length === 0 ? [] : [`${name} for: ${names}`];
    });
  if (missing.length === 0) return undefined;
  return `failed quota: ${metadata.name ?? ''}: must specify ${missing.join('; ')}`;
}
