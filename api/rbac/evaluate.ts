// Do these rules allow this request? The whole of RBAC's decision, apart from finding the rules.
// Pure. `*` stands for all; `*/scale` for that subresource of all; a path ending in `*` for all below it.
import type { PolicyRule, RbacSubject } from '../generated/types.ts';
import type { UserInfo } from '../wire/exchange.ts';

/** The group of those who may do everything, whatever the rules say. */
export const SUPERUSERS = 'system:masters';

/** A request for a resource. `name` is '' or absent where none is in the URL, as on list and create. */
export interface ResourceRequest {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string | undefined;
  readonly name?: string | undefined;
}

/** A request for a path that is no resource, such as /healthz; the verb is the HTTP method in lower case. */
export interface PathRequest {
  readonly verb: string;
  readonly path: string;
}

/** Either sort. */
export type AccessRequest = ResourceRequest | PathRequest;

/** Does at least one rule allow it? */
export function rulesAllow(rules: readonly PolicyRule[], request: AccessRequest): boolean {
  return rules.some((rule) => ruleAllows(rule, request));
}

/** Does this rule allow it? */
export function ruleAllows(rule: PolicyRule, request: AccessRequest): boolean {
  if (!holds(rule.verbs, request.verb)) return false;
  if ('path' in request) return pathAllowed(rule.nonResourceURLs ?? [], request.path);
  return (
    holds(rule.apiGroups, request.group) &&
    resourceAllowed(rule.resources ?? [], request) &&
    nameAllowed(rule.resourceNames ?? [], request.name)
  );
}

function holds(list: readonly string[] | undefined, wanted: string): boolean {
  return list !== undefined && (list.includes('*') || list.includes(wanted));
}

function resourceAllowed(
  resources: readonly string[],
  { resource, subresource }: ResourceRequest,
): boolean {
  if (resources.includes('*')) return true;
  if (!subresource) return resources.includes(resource);
  return resources.includes(`${resource}/${subresource}`) || resources.includes(`*/${subresource}`);
}

/** No names mean all; with names, a request that names none is not allowed. */
function nameAllowed(names: readonly string[], name: string | undefined): boolean {
  return names.length === 0 || (name !== undefined && name !== '' && names.includes(name));
}

function pathAllowed(urls: readonly string[], path: string): boolean {
  return urls.some((url) => {
    if (url === '*' || url === path) return true;
    return url.endsWith('*') && path.startsWith(url.replace(/\*+$/, ''));
  });
}

/** Who asks. */
export type Subject = Pick<UserInfo, 'username' | 'groups'>;

/** Does the binding's subject mean this user? A service account without namespace is of the binding's. */
export function subjectIs(
  subject: RbacSubject,
  user: Subject,
  bindingNamespace: string | undefined,
): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.name === user.username;
    case 'Group':
      return user.groups.includes(subject.name);
    case 'ServiceAccount': {
      const namespace = subject.namespace || bindingNamespace;
      return !!namespace && user.username === `system:serviceaccount:${namespace}:${subject.name}`;
    }
    default:
      return false;
  }
}

/**
 * The parts of `wanted` that `owned` does not allow, one verb and one resource or path each; empty when all
 * is covered. Nobody may grant what they do not have (Kubernetes docs: privilege escalation prevention).
 */
export function uncoveredRules(
  owned: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): PolicyRule[] {
  return wanted.flatMap(splitRule).filter((part) => !owned.some((rule) => covers(rule, part)));
}

/** One rule for each combination of its parts; names of resources apart too. */
function splitRule(rule: PolicyRule): PolicyRule[] {
  const names = (rule.resourceNames ?? []).map((name) => [name]);
  return rule.verbs.flatMap((verb) => [
    ...(rule.nonResourceURLs ?? []).map((url) => ({ verbs: [verb], nonResourceURLs: [url] })),
    ...(rule.apiGroups ?? []).flatMap((group) =>
      (rule.resources ?? []).flatMap((resource) =>
        (names.length > 0 ? names : [undefined]).map((resourceNames) => ({
          verbs: [verb],
          apiGroups: [group],
          resources: [resource],
          ...(resourceNames ? { resourceNames } : {}),
        })),
      ),
    ),
  ]);
}

/** `part` is one of splitRule's: one verb, and one path or one resource of one group. */
function covers(rule: PolicyRule, part: PolicyRule): boolean {
  if (!part.verbs.every((verb) => holds(rule.verbs, verb))) return false;
  const url = part.nonResourceURLs?.[0];
  if (url !== undefined) return pathAllowed(rule.nonResourceURLs ?? [], url);
  const [group = ''] = part.apiGroups ?? [];
  const [resource = '', subresource] = (part.resources?.[0] ?? '').split('/');
  return (
    holds(rule.apiGroups, group) &&
    resourceAllowed(rule.resources ?? [], { verb: '', group, resource, subresource }) &&
    nameAllowed(rule.resourceNames ?? [], part.resourceNames?.[0])
  );
}
