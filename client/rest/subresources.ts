// The subresources of built-in kinds, typed: scale, eviction, binding, tokens, approval, ephemeral containers, resizes.
// Invariant: one call is one request, apart from a judgement of a certificate request, which is made anew after a conflict.
import type {
  AuthenticationTokenRequest,
  Binding,
  CertificateSigningRequest,
  EphemeralContainer,
  Eviction,
  Pod,
  ResourceRequirements,
  Scale,
  TokenRequestSpec,
} from '../../api/generated/types.ts';
import { CertificateSigningRequests, Pods, ServiceAccounts } from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { isConflict } from '../../api/status.ts';
import type {
  CallOptions,
  Client,
  DeleteOptions,
  ObjectRef,
  ResourceClient,
  WriteOptions,
} from './client.ts';

/** How a subresource is written. */
export type SubresourceOptions = Omit<WriteOptions, 'subresource'>;

/** How often a certificate request is read and judged anew when somebody wrote it meanwhile. */
export const MAX_APPROVAL_ATTEMPTS = 4;

/** How many replicas an object asks for, and how many there are. Throws NotFound for kinds without scale. */
export async function getScale<T extends KubeObject>(
  resource: ResourceClient<T>,
  ref: ObjectRef,
  options: CallOptions = {},
): Promise<Scale> {
  return (await resource.get(ref, { ...options, subresource: 'scale' })) as unknown as Scale;
}

/** Asks for so many replicas, whatever was asked for before. Answers the scale as it is now. */
export async function setReplicas<T extends KubeObject>(
  resource: ResourceClient<T>,
  target: ObjectRef & { readonly replicas: number },
  options: SubresourceOptions = {},
): Promise<Scale> {
  const { replicas, ...ref } = target;
  const patch = { type: 'merge' as const, body: { spec: { replicas } } };
  const written = await resource.patch(ref, patch, { ...options, subresource: 'scale' });
  return written as unknown as Scale;
}

/**
 * Has a pod deleted, where its disruption budgets allow it. Throws TooManyRequests where they do not: it is for the
 * caller to ask again later. One that is put off with Retry-After is made again by the transport.
 */
export async function evictPod(
  client: Client,
  ref: ObjectRef,
  options: Omit<DeleteOptions, 'propagationPolicy'> = {},
): Promise<void> {
  const { signal, dryRun, gracePeriodSeconds, preconditions } = options;
  const eviction: Eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: metadataOf(ref),
    deleteOptions: {
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(preconditions === undefined ? {} : { preconditions }),
    },
  };
  await post(client.resource(Pods), eviction, { signal, dryRun, subresource: 'eviction' });
}

/** Puts a pod on a node, as a scheduler does. Throws Conflict where it is on one already, or is not the one with the `uid`. */
export async function bindPod(
  client: Client,
  target: ObjectRef & { readonly node: string; readonly uid?: string | undefined },
  options: SubresourceOptions = {},
): Promise<void> {
  const { node, uid, ...ref } = target;
  const binding: Binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { ...metadataOf(ref), ...(uid === undefined ? {} : { uid }) },
    target: { apiVersion: 'v1', kind: 'Node', name: node },
  };
  await post(client.resource(Pods), binding, { ...options, subresource: 'binding' });
}

/** A token of a ServiceAccount, and until when (RFC 3339) it is good; an hour from now unless asked otherwise. */
export async function requestToken(
  client: Client,
  account: ObjectRef,
  options: TokenRequestSpec & CallOptions = {},
): Promise<{ readonly token: string; readonly expirationTimestamp: string }> {
  const { signal, ...spec } = options;
  const request: AuthenticationTokenRequest = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: metadataOf(account),
    spec,
  };
  const accounts = client.resource(ServiceAccounts);
  const answer = await post(accounts, request, { signal, subresource: 'token' });
  const { status } = answer as AuthenticationTokenRequest;
  return { token: status?.token ?? '', expirationTimestamp: status?.expirationTimestamp ?? '' };
}

/** What becomes of a certificate signing request, and why. */
export interface Approval {
  readonly name: string;
  readonly verdict: 'Approved' | 'Denied';
  /** A word for programs, such as `PolicyMet`. */
  readonly reason: string;
  readonly message?: string | undefined;
}

/** Approves or denies a certificate signing request. Throws Invalid where the opposite was said before. */
export async function judgeCertificateRequest(
  client: Client,
  { name, verdict, reason, message = '' }: Approval,
  options: SubresourceOptions = {},
): Promise<CertificateSigningRequest> {
  const requests = client.resource(CertificateSigningRequests);
  for (let attempt = 1; ; attempt++) {
    const request = await requests.get({ name }, { signal: options.signal });
    const known = request.status?.conditions ?? [];
    if (known.some(({ type }) => type === verdict)) return request;
    const conditions = [...known, { type: verdict, status: 'True', reason, message }];
    const judged = { ...request, status: { ...request.status, conditions } };
    try {
      return await requests.update(judged, { ...options, subresource: 'approval' });
    } catch (error) {
      if (!isConflict(error) || attempt >= MAX_APPROVAL_ATTEMPTS) throw error;
    }
  }
}

/** Adds a container to a pod that runs already, to look into it; it cannot be taken away again. */
export function addEphemeralContainer(
  client: Client,
  target: ObjectRef & { readonly container: EphemeralContainer },
  options: SubresourceOptions = {},
): Promise<Pod> {
  const { container, ...ref } = target;
  const body = { spec: { ephemeralContainers: [container] } };
  const at = { ...options, subresource: 'ephemeralcontainers' };
  return client.resource(Pods).patch(ref, { type: 'strategic', body }, at);
}

/** Changes what containers of a running pod may use, by their names, without making the pod anew. */
export function resizePod(
  client: Client,
  target: ObjectRef & { readonly resources: Readonly<Record<string, ResourceRequirements>> },
  options: SubresourceOptions = {},
): Promise<Pod> {
  const { resources, ...ref } = target;
  const containers = Object.entries(resources).map(([name, each]) => ({ name, resources: each }));
  const patch = { type: 'strategic' as const, body: { spec: { containers } } };
  return client.resource(Pods).patch(ref, patch, { ...options, subresource: 'resize' });
}

/** What is made of a subresource is another kind than its object. */
function post<T extends KubeObject>(
  resource: ResourceClient<T>,
  object: KubeObject,
  options: WriteOptions,
): Promise<KubeObject> {
  return resource.create(object as T, options);
}

function metadataOf({ name, namespace }: ObjectRef): { name: string; namespace?: string } {
  return namespace === undefined ? { name } : { name, namespace };
}
