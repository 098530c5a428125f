// Rules of admission policies and of their bindings.
// Pure; wordings are those API clients know. Expressions are compiled; one that was stored with a fault may stay as it is.
import type { FieldError } from '../field-error.ts';
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooMany,
} from '../field-error.ts';
import type {
  AuditAnnotation,
  MatchResources,
  MutatingAdmissionPolicyBindingSpec,
  MutatingAdmissionPolicySpec,
  Mutation,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicyBindingSpec,
  ValidatingAdmissionPolicySpec,
  Validation,
  Variable,
} from '../generated/types.ts';
import { obeys } from '../meta/field-rules.ts';
import { dns1035Label, pathSegmentName, qualifiedName } from '../meta/names.ts';
import { oneOf, requiredOneOf } from '../meta/numbers.ts';
import { validateLabelSelector } from '../meta/validate-labels.ts';
import { repeats } from '../meta/repeats.ts';
import { type Compile, expressionFaults, isTooMany, tooManyChars } from './expression-rules.ts';
import {
  allExpressions,
  mutatingExpressions,
  policyTexts,
  validatingExpressions,
} from './policy-expressions.ts';
import {
  needsExpression,
  validateMatchConditions,
  validateMatchResources,
} from './rule-validation.ts';

const MAX_ANNOTATIONS = 20;
/** Variables that a policy may have, and validations, and mutations. Compiling one takes a millisecond at worst, all of it in one turn. */
export const MAX_EXPRESSIONS = 250;

const MUTABLE_OPERATIONS = ['*', 'CONNECT', 'CREATE', 'UPDATE'];
const ACTIONS = ['Audit', 'Deny', 'Warn'];
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized'];
const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/;

type PolicySpec = Omit<MutatingAdmissionPolicySpec, 'mutations' | 'reinvocationPolicy'>;

/** Rules of a ValidatingAdmissionPolicy, and of a change of one. */
export function validateValidatingPolicy(
  spec: ValidatingAdmissionPolicySpec,
  old?: ValidatingAdmissionPolicySpec,
): FieldError[] {
  const many = [
    ...tooLong(spec.variables, 'variables'),
    ...tooLong(spec.validations, 'validations'),
    ...tooManyChars('spec', policyTexts(spec), old && policyTexts(old)),
  ];
  if (many.length > 0) return many;
  const shape = validateValidatingShape(spec);
  if (shape.some(isTooMany)) return shape;
  return [...shape, ...expressionFaults(compiledValidating, spec, old)];
}

const compiledValidating: Compile<ValidatingAdmissionPolicySpec> = (spec, patterns) =>
  allExpressions(validatingExpressions(spec, { patterns }));

function validateValidatingShape(spec: ValidatingAdmissionPolicySpec): FieldError[] {
  const { validations = [], auditAnnotations = [] } = spec;
  const errors = validatePolicy(spec);
  if (validations.length + auditAnnotations.length === 0) {
    const why = 'validations or auditAnnotations must contain at least one item';
    errors.push(required('spec.validations', why), required('spec.auditAnnotations', why));
  }
  if (auditAnnotations.length > MAX_ANNOTATIONS) {
    const [path, found] = ['spec.auditAnnotations', auditAnnotations.length];
    return [...errors, tooMany(path, found, MAX_ANNOTATIONS)];
  }
  return [
    ...errors,
    ...validations.flatMap((one, i) => validateValidation(one, `spec.validations[${i}]`)),
    ...auditAnnotations.flatMap(({ key, valueExpression }: Partial<AuditAnnotation>, i) => {
      const path = `spec.auditAnnotations[${i}]`;
      const twice = auditAnnotations.findIndex((other) => other.key === key) < i;
      return [
        ...(key ? obeys(qualifiedName, key, `${path}.key`) : [required(`${path}.key`)]),
        ...(key && twice ? [duplicate(`${path}.key`, key)] : []),
        ...needsExpression(valueExpression, `${path}.valueExpression`),
      ];
    }),
  ];
}

