// Rules of which writes a webhook or a policy is about: groups, versions, resources, operations, selectors, conditions.
// Pure; wordings are those API clients know. Expressions must be there; who has them compiles them.
import type { FieldError } from '../field-error.ts';
import { duplicate, invalidValue, notSupported, required, tooMany } from '../field-error.ts';
import type {
  MatchCondition,
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from '../generated/types.ts';
import { mustObey, obeys } from '../meta/field-rules.ts';
import { pathSegmentName, qualifiedName } from '../meta/names.ts';
import { oneOf, requiredOneOf } from '../meta/numbers.ts';
import { repeats } from '../meta/repeats.ts';
import { validateLabelSelector } from '../meta/validate-labels.ts';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const SCOPES = ['*', 'Cluster', 'Namespaced'];
/** Match conditions that a webhook or a policy may have. */
export const MAX_CONDITIONS = 64;

/** What a rule says that leaves its scope out: any. */
export function defaultRule(rule: RuleWithOperations): void {
  rule.scope ??= '*';
}

/** What match resources say that leave things out. */
export function defaultMatchResources(match: MatchResources | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) {
    defaultRule(rule);
  }
}

/** One rule. */
export function validateMatchRule(rule: RuleWithOperations, path: string): FieldError[] {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  const errors = alone(operations, `${path}.operations`);
  operations.forEach((operation, i) => {
    if (!OPERATIONS.includes(operation)) {
      errors.push(notSupported(`${path}.operations[${i}]`, operation, OPERATIONS));
    }
  });
  errors.push(
    ...alone(apiGroups, `${path}.apiGroups`),
    ...alone(apiVersions, `${path}.apiVersions`),
  );
  apiVersions.forEach((version, i) => {
    if (version === '') errors.push(required(`${path}.apiVersions[${i}]`));
  });
  return [
    ...errors,
    ...validateResources(resources, `${path}.resources`),
    ...oneOf(scope, SCOPES, `${path}.scope`),
  ];
}

/** There is one at least, and `*` stands by itself. */
function alone(values: readonly string[], path: string): FieldError[] {
  if (values.length === 0) return [required(path)];
  const why = "if '*' is present, must not specify other values";
  return values.length > 1 && values.includes('*') ? [invalidValue(path, values, why)] : [];
}

/** Stars stand for resources and subresources; none may say what another one says already. */
function validateResources(resources: readonly string[], path: string): FieldError[] {
  if (resources.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  const before = new Set<string>();
  resources.forEach((resource, i) => {
    const at = `${path}[${i}]`;
    const [name, sub] = resource.split('/', 2);
    if (resource === '') errors.push(required(at));
    if (sub === '') errors.push(invalidValue(at, resource, "resource name must not end with '/'"));
    if (sub !== undefined && sub !== '*' && before.has(`${name}/*`)) {
      const why = `if '${name}/*' is present, must not specify ${resource}`;
      errors.push(invalidValue(at, resource, why));
    }
    if (sub !== undefined && name !== '*' && before.has(`*/${sub}`)) {
      errors.push(
        invalidValue(at, resource, `if '*/${sub}' is present, must not specify ${resource}`),
      );
    }
    before.add(resource);
  });
  if (resources.length > 1 && resources.includes('*/*')) {
    const why = "if '*/*' is present, must not specify other resources";
    errors.push(invalidValue(path, resources, why));
  }
  if (resources.includes('*') && resources.some((one) => one !== '*' && !one.includes('/'))) {
    const why = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalidValue(path, resources, why));
  }
  return errors;
}

/** Conditions have names, each once, and expressions. */
export function validateMatchConditions(
  conditions: readonly MatchCondition[],
  path: string,
): FieldError[] {
  if (conditions.length > MAX_CONDITIONS) {
    return [tooMany(path, conditions.length, MAX_CONDITIONS)];
  }
  return conditions.flatMap(({ name, expression }: Partial<MatchCondition>, i) => {
    const at = `${path}[${i}]`;
    const twice = conditions.findIndex((other) => other.name === name) < i;
    return [
      ...mustObey(qualifiedName, name, `${at}.name`),
      ...(name && twice ? [duplicate(`${at}.name`, name)] : []),
      ...needsExpression(expression, `${at}.expression`),
    ];
  });
}

/** An expression is there and not blank. */
export function needsExpression(expression: string | undefined, path: string): FieldError[] {
  return expression?.trim() ? [] : [required(path)];
}

/** Rules and selectors of a policy or of its binding. */
export function validateMatchResources(match: MatchResources, path: string): FieldError[] {
  const { matchPolicy, namespaceSelector, objectSelector } = match;
  const named = (rules: readonly NamedRuleWithOperations[] | undefined, field: string) =>
    (rules ?? []).flatMap((rule, i) => [
      ...validateResourceNames(rule.resourceNames ?? [], `${path}.${field}[${i}].resourceNames`),
      ...validateMatchRule(rule, `${path}.${field}[${i}]`),
    ]);
  return [
    ...requiredOneOf(matchPolicy, ['Equivalent', 'Exact'], `${path}.matchPolicy`),
    ...(namespaceSelector
      ? validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`)
      : [required(`${path}.namespaceSelector`)]),
    ...(objectSelector
      ? validateLabelSelector(objectSelector, `${path}.objectSelector`)
      : [required(`${path}.objectSelector`)]),
    ...named(match.resourceRules, 'resourceRules'),
    ...named(match.excludeResourceRules, 'excludeResourceRules'),
  ];
}

function validateResourceNames(names: readonly string[], path: string): FieldError[] {
  const twice = repeats(names);
  return names.flatMap((name, i) => [
    ...obeys(pathSegmentName, name, `${path}[${i}]`),
    ...(twice.has(i) ? [duplicate(`${path}[${i}]`, name)] : []),
  ]);
}
