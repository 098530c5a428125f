// POST serviceaccounts/NAME/token: a token of the account, for audiences, for a time, tied to an object if asked (TokenRequest).
// Invariant: nothing is stored; what a token is tied to was there, with that uid, when it was made.
import type {
  AuthenticationTokenRequest,
  Pod,
  ServiceAccount,
  TokenRequestSpec,
} from '../../api/generated/types.ts';
import { type FieldError, fieldError, invalid, invalidValue } from '../../api/field-error.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { Nodes, Pods, Secrets } from '../../api/kinds.ts';
import type { KubeObject, LooseObject, ObjectMeta } from '../../api/meta/object.ts';
import { formatTime } from '../../api/meta/time.ts';
import { decodeObject } from '../../api/schema/decode.ts';
import { badRequest, conflict, notFound } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import { POD_TOKEN_SECONDS, type ServiceAccountTokens } from '../auth/service-account-tokens.ts';
import type { AccountClaims, Tie } from '../auth/token-claims.ts';
import { MAX_TOKEN_CHARS } from '../auth/signing-key.ts';
import type { Exchange } from '../exchange.ts';
import { objectKey } from '../registry/keys.ts';
import { objectReply } from '../reply.ts';
import { parseBody } from '../request-body.ts';
import { admissionOf } from './admission-request.ts';

const GVK = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' } as const;
const DEFAULT_SECONDS = 3600;
/** Bounds of a token's life, as upstream has them. */
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
const EXTENDED_SECONDS = 365 * 86_400;

/** Makes a token. Throws NotFound without the account, Conflict for an object that is another by now. */
export async function requestToken(exchange: Exchange): Promise<Reply> {
  const { info, server, warnings } = exchange;
  const account = server.registry
    .get({ definition: exchange.definition, namespace: info.namespace, name: info.name ?? '' })
    .object() as ServiceAccount;
  const request = readRequest(exchange, account);
  await admit(exchange, request);
  const spec = request.spec as TokenRequestSpec & {
    audiences: string[];
    expirationSeconds: number;
  };
  const { tokens } = server;
  const longest = tokens.maxSeconds;
  if (longest !== undefined && spec.expirationSeconds > longest) {
    warnings.push(
      `requested expiration of ${spec.expirationSeconds} seconds shortened to ${longest} seconds`,
    );
    spec.expirationSeconds = longest;
  }
  const { token, expiresAtMs } = tokens.issue({
    about: {
      namespace: info.namespace,
      serviceaccount: tieOf(account),
      ...tiesOf(exchange, account, spec),
    },
    audiences: spec.audiences,
    seconds: spec.expirationSeconds,
    extension: extensionOf(spec, tokens),
  });
  if (token.length > MAX_TOKEN_CHARS) {
    const why = `Too long: the token would have ${token.length} characters, and none above ${MAX_TOKEN_CHARS} is accepted: ask for fewer or shorter audiences`;
    throw invalid(GVK, '', [fieldError('FieldValueTooLong', 'spec.audiences', why)]);
  }
  const status = { token, expirationTimestamp: formatTime(expiresAtMs) };
  return objectReply({ ...request, status }, 201);
}

function readRequest(exchange: Exchange, account: ServiceAccount): AuthenticationTokenRequest {
  const { info, request, server } = exchange;
  const { value } = parseBody(request);
  if (value === undefined) throw badRequest('a request body is needed: the TokenRequest');
  const schema = 'io.k8s.api.authentication.v1.TokenRequest';
  const { object } = decodeObject(schema, value, { gvk: GVK });
  const { metadata = {}, spec = {} } = object as unknown as Partial<AuthenticationTokenRequest>;
  checkNames(exchange, account, metadata);
  const audiences = spec.audiences?.length ? spec.audiences : [...server.tokens.audiences];
  const expirationSeconds = spec.expirationSeconds ?? DEFAULT_SECONDS;
  checkLife(expirationSeconds);
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: GVK.kind,
    metadata: {
      ...metadata,
      name: info.name ?? '',
      namespace: info.namespace,
      creationTimestamp: formatTime(server.clock.now()),
    },
    spec: { ...spec, audiences, expirationSeconds },
  };
}

