// What expressions of policies and match conditions may speak of: the variables and their types.
// Invariant: pure; object, oldObject and params are dyn, as one expression is about objects of several kinds.
import {
  BOOL,
  type CelType,
  DYN,
  INT,
  listOf,
  mapOf,
  objectOf,
  type ObjectType,
  STRING,
  TIMESTAMP,
} from '../cel/cel-type.ts';
import type { Declarations } from '../cel/environment.ts';
import type { PatternAllowance } from '../cel/pattern-allowance.ts';
import { AUTHORIZER_LIBRARY, AUTHORIZER_TYPE } from './authorizer-library.ts';

const VERSIONED_KIND = objectOf('kubernetes.GroupVersionKind', {
  group: STRING,
  version: STRING,
  kind: STRING,
});
const VERSIONED_RESOURCE = objectOf('kubernetes.GroupVersionResource', {
  group: STRING,
  version: STRING,
  resource: STRING,
});
const USER_INFO = objectOf('kubernetes.UserInfo', {
  username: STRING,
  uid: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
});

/** The type of `request`. */
export const REQUEST_TYPE: ObjectType = objectOf('kubernetes.AdmissionRequest', {
  kind: VERSIONED_KIND,
  resource: VERSIONED_RESOURCE,
  subResource: STRING,
  requestKind: VERSIONED_KIND,
  requestResource: VERSIONED_RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: USER_INFO,
  dryRun: BOOL,
  options: DYN,
});

/** The type of `namespaceObject`. */
export const NAMESPACE_TYPE: ObjectType = objectOf('kubernetes.Namespace', {
  metadata: objectOf('kubernetes.NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: mapOf(STRING, STRING),
    annotations: mapOf(STRING, STRING),
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: listOf(STRING),
  }),
  spec: objectOf('kubernetes.NamespaceSpec', { finalizers: listOf(STRING) }),
  status: objectOf('kubernetes.NamespaceStatus', {
    conditions: listOf(
      objectOf('kubernetes.NamespaceCondition', {
        status: STRING,
        type: STRING,
        lastTransitionTime: TIMESTAMP,
        message: STRING,
        reason: STRING,
      }),
    ),
    phase: STRING,
  }),
});

/** Of which variables there are beside the ones that every expression has. */
export interface Scope {
  /** The policy has parameters; their type where it is known. */
  readonly params?: CelType | undefined;
  /** `authorizer` is there too. */
  readonly authorizer?: boolean;
  /** The policy's own variables. */
  readonly variables?: ObjectType;
  /** The type of object and oldObject where it is known. */
  readonly object?: CelType;
  /** Room for patterns that the expression shares with others; none for what is stored. */
  readonly patterns?: PatternAllowance | undefined;
}

/** The declarations of an expression. */
export function declarationsOf(scope: Scope): Declarations {
  const { object = DYN, params, authorizer, variables, patterns } = scope;
  return {
    variables: {
      object,
      oldObject: object,
      request: REQUEST_TYPE,
      namespaceObject: NAMESPACE_TYPE,
      ...(params && { params }),
      ...(variables && { variables }),
      ...(authorizer && { authorizer: AUTHORIZER_TYPE }),
    },
    ...(authorizer && { functions: AUTHORIZER_LIBRARY }),
    ...(patterns && { patterns }),
  };
}
