// Nobody grants what they do not have: rules of roles, and roles in bindings (Kubernetes docs: privilege escalation
// prevention). The verbs `escalate` and `bind` on the role lift it.
import { ClusterRoles, Roles } from '../../api/kinds.ts';
import type { ClusterRole, PolicyRule, RoleBinding } from '../../api/generated/types.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { uncoveredRules } from '../../api/rbac/evaluate.ts';
import { forbidden, notFound } from '../../api/status.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import type { RbacAuthorizer } from '../auth/rbac.ts';
import { objectKey } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { VisibleObject } from '../watch/visible-object.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const GROUP = 'rbac.authorization.k8s.io';
const ROLES = new Set(['roles', 'clusterroles']);
const BINDINGS = new Set(['rolebindings', 'clusterrolebindings']);

/** A role that is made of others may come to hold any rule. */
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];
const aggregation = (role: object | undefined) =>
  (role as ClusterRole | undefined)?.aggregationRule;

/** The plugin. */
export function rbacEscalation(rbac: RbacAuthorizer, store: ObjectStore): AdmissionPlugin {
  return {
    name: 'RbacEscalation',
    validate(request) {
      const { definition, operation, object, old } = request;
      if (definition.ref.group !== GROUP || operation === 'delete') return;
      const { plural } = definition.ref;
      if (plural === ClusterRoles.plural && !deepEqual(aggregation(object), aggregation(old)))
        check(rbac, request, { verb: 'escalate', role: plural, rules: EVERYTHING });
      if (ROLES.has(plural) && !deepEqual(object['rules'], old?.['rules']))
        check(rbac, request, { verb: 'escalate', role: plural, rules: rulesOf(object) });
      if (BINDINGS.has(plural) && !sameGrant(object, old)) {
        const { kind, name } = (object as unknown as RoleBinding).roleRef;
        const [role, key] =
          kind === 'ClusterRole'
            ? ['clusterroles', objectKey(ClusterRoles, '', name)]
            : ['roles', objectKey(Roles, request.namespace, name)];
        check(rbac, request, { verb: 'bind', role, name, rules: roleRules(store.get(key)) });
      }
    },
  };
}

function sameGrant(object: object, old: object | undefined): boolean {
  const grant = (binding: object) => {
    const { roleRef, subjects } = binding as RoleBinding;
    return { roleRef, subjects };
  };
  return old !== undefined && deepEqual(grant(object), grant(old));
}

function rulesOf(role: object | undefined): readonly PolicyRule[] {
  return (role as ClusterRole | undefined)?.rules ?? [];
}

const roleRules = (role: VisibleObject | undefined) => role && rulesOf(role.object());

interface Grant {
  readonly verb: 'escalate' | 'bind';
  readonly role: string;
  /** The role's; that of the object itself unless given. */
  readonly name?: string;
  /** Undefined where there is no such role: what it will once allow nobody knows. */
  readonly rules: readonly PolicyRule[] | undefined;
}

function check(rbac: RbacAuthorizer, request: AdmissionRequest, grant: Grant): void {
  const { definition, namespace, user } = request;
  const name = request.name || (request.object.metadata.name ?? '');
  const lifted = { verb: grant.verb, group: GROUP, resource: grant.role, name: grant.name ?? name };
  if (rbac.allows(user, lifted, namespace)) return;
  if (!grant.rules) throw notFound({ group: GROUP, plural: grant.role }, lifted.name);
  const missing = uncoveredRules(rbac.rulesFor(user, namespace), grant.rules);
  if (missing.length === 0) return;
  throw forbidden(definition.ref, name, refusal(user, missing));
}

function refusal(user: UserInfo, missing: readonly PolicyRule[]): string {
  const rules = missing.map((rule) => JSON.stringify(rule)).join('\n');
  return `user "${user.username}" (groups=${JSON.stringify(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${rules}`;
}
