// A node asks for tokens of ServiceAccounts only for pods that run on it (upstream's NodeRestriction, and its node authorizer).
// Invariant: who has broken into one node cannot become the account of a pod on another, nor for an audience that no pod named.
import type {
  AuthenticationTokenRequest,
  Pod,
  ServiceAccountTokenProjection,
} from '../../api/generated/types.ts';
import { Pods, ServiceAccounts } from '../../api/kinds.ts';
import { forbidden } from '../../api/status.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { objectKey } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const NODES = 'system:nodes';
const NODE = 'system:node:';

/** The plugin; `audiences` are those of tokens for which nobody named any. */
export function nodeRestriction(store: ObjectStore, audiences: readonly string[]): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    validate(request) {
      const { definition, subresource, user } = request;
      if (definition.ref !== ServiceAccounts || subresource !== 'token') return;
      if (!user.groups.includes(NODES)) return;
      const why = refusalOf(store, request, audiences);
      if (why !== undefined) throw forbidden(definition.ref, request.name, why);
    },
  };
}

function refusalOf(
  store: ObjectStore,
  { namespace, object, user }: AdmissionRequest,
  own: readonly string[],
): string | undefined {
  const { spec } = object as unknown as AuthenticationTokenRequest;
  const { kind, name = '', uid } = spec?.boundObjectRef ?? {};
  if (kind !== 'Pod' || !name) return 'node requested token not bound to a pod';
  if (!uid) return 'node requested token with a pod binding without a uid';
  const pod = store.get(objectKey(Pods, namespace, name))?.object() as Pod | undefined;
  if (pod?.metadata.uid !== uid)
    return `the UID in the bound object reference is not that of pod ${name}`;
  if (pod.spec?.nodeName !== nodeOf(user))
    return 'node requested token bound to a pod scheduled on a different node';
  const named = audiencesOf(pod);
  const isNamed = (each: string) => named.has(each) || (own.includes(each) && named.has(''));
  const foreign = spec?.audiences?.find((each) => !isNamed(each));
  return foreign === undefined ? undefined : `audience "${foreign}" not found in pod spec volume`;
}

function nodeOf({ username }: UserInfo): string | undefined {
  return username.startsWith(NODE) ? username.slice(NODE.length) : undefined;
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
