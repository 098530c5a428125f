// Questions about access, as create-only resources: who am I, may I, may somebody, whose token is this.
// Invariant: nothing is stored; an answer comes from the same decision that requests pass.
import type { KubeObject, LooseObject } from '../../api/meta/object.ts';
import { decodeObject } from '../../api/schema/decode.ts';
import type { ServedResource } from '../../api/schema/endpoints.ts';
import { type AccessRequest, SUPERUSERS } from '../../api/rbac/evaluate.ts';
import { badRequest, StatusError } from '../../api/status.ts';
import type { Reply, Request, UserInfo } from '../../api/wire/exchange.ts';
import { checkWriteOptions } from '../handlers/write-options.ts';
import type { VirtualHandler } from '../pipeline.ts';
import { objectReply } from '../reply.ts';
import { parseBody } from '../request-body.ts';
import { authenticated } from './authenticator.ts';
import type { TokenReader } from './bearer-token.ts';
import type { RbacAuthorizer } from './rbac.ts';

const AUTHENTICATION = 'authentication.k8s.io';
const AUTHORIZATION = 'authorization.k8s.io';

interface ResourceAttributes {
  namespace?: string;
  verb?: string;
  group?: string;
  resource?: string;
  subresource?: string;
  name?: string;
}

interface ReviewSpec {
  resourceAttributes?: ResourceAttributes;
  nonResourceAttributes?: { path?: string; verb?: string };
  user?: string;
  groups?: string[];
  namespace?: string;
  token?: string;
  audiences?: string[];
}

interface Review extends LooseObject {
  spec: ReviewSpec;
}

/** Who decides. */
interface Judges {
  readonly rbac: RbacAuthorizer;
  readonly readToken: TokenReader;
  /** The server's own audiences. */
  readonly audiences: readonly string[];
}

type Answer = (review: Review, user: UserInfo, judges: Judges) => object;

interface Kind {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly answer: Answer;
}

const KINDS: readonly Kind[] = [
  {
    group: AUTHENTICATION,
    kind: 'SelfSubjectReview',
    plural: 'selfsubjectreviews',
    namespaced: false,
    answer: (_review, user) => ({ userInfo: shownUser(user) }),
  },
  {
    group: AUTHENTICATION,
    kind: 'TokenReview',
    plural: 'tokenreviews',
    namespaced: false,
    answer: (review, _user, judges) => bearer(review.spec, judges),
  },
  {
    group: AUTHORIZATION,
    kind: 'SelfSubjectAccessReview',
    plural: 'selfsubjectaccessreviews',
    namespaced: false,
    answer: (review, user, { rbac }) => decision(rbac, user, review.spec),
  },
  {
    group: AUTHORIZATION,
    kind: 'SubjectAccessReview',
    plural: 'subjectaccessreviews',
    namespaced: false,
    answer: (review, _user, { rbac }) => decision(rbac, subjectOf(review.spec), review.spec),
  },
  {
    group: AUTHORIZATION,
    kind: 'LocalSubjectAccessReview',
    plural: 'localsubjectaccessreviews',
    namespaced: true,
    answer: (review, _user, { rbac }) => decision(rbac, subjectOf(review.spec), review.spec),
  },
  {
    group: AUTHORIZATION,
    kind: 'SelfSubjectRulesReview',
    plural: 'selfsubjectrulesreviews',
    namespaced: false,
    answer: (review, user, { rbac }) => rulesOf(rbac, user, review.spec.namespace ?? 'default'),
  },
];

/** The review kinds, for discovery. */
export const reviewResources: readonly ServedResource[] = KINDS.map((kind) => ({
  ref: {
    group: kind.group,
    version: 'v1',
    kind: kind.kind,
    plural: kind.plural,
    namespaced: kind.namespaced,
  },
  singular: kind.kind.toLowerCase(),
  verbs: ['create'],
}));