/** Rules of a MutatingAdmissionPolicy, and of a change of one. */
export function validateMutatingPolicy(
  spec: MutatingAdmissionPolicySpec,
  old?: MutatingAdmissionPolicySpec,
): FieldError[] {
  const many = [
    ...tooLong(spec.variables, 'variables'),
    ...tooLong(spec.mutations, 'mutations'),
    ...tooManyChars('spec', policyTexts(spec), old && policyTexts(old)),
  ];
  if (many.length > 0) return many;
  const shape = validateMutatingShape(spec);
  if (shape.some(isTooMany)) return shape;
  return [...shape, ...expressionFaults(compiledMutating, spec, old)];
}

const compiledMutating: Compile<MutatingAdmissionPolicySpec> = (spec, patterns) =>
  allExpressions(mutatingExpressions(spec, { patterns }));

function tooLong(list: readonly unknown[] | undefined, field: string): FieldError[] {
  const { length } = list ?? [];
  return length > MAX_EXPRESSIONS ? [tooMany(`spec.${field}`, length, MAX_EXPRESSIONS)] : [];
}

function validateMutatingShape(spec: MutatingAdmissionPolicySpec): FieldError[] {
  const { mutations = [], reinvocationPolicy } = spec;
  return [
    ...validatePolicy(spec),
    ...mutableOperations(spec.matchConstraints, 'spec.matchConstraints'),
    ...(mutations.length === 0
      ? [required('spec.mutations', 'mutations must contain at least one item')]
      : []),
    ...mutations.flatMap((one, i) => validateMutation(one, `spec.mutations[${i}]`)),
    ...requiredOneOf(reinvocationPolicy, ['IfNeeded', 'Never'], 'spec.reinvocationPolicy'),
  ];
}

/** What is deleted cannot be changed as well. Upstream tells of the operations without an index. */
function mutableOperations(match: MatchResources | undefined, path: string): FieldError[] {
  const operations = (match?.resourceRules ?? []).flatMap((rule) => rule.operations ?? []);
  return operations
    .filter((operation) => !MUTABLE_OPERATIONS.includes(operation))
    .map((one) => notSupported(`${path}.resourceRules.operations`, one, MUTABLE_OPERATIONS));
}

function validatePolicy(spec: PolicySpec): FieldError[] {
  return [
    ...requiredOneOf(spec.failurePolicy, ['Fail', 'Ignore'], 'spec.failurePolicy'),
    ...(spec.paramKind ? validateParamKind(spec.paramKind) : []),
    ...validateConstraints(spec.matchConstraints),
    ...validateMatchConditions(spec.matchConditions ?? [], 'spec.matchConditions'),
    ...validateVariables(spec.variables ?? []),
  ];
}

function validateParamKind({ apiVersion = '', kind = '' }: ParamKind): FieldError[] {
  const path = 'spec.paramKind';
  const errors: FieldError[] = [];
  if (apiVersion === '') errors.push(required(`${path}.apiVersion`));
  else if (apiVersion.split('/').length > 2) {
    const why = `unexpected GroupVersion string: ${apiVersion}`;
    errors.push(invalidValue(`${path}.apiVersion`, apiVersion, why));
  }
  if (kind === '') return [...errors, required(`${path}.kind`)];
  const bad = dns1035Label(kind.toLowerCase());
  if (bad === undefined) return errors;
  const why = `may have mixed case, but should otherwise match: ${bad}`;
  return [...errors, invalidValue(`${path}.kind`, kind, why)];
}

function validateConstraints(constraints: MatchResources | undefined): FieldError[] {
  const path = 'spec.matchConstraints';
  if (constraints === undefined) return [required(path)];
  const rules = constraints.resourceRules?.length ? [] : [required(`${path}.resourceRules`)];
  return [...validateMatchResources(constraints, path), ...rules];
}

function validateVariables(variables: readonly Variable[]): FieldError[] {
  return variables.flatMap(({ name = '', expression }: Partial<Variable>, i) => {
    const path = `spec.variables[${i}]`;
    const errors: FieldError[] = [];
    if (name === '') errors.push(required(`${path}.name`, 'name is not specified'));
    else if (!IDENTIFIER.test(name)) {
      errors.push(invalidValue(`${path}.name`, name, 'name is not a valid CEL identifier'));
    } else if (variables.findIndex((other) => other.name === name) < i) {
      errors.push(duplicate(`${path}.name`, name));
    }
    return [...errors, ...needsExpression(expression, `${path}.expression`)];
  });
}

