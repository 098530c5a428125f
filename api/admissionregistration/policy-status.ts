// Rules of what is written into the status of a ValidatingAdmissionPolicy.
// Invariant: pure; wordings are those API clients know.
import {
  type FieldError,
  duplicate,
  invalidValue,
  notSupported,
  required,
} from '../field-error.ts';
import type {
  Condition,
  ExpressionWarning,
  ValidatingAdmissionPolicyStatus,
} from '../generated/types.ts';
import { qualifiedName } from '../meta/names.ts';
import { mustObey } from '../meta/field-rules.ts';

const STATUSES = ['False', 'True', 'Unknown'];
const REASON = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const MAX_REASON = 1024;
const MAX_MESSAGE = 32 * 1024;

/** What is wrong with a status. */
export function validatePolicyStatus({
  typeChecking,
  conditions = [],
}: ValidatingAdmissionPolicyStatus): FieldError[] {
  const { expressionWarnings = [] } = typeChecking ?? {};
  return [
    ...expressionWarnings.flatMap((one, i) =>
      validateWarning(one, `status.typeChecking.expressionWarnings[${i}]`),
    ),
    ...conditions.flatMap((one, i) => [
      ...validateCondition(one, `status.conditions[${i}]`),
      ...(conditions.findIndex(({ type }) => type === one.type) < i
        ? [duplicate(`status.conditions[${i}].type`, one.type)]
        : []),
    ]),
  ];
}

function validateWarning(
  { fieldRef, warning }: Partial<ExpressionWarning>,
  path: string,
): FieldError[] {
  return [
    ...(warning ? [] : [required(`${path}.warning`)]),
    ...(fieldRef?.trim() ? [] : [required(`${path}.fieldRef`)]),
  ];
}

function validateCondition(condition: Partial<Condition>, path: string): FieldError[] {
  const { type, status = '', observedGeneration = 0, lastTransitionTime } = condition;
  const errors = mustObey(qualifiedName, type, `${path}.type`);
  if (!STATUSES.includes(status)) errors.push(notSupported(`${path}.status`, status, STATUSES));
  if (observedGeneration < 0) {
    const why = 'must be greater than or equal to zero';
    errors.push(invalidValue(`${path}.observedGeneration`, observedGeneration, why));
  }
  if (!lastTransitionTime) errors.push(required(`${path}.lastTransitionTime`, 'must be set'));
  return [...errors, ...validateWords(condition, path)];
}

function validateWords({ reason, message = '' }: Partial<Condition>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!reason) errors.push(required(`${path}.reason`, 'must be set'));
  else if (reason.length > MAX_REASON || !REASON.test(reason)) {
    const why = `must be at most ${MAX_REASON} letters, digits, '_', ',' and ':', and begin with a letter`;
    errors.push(invalidValue(`${path}.reason`, reason, why));
  }
  if (message.length > MAX_MESSAGE) {
    const why = `may not be more than ${MAX_MESSAGE} bytes`;
    errors.push(invalidValue(`${path}.message`, message.slice(0, 100), why));
  }
  return errors;
}
