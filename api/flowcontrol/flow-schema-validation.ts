// Rules of FlowSchemas: precedence, subjects, and which requests they are about.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, notSupported, required } from '../field-error.ts';
import type {
  FlowcontrolSubject,
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
} from '../generated/types.ts';
import { mustObey, obeys } from '../meta/field-rules.ts';
import { dnsLabel, dnsSubdomain } from '../meta/names.ts';
import { requiredOneOf } from '../meta/numbers.ts';

const MAX_PRECEDENCE = 10_000;
const EXEMPT = 'exempt';
const VERBS = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'proxy',
  'update',
  'watch',
];
const PATH_VERBS = ['connect', 'delete', 'get', 'head', 'options', 'patch', 'post', 'put', 'trace'];
/** Kinds of subject, and the field that each has. */
const SUBJECTS = { Group: 'group', ServiceAccount: 'serviceAccount', User: 'user' } as const;

/** Rules of a FlowSchema. */
export function validateFlowSchema({ metadata, spec }: FlowSchema): FieldError[] {
  const { matchingPrecedence, distinguisherMethod, rules = [] } = spec ?? {};
  const { name }: { name?: string } = { ...spec?.priorityLevelConfiguration };
  const level = 'spec.priorityLevelConfiguration.name';
  return [
    ...validatePrecedence(matchingPrecedence ?? 0, metadata.name ?? ''),
    ...(distinguisherMethod
      ? requiredOneOf(
          distinguisherMethod.type,
          ['ByNamespace', 'ByUser'],
          'spec.distinguisherMethod.type',
        )
      : []),
    ...(name
      ? obeys(dnsSubdomain, name, level)
      : [required(level, 'must reference a priority level')]),
    ...rules.flatMap((rule, i) => validateRule(rule, `spec.rules[${i}]`)),
  ];
}

function validatePrecedence(precedence: number, name: string): FieldError[] {
  const path = 'spec.matchingPrecedence';
  if (precedence <= 0) return [invalidValue(path, precedence, 'must be a positive value')];
  if (precedence > MAX_PRECEDENCE) {
    return [invalidValue(path, precedence, `must not be greater than ${MAX_PRECEDENCE}`)];
  }
  if (precedence !== 1 || name === EXEMPT) return [];
  const why = `only the schema named '${EXEMPT}' may have matchingPrecedence 1`;
  return [invalidValue(path, precedence, why)];
}

function validateRule(rule: Partial<PolicyRulesWithSubjects>, path: string): FieldError[] {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule;
  const errors: FieldError[] = [];
  if (subjects.length === 0) {
    errors.push(required(`${path}.subjects`, 'subjects must contain at least one value'));
  }
  if (resourceRules.length + nonResourceRules.length === 0) {
    const why = 'at least one of resourceRules and nonResourceRules has to be non-empty';
    errors.push(required(path, why));
  }
  return [
    ...errors,
    ...subjects.flatMap((subject, i) => validateSubject(subject, `${path}.subjects[${i}]`)),
    ...resourceRules.flatMap((one, i) => validateResources(one, `${path}.resourceRules[${i}]`)),
    ...nonResourceRules.flatMap((one, i) => validatePaths(one, `${path}.nonResourceRules[${i}]`)),
  ];
}

function validateSubject(subject: FlowcontrolSubject, path: string): FieldError[] {
  const { kind } = subject;
  const kinds = Object.keys(SUBJECTS);
  if (!kinds.includes(kind)) return [notSupported(`${path}.kind`, kind, kinds)];
  return Object.entries(SUBJECTS).flatMap(([of, field]) => {
    const at = `${path}.${field}`;
    const named: { name?: string; namespace?: string } | undefined = subject[field];
    if (of !== kind) {
      const why = `${field} is forbidden when subject kind is not '${of}'`;
      return named ? [forbiddenField(at, why)] : [];
    }
    if (!named) return [required(at, `${field} is required when subject kind is '${of}'`)];
    const errors = named.name ? [] : [required(`${at}.name`)];
    return of === 'ServiceAccount'
      ? [...errors, ...mustObey(dnsLabel, named.namespace, `${at}.namespace`)]
      : errors;
  });
}

function validateResources(rule: Partial<ResourcePolicyRule>, path: string): FieldError[] {
  const { verbs = [], apiGroups = [], resources = [], namespaces = [], clusterScope } = rule;
  const errors = [
    ...validateVerbs(verbs, VERBS, path),
    ...some(apiGroups, ['api group', 'apiGroups'], path),
    ...some(resources, ['resource', 'resources'], path),
  ];
  if (namespaces.length === 0 && !clusterScope) {
    const why = 'resource rules that are not cluster scoped must supply at least one namespace';
    return [...errors, required(`${path}.namespaces`, why)];
  }
  if (namespaces.includes('*')) {
    const why = "if '*' is present, must not specify other namespaces";
    if (namespaces.length > 1) errors.push(invalidValue(`${path}.namespaces`, namespaces, why));
    return errors;
  }
  namespaces.forEach((namespace, i) => {
    errors.push(...obeys(dnsLabel, namespace, `${path}.namespaces[${i}]`));
  });
  return errors;
}

function some(
  values: readonly string[],
  [word, field]: readonly [string, string],
  path: string,
): FieldError[] {
  const at = `${path}.${field}`;
  if (values.length === 0) return [required(at, `resource rules must supply at least one ${word}`)];
  const why = `if '*' is present, must not specify other ${word}s`;
  return values.length > 1 && values.includes('*') ? [invalidValue(at, values, why)] : [];
}

function validateVerbs(verbs: readonly string[], known: readonly string[], rule: string) {
  const path = `${rule}.verbs`;
  if (verbs.length === 0) return [required(path, 'verbs must contain at least one value')];
  if (verbs.includes('*')) {
    const why = "if '*' is present, must not specify other verbs";
    return verbs.length > 1 ? [invalidValue(path, verbs, why)] : [];
  }
  const odd = verbs.filter((verb) => !known.includes(verb));
  return odd.map((verb) => notSupported(path, verb, known));
}

function validatePaths(rule: Partial<NonResourcePolicyRule>, path: string): FieldError[] {
  const { verbs = [], nonResourceURLs: urls = [] } = rule;
  const at = `${path}.nonResourceURLs`;
  const errors = validateVerbs(verbs, PATH_VERBS, path);
  if (urls.length === 0) {
    return [...errors, required(at, 'nonResourceURLs must contain at least one value')];
  }
  if (urls.includes('*')) {
    const why = "if '*' is present, must not specify other non-resource URLs";
    return urls.length > 1 ? [...errors, invalidValue(at, urls, why)] : errors;
  }
  return [...errors, ...urls.flatMap((url, i) => obeys(pathRule, url, `${at}[${i}]`))];
}

function pathRule(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  return /\*(?!$)|[^/]\*$/.test(url) ? 'wildcard can only do suffix matching' : undefined;
}
