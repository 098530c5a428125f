// The variable `authorizer` of policies and match conditions: may the one who asks, or an account, do something else?
// Invariant: pure; who decides is told when the variable is made, and each question costs what upstream charges for it.
import { CelError } from '../cel/cel-error.ts';
import { type ObjectType, objectOf, opaque } from '../cel/cel-type.ts';
import { type CostModel, type Library, method, type Overload } from '../cel/overload.ts';
import { type CelValue, ObjectValue, OpaqueValue } from '../cel/values.ts';
import { dnsLabel, dnsSubdomain } from '../meta/names.ts';
import type { AccessRequest } from '../rbac/evaluate.ts';
import type { UserInfo } from '../wire/exchange.ts';

/** Answers whether a user may do something; the namespace is '' where it is about none. */
export type Decide = (user: UserInfo, request: AccessRequest, namespace: string) => boolean;

/** What the request itself is about, for `authorizer.requestResource`. */
export interface RequestedResource {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

const PREFIX = 'kubernetes.authorization.';
const NAMES = {
  authorizer: `${PREFIX}Authorizer`,
  path: `${PREFIX}PathCheck`,
  group: `${PREFIX}GroupCheck`,
  resource: `${PREFIX}ResourceCheck`,
  decision: `${PREFIX}Decision`,
} as const;

/** The type of the variable. */
export const AUTHORIZER_TYPE: ObjectType = objectOf(NAMES.authorizer, {
  requestResource: opaque(NAMES.resource),
});

/** The variable: asks as `user`. */
export function authorizerValue(
  decide: Decide,
  user: UserInfo,
  requested: RequestedResource,
): CelValue {
  return new Authorizer({ decide, user }, requested);
}

interface Asker {
  readonly decide: Decide;
  readonly user: UserInfo;
}

class Authorizer extends ObjectValue {
  readonly typeName = NAMES.authorizer;
  readonly asker: Asker;
  readonly #requested: RequestedResource | undefined;

  constructor(asker: Asker, requested?: RequestedResource) {
    super();
    this.asker = asker;
    this.#requested = requested;
  }

  get(field: string): CelValue | undefined {
    if (field !== 'requestResource' || this.#requested === undefined) return undefined;
    return new ResourceCheck(this.asker, this.#requested);
  }

  names(): readonly string[] {
    return this.#requested === undefined ? [] : ['requestResource'];
  }
}

abstract class Check extends OpaqueValue {
  readonly asker: Asker;

  constructor(asker: Asker) {
    super();
    this.asker = asker;
  }

  equals(other: OpaqueValue): boolean {
    return other === this;
  }
}

class PathCheck extends Check {
  readonly typeName = NAMES.path;
  readonly path: string;

  constructor(asker: Asker, path: string) {
    super(asker);
    this.path = path;
  }
}

class GroupCheck extends Check {
  readonly typeName = NAMES.group;
  readonly group: string;

  constructor(asker: Asker, group: string) {
    super(asker);
    this.group = group;
  }
}

class ResourceCheck extends Check {
  readonly typeName = NAMES.resource;
  readonly about: RequestedResource;

  constructor(asker: Asker, about: RequestedResource) {
    super(asker);
    this.about = about;
  }

  with(more: Partial<RequestedResource>): ResourceCheck {
    return new ResourceCheck(this.asker, { ...this.about, ...more });
  }
}

class Decision extends OpaqueValue {
  readonly typeName = NAMES.decision;
  readonly allowed: boolean;

  constructor(allowed: boolean) {
    super();
    this.allowed = allowed;
  }

  equals(other: OpaqueValue): boolean {
    return other === this;
  }
}

/** Leaves room for two questions in an expression, as upstream does. */
const QUESTION: CostModel = { cost: () => 350_000 };

const text = (value: CelValue | undefined): string => value as string;
const check = (value: CelValue | undefined): ResourceCheck => value as ResourceCheck;

/** The functions of the variable. */
export const AUTHORIZER_LIBRARY: Library = [
  ofAuthorizer(`path(A, string): ${NAMES.path}`, (asker, path) => {
    if (path === '') throw new CelError('path must not be empty');
    return new PathCheck(asker, path);
  }),
  ofAuthorizer(`group(A, string): ${NAMES.group}`, (asker, group) => new GroupCheck(asker, group)),
  ofAuthorizer('serviceAccount(A, string, string): A', ({ decide }, namespace, name) => {
    if (dnsLabel(namespace) !== undefined) throw new CelError('Invalid service account namespace');
    if (dnsSubdomain(name) !== undefined) throw new CelError('Invalid service account name');
    return new Authorizer({ decide, user: accountOf(namespace, name) });
  }),
  method(`resource(${NAMES.group}, string): ${NAMES.resource}`, ([group, resource]) => {
    const { asker, group: name } = group as GroupCheck;
    const nothing = { subresource: '', namespace: '', name: '' };
    return new ResourceCheck(asker, { group: name, resource: text(resource), ...nothing });
  }),
  ofResource('subresource', (one, subresource) => one.with({ subresource })),
  ofResource('namespace', (one, namespace) => one.with({ namespace })),
  ofResource('name', (one, name) => one.with({ name })),
  // RBAC has no rules about selectors, so they change no decision.
  ofResource('fieldSelector', (one) => one),
  ofResource('labelSelector', (one) => one),
  method(
    `check(${NAMES.path}, string): ${NAMES.decision}`,
    ([value, verb]) => {
      const { asker, path } = value as PathCheck;
      return new Decision(asker.decide(asker.user, { verb: text(verb), path }, ''));
    },
    QUESTION,
  ),
  method(
    `check(${NAMES.resource}, string): ${NAMES.decision}`,
    ([value, verb]) => {
      const { asker, about } = check(value);
      const { namespace, ...what } = about;
      return new Decision(asker.decide(asker.user, { verb: text(verb), ...what }, namespace));
    },
    QUESTION,
  ),
  method(`allowed(${NAMES.decision}): bool`, ([decision]) => (decision as Decision).allowed),
  // Decisions here have no reasons, and looking rules up cannot fail.
  method(`reason(${NAMES.decision}): string`, () => ''),
  method(`errored(${NAMES.decision}): bool`, () => false),
  method(`error(${NAMES.decision}): string`, () => ''),
];

/** A method of the variable itself, whose type has fields: it stands as A in the signature. */
function ofAuthorizer(
  signature: string,
  run: (asker: Asker, ...args: string[]) => CelValue,
): Overload {
  const read = method(signature, ([value, ...args]) =>
    run((value as Authorizer).asker, ...args.map(text)),
  );
  const [, ...params] = read.params;
  const result = read.result.kind === 'param' ? AUTHORIZER_TYPE : read.result;
  return { ...read, params: [AUTHORIZER_TYPE, ...params], result };
}

function ofResource(
  name: string,
  run: (value: ResourceCheck, argument: string) => CelValue,
): Overload {
  const signature = `${name}(${NAMES.resource}, string): ${NAMES.resource}`;
  return method(signature, ([value, argument]) => run(check(value), text(argument)));
}

/** An account as it would ask itself. */
function accountOf(namespace: string, name: string): UserInfo {
  const all = 'system:serviceaccounts';
  return {
    username: `system:serviceaccount:${namespace}:${name}`,
    groups: [all, `${all}:${namespace}`, 'system:authenticated'],
  };
}
