// Rules for label maps and LabelSelector objects, as field errors.
// Pure; wordings are those API clients know.
import { gather, gatherMembers } from '../../base/gather.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, required } from '../field-error.ts';
import type { LabelSelector, LabelSelectorRequirement } from '../generated/types.ts';
import type { Labels } from './labels.ts';
import { labelValue, qualifiedName } from './names.ts';

/** Keys and values of a label map. */
export function validateLabels(labels: Labels | undefined, path: string): FieldError[] {
  return gatherMembers(labels, (key, value) => {
    const badKey = qualifiedName(key);
    const badValue = labelValue(value);
    return [
      ...(badKey === undefined ? [] : [invalidValue(path, key, badKey)]),
      ...(badValue === undefined ? [] : [invalidValue(path, value, badValue)]),
    ];
  });
}

/** A selector object's keys, operators and values. */
export function validateLabelSelector(
  selector: LabelSelector | undefined,
  path: string,
): FieldError[] {
  if (selector === undefined) return [];
  return [
    ...validateLabels(selector.matchLabels, `${path}.matchLabels`),
    ...gather(selector.matchExpressions, (expression, i) =>
      validateExpression(expression, `${path}.matchExpressions[${i}]`),
    ),
  ];
}

/** Is there a selector at all that selects some, not all? */
export function isEmptySelector(selector: LabelSelector): boolean {
  return (
    Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0
  );
}

function validateExpression(expression: LabelSelectorRequirement, path: string): FieldError[] {
  const { key, operator, values = [] } = expression;
  const errors: FieldError[] = [];
  const badKey = qualifiedName(key ?? '');
  if (badKey !== undefined) errors.push(invalidValue(`${path}.key`, key, badKey));
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      errors.push(
        required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"),
      );
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(forbiddenField(`${path}.values`, why));
    }
  } else errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'));
  values.forEach((value, i) => {
    const bad = labelValue(value);
    if (bad !== undefined) errors.push(invalidValue(`${path}.values[${i}]`, value, bad));
  });
  return errors;
}
