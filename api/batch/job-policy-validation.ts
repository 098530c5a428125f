// Rules of a job's policies: which failures of pods count, and which successes are enough.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import {
  duplicate,
  invalidBecause,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../field-error.ts';
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from '../generated/types.ts';
import { obeys } from '../meta/field-rules.ts';
import { qualifiedName } from '../meta/names.ts';
import { notNegative } from '../meta/numbers.ts';
import { repeats } from '../meta/repeats.ts';
import { countIndexes, parseIndexes } from './job-indexes.ts';

const MAX_RULES = 20;
const MAX_PATTERNS = 20;
const MAX_EXIT_CODES = 255;
const MAX_INDEXES_BYTES = 64 * 1024;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const STATUSES = ['False', 'True', 'Unknown'];

/** A list that may be so long. */
function atMost(list: readonly unknown[], max: number, path: string): FieldError[] {
  return list.length > max ? [tooMany(path, list.length, max)] : [];
}

/** One of the known; the text for an absent one names them. */
function choice(value: string | undefined, known: readonly string[], path: string): FieldError[] {
  const quoted = known.map((each) => JSON.stringify(each)).join(' ');
  if (!value) return [required(path, `valid values: [${quoted}]`)];
  return known.includes(value) ? [] : [notSupported(path, value, known)];
}

/** Rules of `podFailurePolicy`, which is there. */
export function validatePodFailurePolicy(spec: Partial<JobSpec>, path: string): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  return [
    ...atMost(rules, MAX_RULES, `${path}.rules`),
    ...rules.flatMap((rule, i) => validateRule(rule, spec, `${path}.rules[${i}]`)),
  ];
}

function validateRule(
  rule: PodFailurePolicyRule,
  spec: Partial<JobSpec>,
  path: string,
): FieldError[] {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  const errors: FieldError[] = [];
  if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    const why = 'requires the backoffLimitPerIndex to be set';
    errors.push(invalidValue(`${path}.action`, action, why));
  }
  if (onExitCodes && onPodConditions.length > 0) {
    const why = 'specifying both OnExitCodes and OnPodConditions is not supported';
    errors.push(invalidBecause(path, why));
  }
  if (!onExitCodes && onPodConditions.length === 0) {
    const why = 'specifying one of OnExitCodes and OnPodConditions is required';
    errors.push(invalidBecause(path, why));
  }
  return [
    ...choice(action, ACTIONS, `${path}.action`),
    ...(onExitCodes ? validateExitCodes(onExitCodes, spec, `${path}.onExitCodes`) : []),
    ...validatePatterns(onPodConditions, `${path}.onPodConditions`),
    ...errors,
  ];
}

function validatePatterns(
  patterns: readonly PodFailurePolicyOnPodConditionsPattern[],
  path: string,
): FieldError[] {
  return [
    ...atMost(patterns, MAX_PATTERNS, path),
    ...patterns.flatMap(({ type, status }, i) => [
      ...obeys(qualifiedName, type ?? '', `${path}[${i}].type`),
      ...choice(status, STATUSES, `${path}[${i}].status`),
    ]),
  ];
}

function validateExitCodes(
  onExitCodes: Partial<PodFailurePolicyOnExitCodesRequirement>,
  { template }: Partial<JobSpec>,
  path: string,
): FieldError[] {
  const { containerName, operator, values = [] } = onExitCodes;
  const { containers = [], initContainers = [] } = template?.spec ?? {};
  const errors = choice(operator, OPERATORS, `${path}.operator`);
  const names = [...containers, ...initContainers].map(({ name }) => name);
  if (containerName !== undefined && !names.includes(containerName)) {
    const why = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalidValue(`${path}.containerName`, containerName, why));
  }
  if (values.length === 0) {
    errors.push(invalidValue(`${path}.values`, values, 'at least one value is required'));
  }
  errors.push(...atMost(values, MAX_EXIT_CODES, `${path}.values`));
  const repeated = repeats(values);
  values.forEach((value, i) => {
    const at = `${path}.values[${i}]`;
    if (operator === 'In' && value === 0) {
      errors.push(invalidValue(at, value, 'must not be 0 for the In operator'));
    }
    if (repeated.has(i)) errors.push(duplicate(at, value));
  });
  const ordered = values.every((value, i) => i === 0 || (values[i - 1] ?? value) <= value);
  return ordered ? errors : [...errors, invalidValue(`${path}.values`, values, 'must be ordered')];
}

/** Rules of `successPolicy`, which is there, in an indexed job. */
export function validateSuccessPolicy(spec: Partial<JobSpec>, path: string): FieldError[] {
  const { rules = [] } = spec.successPolicy ?? {};
  const none = 'at least one rules must be specified when the successPolicy is specified';
  return [
    ...(rules.length === 0 ? [required(`${path}.rules`, none)] : []),
    ...atMost(rules, MAX_RULES, `${path}.rules`),
    ...rules.flatMap((rule, i) =>
      validateSuccessRule(rule, spec.completions ?? 0, `${path}.rules[${i}]`),
    ),
  ];
}

function validateSuccessRule(
  { succeededCount, succeededIndexes }: SuccessPolicyRule,
  completions: number,
  path: string,
): FieldError[] {
  if (succeededCount === undefined && succeededIndexes === undefined) {
    const why = 'at least one of succeededCount or succeededIndexes must be specified';
    return [required(path, why)];
  }
  const errors: FieldError[] = [];
  const indexes = parseIndexes(succeededIndexes ?? '', completions);
  if (succeededIndexes !== undefined && succeededIndexes.length > MAX_INDEXES_BYTES) {
    errors.push(tooLong(`${path}.succeededIndexes`, MAX_INDEXES_BYTES));
  }
  if (typeof indexes === 'string') {
    const why = `error parsing succeededIndexes: ${indexes}`;
    errors.push(invalidValue(`${path}.succeededIndexes`, succeededIndexes, why));
  }
  if (succeededCount === undefined) return errors;
  const at = `${path}.succeededCount`;
  const refuse = (most: number, what: string) =>
    invalidValue(at, succeededCount, `must be less than or equal to ${most} (${what})`);
  errors.push(...notNegative(succeededCount, at));
  if (succeededCount > completions) {
    errors.push(refuse(completions, 'the number of specified completions'));
  }
  const named = typeof indexes === 'string' ? 0 : countIndexes(indexes);
  if (succeededIndexes !== undefined && succeededCount > named) {
    const what = 'the number of indexes in the specified succeededIndexes field';
    errors.push(refuse(named, what));
  }
  return errors;
}
