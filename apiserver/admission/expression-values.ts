// A write as expressions of policies and match conditions see it: object, oldObject, request, namespaceObject, authorizer.
// Invariant: objects are in the version that was matched; nothing is copied, and nothing may be changed while values are in use.
import {
  authorizerValue,
  type Decide,
} from '../../api/admissionregistration/authorizer-library.ts';
import {
  NAMESPACE_TYPE,
  REQUEST_TYPE,
} from '../../api/admissionregistration/expression-variables.ts';
import { DYN } from '../../api/cel/cel-type.ts';
import { celValue } from '../../api/cel/json-values.ts';
import type { CelValue } from '../../api/cel/values.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import { Namespaces } from '../../api/kinds.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { notFound } from '../../api/status.ts';
import { objectKey } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { AdmissionRequest } from './admission.ts';
import type { AdmittedObjects } from './admitted-object.ts';
import { kindOfRequest, requestNamespace } from './matching.ts';

/** What of a write is shown. */
export interface Shown {
  /** The definition in whose version. */
  readonly as: ResourceDefinition;
  readonly objects: AdmittedObjects;
  /** The namespace that the object is in, if it is in one. */
  readonly namespace: LooseObject | undefined;
}

/** Values of variables by name. */
export type Bindings = Readonly<Record<string, CelValue>>;

/** The variables that every expression has. */
export function bindingsOf(
  request: AdmissionRequest,
  { as, objects: { object, old }, namespace }: Shown,
): Bindings {
  return {
    object: celValue(object ?? null, DYN),
    oldObject: celValue(old ?? null, DYN),
    request: celValue(requestJson(request, as), REQUEST_TYPE),
    namespaceObject: celValue(namespace ? namespaceJson(namespace) : null, NAMESPACE_TYPE),
  };
}

/** The variable `authorizer` of a write. */
export function authorizerOf(request: AdmissionRequest, decide: Decide): CelValue {
  const { definition, subresource = '', namespace, name, user } = request;
  const { group, plural } = definition.ref;
  return authorizerValue(decide, user, { group, resource: plural, subresource, namespace, name });
}

/** The namespace that a write is in; undefined for objects of the cluster, namespaces among them. Throws NotFound. */
export function namespaceOf(
  { definition, namespace }: AdmissionRequest,
  store: ObjectStore,
): LooseObject | undefined {
  if (!definition.ref.namespaced) return undefined;
  const found = store.get(objectKey(Namespaces, '', namespace));
  if (!found) throw notFound(Namespaces, namespace);
  return found.object();
}

/** An AdmissionRequest without its objects: what there is nothing of is left out. */
function requestJson(request: AdmissionRequest, as: ResourceDefinition): object {
  const { definition, operation, subresource, name, dryRun, options } = request;
  const namespace = requestNamespace(request);
  const { username, uid, groups, extra } = request.user;
  const sub = subresource ?? '';
  return {
    kind: kindOfRequest(as, subresource) ?? kindOfRequest(as, undefined),
    resource: resourceOf(as),
    ...(sub && { subResource: sub }),
    requestKind: kindOfRequest(definition, subresource) ?? kindOfRequest(definition, undefined),
    requestResource: resourceOf(definition),
    ...(sub && { requestSubResource: sub }),
    ...(name && { name }),
    ...(namespace && { namespace }),
    operation: operation.toUpperCase(),
    userInfo: { username, groups, ...(uid && { uid }), ...(extra && { extra }) },
    dryRun,
    ...(options && { options }),
  };
}

function resourceOf({ ref: { group, version, plural } }: ResourceDefinition): object {
  return { group, version, resource: plural };
}

/** As upstream has it: `UID` in capitals. */
function namespaceJson(namespace: LooseObject): object {
  const { uid, ...metadata } = namespace.metadata;
  return { ...namespace, metadata: { ...metadata, UID: uid } };
}
