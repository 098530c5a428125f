// The labels by which a job knows its pods, when it makes its own selector.
// Invariant: the selector names the job's uid, so that two jobs never share a pod.
import type { FieldError } from '../field-error.ts';
import { invalidValue, required } from '../field-error.ts';
import type { Job } from '../generated/types.ts';
import { fromLabelSelector } from '../meta/labels.ts';
import { validateLabelSelector } from '../meta/validate-labels.ts';

/** The labels that each pod of such a job has, under their old names and their new ones. */
export function generatedLabels(name: string, uid: string): Record<string, string> {
  return {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
}

/** The selector and the template's labels are those that were generated, unless the writer makes his own. */
export function validateGeneratedSelector({ metadata, spec }: Job): FieldError[] {
  if (spec?.manualSelector === true || spec?.selector === undefined) return [];
  const { name = '', uid = '' } = metadata;
  const expected = generatedLabels(name, uid);
  const errors = uid === '' ? [required('metadata.uid')] : [];
  errors.push(...validateLabels(spec.template?.metadata?.labels ?? {}, expected));
  const sound = validateLabelSelector(spec.selector, '').length === 0;
  if (sound && !fromLabelSelector(spec.selector).matches(expected)) {
    errors.push(invalidValue('spec.selector', spec.selector, '`selector` not auto-generated'));
  }
  return errors;
}

function validateLabels(
  labels: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string>>,
): FieldError[] {
  return Object.entries(expected).flatMap(([key, value]) => {
    const at = `spec.template.metadata.labels[${key}]`;
    const why = `must be '${value}'`;
    if (labels[key] === value) return [];
    return [labels[key] === undefined ? required(at, why) : invalidValue(at, labels, why)];
  });
}
