// Nodes write what is theirs: their Node and its Lease, the pods that run on them, and tokens for those pods' accounts
// (upstream's NodeRestriction admission).
// Invariant: who has broken into one node cannot become the account of a pod on another, nor bring a pod to a node, nor change
// what other nodes say; reading is not restricted here.
import type {
  AuthenticationTokenRequest,
  Pod,
  ResourceSlice,
  ServiceAccountTokenProjection,
} from '../../api/generated/types.ts';
import { CSINodes, Leases, Nodes, Pods, ResourceSlices, ServiceAccounts } from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { forbidden } from '../../api/status.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { objectKey } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';
import { mirrorPodRefusal } from './mirror-pods.ts';

const NODES = 'system:nodes';
const NODE = 'system:node:';
const LEASES_OF_NODES = 'kube-node-lease';

/** Why the node may not; undefined where it may. */
type Refusal = string | undefined;

/** The plugin; `audiences` are those of tokens for which nobody named any. */
export function nodeRestriction(store: ObjectStore, audiences: readonly string[]): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    validate(request) {
      const { definition, operation, user } = request;
      if (operation === 'connect' || !user.groups.includes(NODES)) return;
      const node = nodeOf(user);
      const why = isForToken(request)
        ? tokenRefusal(store, node, { request, audiences })
        : refusalOf(store, node, request);
      if (why !== undefined) throw forbidden(definition.ref, request.name, why);
    },
  };
}

function isForToken({ definition, subresource }: AdmissionRequest): boolean {
  return definition.ref === ServiceAccounts && subresource === 'token';
}

function nodeOf({ username }: UserInfo): string {
  return username.startsWith(NODE) ? username.slice(NODE.length) : '';
}

function refusalOf(store: ObjectStore, node: string, request: AdmissionRequest): Refusal {
  const { definition, namespace, object } = request;
  // A name that is generated is not its own.
  const name = request.name || (object.metadata.name ?? '');
  switch (definition.ref) {
    case Nodes:
      return name === node
        ? labelRefusal(node, request)
        : `node "${node}" is not allowed to modify node "${name}"`;
    case Leases:
      return name === node && namespace === LEASES_OF_NODES
        ? undefined
        : `node "${node}" may only write the lease of its own name in ${LEASES_OF_NODES}`;
    case Pods:
      if (request.subresource === 'eviction') return evictionRefusal(store, node, request);
      return request.operation === 'create'
        ? mirrorPodRefusal(store, node, object as unknown as Pod)
        : podRefusal(node, request);
    case CSINodes:
      return name === node
        ? undefined
        : `node "${node}" can only write the CSINode of its own name`;
    case ResourceSlices:
      return sliceRefusal(node, request);
    default:
      return undefined;
  }
}

/** Labels of the project's own domains that a node may say of itself; others tell the scheduler whom to trust (upstream's list). */
const OWN_LABELS = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
]);
const OWN_DOMAINS = /(?:^|\.)(?:kubelet|node)\.kubernetes\.io$/;
const PROTECTED_DOMAINS = /(?:^|\.)(?:kubernetes|k8s)\.io$/;

function labelRefusal(node: string, { object, old }: AdmissionRequest): Refusal {
  const [now, before] = [object.metadata.labels ?? {}, old?.metadata.labels ?? {}];
  const changed = [...new Set([...Object.keys(now), ...Object.keys(before)])].filter(
    (key) => now[key] !== before[key] && !isOwnLabel(key),
  );
  if (changed.length === 0) return undefined;
  return `node "${node}" is not allowed to modify labels: ${changed.join(', ')}`;
}

function isOwnLabel(key: string): boolean {
  const domain = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
  return OWN_LABELS.has(key) || OWN_DOMAINS.test(domain) || !PROTECTED_DOMAINS.test(domain);
}

function podRefusal(node: string, request: AdmissionRequest): Refusal {
  const { operation, object, old, subresource } = request;
  const { metadata, spec } = (old ?? object) as unknown as Pod;
  if (spec?.nodeName !== node)
    return `node "${node}" can only ${operation} pods with spec.nodeName set to itself`;
  // Labels say whose the pod is: which Services send it their callers, which controllers count it.
  return subresource === 'status' && !deepEqual(object.metadata.labels, metadata.labels)
    ? `node "${node}" cannot update labels through pod status`
    : undefined;
}

function evictionRefusal(
  store: ObjectStore,
  node: string,
  { namespace, name }: AdmissionRequest,
): Refusal {
  const pod = store.get(objectKey(Pods, namespace, name))?.object() as Pod | undefined;
  return !pod || pod.spec?.nodeName === node
    ? undefined
    : `node "${node}" can only evict pods with spec.nodeName set to itself`;
}

function sliceRefusal(node: string, { operation, object, old }: AdmissionRequest): Refusal {
  const slices = [object, old ?? object] as unknown as readonly ResourceSlice[];
  return slices.every(({ spec }) => spec.nodeName === node)
    ? undefined
    : `node "${node}" can only ${operation} ResourceSlices with spec.nodeName set to itself`;
}

function tokenRefusal(
  store: ObjectStore,
  node: string,
  at: { request: AdmissionRequest; audiences: readonly string[] },
): Refusal {
  const { namespace, object } = at.request;
  const { spec } = object as unknown as AuthenticationTokenRequest;
  const { kind, name = '', uid } = spec?.boundObjectRef ?? {};
  if (kind !== 'Pod' || !name) return 'node requested token not bound to a pod';
  if (!uid) return 'node requested token with a pod binding without a uid';
  const pod = store.get(objectKey(Pods, namespace, name))?.object() as Pod | undefined;
  if (pod?.metadata.uid !== uid)
    return `the UID in the bound object reference is not that of pod ${name}`;
  if (pod.spec?.nodeName !== node)
    return 'node requested token bound to a pod scheduled on a different node';
  return audienceRefusal(pod, spec?.audiences ?? [], at.audiences);
}

/** Only audiences that the pod's volumes name; one that names none means the API server's `own`. */
function audienceRefusal(pod: Pod, asked: readonly string[], own: readonly string[]): Refusal {
  const named = audiencesOf(pod);
  const isNamed = (each: string) => named.has(each) || (own.includes(each) && named.has(''));
  const foreign = asked.find((each) => !isNamed(each));
  return foreign === undefined ? undefined : `audience "${foreign}" not found in pod spec volume`;
}

function audiencesOf({ spec }: Pod): ReadonlySet<string> {
  const projections = (spec?.volumes ?? [])
    .flatMap(({ projected }) => projected?.sources ?? [])
    .map(({ serviceAccountToken }) => serviceAccountToken);
  return new Set(
    projections
      .filter((each): each is ServiceAccountTokenProjection => each !== undefined)
      .map(({ audience }) => audience ?? ''),
  );
}