/** A request may repeat what its path says, and may say which of several namesakes it means. */
function checkNames(
  { definition, info }: Exchange,
  account: ServiceAccount,
  metadata: Partial<ObjectMeta>,
): void {
  const { name, namespace } = metadata;
  if (name && name !== info.name)
    throw badRequest(
      `the name of the object (${name}) does not match the name on the URL (${info.name})`,
    );
  if (namespace && namespace !== info.namespace)
    throw badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  const { uid } = account.metadata;
  if (metadata.uid && metadata.uid !== uid)
    throw conflict(
      definition.ref,
      info.name ?? '',
      `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${uid})`,
    );
}

/** Throws Invalid for a life that no token may have. */
function checkLife(seconds = DEFAULT_SECONDS): void {
  const errors = lifeErrors(seconds);
  if (errors.length > 0) throw invalid(GVK, '', errors);
}

function lifeErrors(seconds: number): FieldError[] {
  const refuse = (why: string) => [invalidValue('spec.expirationSeconds', seconds, why)];
  if (seconds < MIN_SECONDS) return refuse('may not specify a duration less than 10 minutes');
  if (seconds > MAX_SECONDS) return refuse('may not specify a duration larger than 2^32 seconds');
  return [];
}

/** The chain sees the request as a create of the account's token. */
async function admit(exchange: Exchange, token: AuthenticationTokenRequest): Promise<void> {
  const object = token as unknown as LooseObject;
  const admission = admissionOf(exchange, { operation: 'create', object });
  if (await exchange.server.admission.mutate(admission)) checkLife(token.spec?.expirationSeconds);
  await exchange.server.admission.validate(admission);
}

function extensionOf(
  { audiences, expirationSeconds, boundObjectRef }: TokenRequestSpec,
  tokens: ServiceAccountTokens,
): number {
  const ordinary =
    expirationSeconds === POD_TOKEN_SECONDS &&
    boundObjectRef?.kind === 'Pod' &&
    audiences?.every((each) => tokens.audiences.includes(each));
  if (!ordinary) return 0;
  const longest = Math.min(EXTENDED_SECONDS, tokens.maxSeconds ?? EXTENDED_SECONDS);
  return Math.max(0, longest - POD_TOKEN_SECONDS);
}

/** What the token is tied to, as claims. */
function tiesOf(
  exchange: Exchange,
  account: ServiceAccount,
  { boundObjectRef: bound }: TokenRequestSpec,
): Partial<AccountClaims> {
  if (!bound) return {};
  const { kind = '', apiVersion = 'v1' } = bound;
  const find = (ref: KindRef<KubeObject>) => found(exchange, ref, bound);
  switch (apiVersion === 'v1' ? kind : '') {
    case 'Pod': {
      const pod = find(Pods) as Pod;
      if ((pod.spec?.serviceAccountName ?? '') !== account.metadata.name)
        throw badRequest(
          `cannot bind token for serviceaccount "${account.metadata.name}" to pod running with different serviceaccount name.`,
        );
      return { pod: tieOf(pod), ...nodeOf(exchange, pod) };
    }
    case 'Secret':
      return { secret: tieOf(find(Secrets)) };
    case 'Node':
      return { node: tieOf(find(Nodes)) };
    default:
      throw badRequest(
        `cannot bind token to object of type ${apiVersion}, Kind=${kind}: it must be a Pod, Secret or Node of v1`,
      );
  }
}

/** The node that a pod was given; without uid where nobody knows the node any more. */
function nodeOf({ server }: Exchange, { spec }: Pod): { node?: Tie } {
  const name = spec?.nodeName;
  if (!name) return {};
  const node = server.store.get(objectKey(Nodes, '', name))?.object();
  return { node: { name, uid: node?.metadata.uid ?? '' } };
}

function found(
  { info, server }: Exchange,
  ref: KindRef<KubeObject>,
  { name = '', uid }: { name?: string | undefined; uid?: string | undefined },
): KubeObject {
  const object = server.store.get(objectKey(ref, info.namespace, name))?.object();
  if (!object) throw notFound(ref, name);
  const { uid: actual } = object.metadata;
  if (uid && uid !== actual)
    throw conflict(
      ref,
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  return object;
}

const tieOf = ({ metadata }: KubeObject): Tie => ({
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
});