/** Answers reviews. */
export function reviews(judges: Judges): VirtualHandler {
  return (request, user, info) => {
    const kind = KINDS.find((each) => each.group === info.group && each.plural === info.resource);
    if (!kind || info.version !== 'v1') return undefined;
    if (info.verb !== 'create')
      throw new StatusError('MethodNotAllowed', 'reviews are created, and not kept');
    checkWriteOptions(info.verb, request);
    return Promise.resolve(answer(kind, { request, user, judges, namespace: info.namespace }));
  };
}

interface Asked {
  readonly request: Request;
  readonly user: UserInfo;
  readonly judges: Judges;
  readonly namespace: string;
}

function answer(kind: Kind, at: Asked): Reply {
  const { value } = parseBody(at.request);
  if (value === undefined) throw badRequest('a request body is needed: the review');
  const gvk = { group: kind.group, version: 'v1', kind: kind.kind };
  const side = kind.group === AUTHENTICATION ? 'authentication' : 'authorization';
  const { object } = decodeObject(`io.k8s.api.${side}.v1.${kind.kind}`, value, { gvk });
  const review = {
    ...object,
    metadata: object.metadata ?? {},
    spec: object['spec'] ?? {},
  } as Review;
  if (kind.namespaced) checkLocal(review.spec, at.namespace);
  const status = kind.answer(review, at.user, at.judges);
  const { spec, ...rest } = review as KubeObject & { spec?: unknown };
  const shown = kind.kind === 'SelfSubjectReview' ? rest : { ...rest, spec };
  return objectReply({ ...shown, status }, 201);
}

function shownUser({ username, groups, uid, extra }: UserInfo): object {
  return { username, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
}

/** Whose bearer token it is, and for whom. A wrong one is an answer, not a failure. */
function bearer({ token, audiences = [] }: ReviewSpec, judges: Judges): object {
  if (!token) throw badRequest('token is required for TokenReview in authentication');
  const wanted = audiences.length > 0 ? audiences : judges.audiences;
  const verdict = judges.readToken(token, wanted);
  if (verdict?.kind === 'known') {
    const user = shownUser(authenticated(verdict.user));
    return { authenticated: true, user, audiences: verdict.audiences };
  }
  const error = verdict ? `[invalid bearer token, ${verdict.why}]` : 'invalid bearer token';
  return { user: {}, error };
}

/** A local review asks about the namespace it is made in, and nothing else. */
function checkLocal(spec: ReviewSpec, namespace: string): void {
  if (spec.nonResourceAttributes)
    throw badRequest('spec.nonResourceAttributes: Forbidden: disallowed on this kind of request');
  if (spec.resourceAttributes?.namespace !== namespace)
    throw badRequest(
      `spec.resourceAttributes.namespace: Invalid value: must match metadata.namespace: "${namespace}"`,
    );
}

function subjectOf(spec: ReviewSpec): UserInfo {
  if (!spec.user && !spec.groups?.length)
    throw badRequest('spec.user: Required value: at least one of user or groups must be specified');
  return { username: spec.user ?? '', groups: spec.groups ?? [] };
}

function decision(rbac: RbacAuthorizer, user: UserInfo, spec: ReviewSpec): object {
  const { resourceAttributes: about, nonResourceAttributes: path } = spec;
  if (!about === !path)
    throw badRequest(
      'spec: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
  const request: AccessRequest = about
    ? {
        verb: about.verb ?? '',
        group: about.group ?? '',
        resource: about.resource ?? '',
        subresource: about.subresource || undefined,
        name: about.name || undefined,
      }
    : { verb: path?.verb ?? '', path: path?.path ?? '' };
  return rbac.decide(user, request, about?.namespace ?? '');
}

function rulesOf(rbac: RbacAuthorizer, user: UserInfo, namespace: string): object {
  const rules = rbac.rulesFor(user, namespace);
  const everything = user.groups.includes(SUPERUSERS)
    ? [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]
    : [];
  return {
    incomplete: false,
    resourceRules: [
      ...everything,
      ...rules
        .filter((rule) => rule.resources)
        .map(({ verbs, apiGroups, resources, resourceNames }) => ({
          verbs,
          apiGroups,
          resources,
          ...(resourceNames ? { resourceNames } : {}),
        })),
    ],
    nonResourceRules: rules
      .filter((rule) => rule.nonResourceURLs)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
  };
}