function validateValidation(validation: Partial<Validation>, path: string): FieldError[] {
  const { expression = '', message, messageExpression, reason } = validation;
  const errors = needsExpression(expression, `${path}.expression`);
  if (messageExpression !== undefined && messageExpression.trim() === '') {
    const why = 'must be non-empty if specified';
    errors.push(invalidValue(`${path}.messageExpression`, messageExpression, why));
  }
  if (message && message.trim() === '') {
    const why = 'message must be non-empty if specified';
    errors.push(invalidValue(`${path}.message`, message, why));
  } else if (message?.trim().includes('\n')) {
    const why = 'message must not contain line breaks';
    errors.push(invalidValue(`${path}.message`, message, why));
  } else if (!message && expression.trim().includes('\n')) {
    const why = 'message must be specified if expression contains line breaks';
    errors.push(required(`${path}.message`, why));
  }
  return [...errors, ...oneOf(reason, REASONS, `${path}.reason`)];
}

const PATCH_FIELDS = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const;

function validateMutation(mutation: Mutation, path: string): FieldError[] {
  const { patchType } = mutation;
  const errors = requiredOneOf(patchType, Object.keys(PATCH_FIELDS), `${path}.patchType`);
  if (errors.length > 0) return errors;
  for (const [type, field] of Object.entries(PATCH_FIELDS)) {
    const patch = mutation[field];
    const at = `${path}.${field}`;
    if (type !== patchType) {
      if (patch) errors.push(forbiddenField(at, `must not be set when patchType is ${patchType}`));
    } else if (!patch) errors.push(required(at, `must be specified when patchType is ${type}`));
    else errors.push(...needsExpression(patch.expression, `${at}.expression`));
  }
  return errors;
}

/** Rules that bindings of both sorts share. */
export function validateBinding(spec: MutatingAdmissionPolicyBindingSpec): FieldError[] {
  const { policyName = '', paramRef, matchResources } = spec;
  return [
    ...(policyName === '' ? [required('spec.policyName')] : []),
    ...obeys(pathSegmentName, policyName, 'spec.policyName'),
    ...(paramRef ? validateParamRef(paramRef) : []),
    ...(matchResources ? validateMatchResources(matchResources, 'spec.matchResources') : []),
  ];
}

/** Rules of a MutatingAdmissionPolicyBinding. */
export function validateMutatingBinding(spec: MutatingAdmissionPolicyBindingSpec): FieldError[] {
  return [
    ...validateBinding(spec),
    ...mutableOperations(spec.matchResources, 'spec.matchResources'),
  ];
}

/** What becomes of a write that a ValidatingAdmissionPolicy refuses. */
export function validateActions({
  validationActions: actions = [],
}: Partial<ValidatingAdmissionPolicyBindingSpec>): FieldError[] {
  const path = 'spec.validationActions';
  if (actions.length === 0) return [required(path, 'at least one validation action is required')];
  const repeated = repeats(actions);
  const errors = actions.flatMap((action, i) => [
    ...(ACTIONS.includes(action) ? [] : [notSupported(`${path}[${i}]`, action, ACTIONS)]),
    ...(repeated.has(i) ? [duplicate(`${path}[${i}]`, action)] : []),
  ]);
  if (actions.includes('Deny') && actions.includes('Warn')) {
    errors.push(invalidValue(path, actions, 'must not contain both Deny and Warn'));
  }
  return errors;
}

function validateParamRef(ref: ParamRef): FieldError[] {
  const { name, selector, parameterNotFoundAction } = ref;
  const path = 'spec.paramRef';
  const errors: FieldError[] = [];
  if (name && selector) {
    errors.push(forbiddenField(`${path}.name`, 'name and selector are mutually exclusive'));
  } else if (!name && !selector) {
    errors.push(required(path, 'one of name or selector must be specified'));
  }
  return [
    ...errors,
    ...obeys(pathSegmentName, name, `${path}.name`),
    ...validateLabelSelector(selector, `${path}.selector`),
    ...requiredOneOf(parameterNotFoundAction, ['Allow', 'Deny'], `${path}.parameterNotFoundAction`),
  ];
}
