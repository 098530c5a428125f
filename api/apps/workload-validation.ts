// What Deployments and ReplicaSets share: a selector that fits the template, and templates whose pods
// always restart. Pure; wordings are those API clients know.
import { validatePodTemplate } from '../core/pod-template-validation.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, notSupported, required } from '../field-error.ts';
import type { LabelSelector, PodTemplateSpec } from '../generated/types.ts';
import { sameMeaning } from '../meta/deep-equal.ts';
import { fromLabelSelector } from '../meta/labels.ts';
import { notNegative } from '../meta/numbers.ts';
import { isEmptySelector, validateLabelSelector } from '../meta/validate-labels.ts';

/** The fields that both kinds have. */
export interface WorkloadShape {
  readonly replicas?: number | undefined;
  readonly minReadySeconds?: number | undefined;
  readonly selector?: LabelSelector | undefined;
  readonly template?: PodTemplateSpec | undefined;
}

/** Rules of the shared fields, under `spec`; `kind` is for the texts. */
export function validateWorkload(spec: WorkloadShape, kind: string): FieldError[] {
  return [
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateSelector(spec.selector),
    ...validateTemplate(spec, kind),
  ];
}

/** A selector is what ties a workload to its pods: it may not change. */
export function validateSelectorKept(spec: WorkloadShape, before: WorkloadShape): FieldError[] {
  return sameMeaning(spec.selector, before.selector)
    ? []
    : [invalidValue('spec.selector', spec.selector, 'field is immutable')];
}

function validateSelector(selector: LabelSelector | undefined): FieldError[] {
  if (selector === undefined) return [required('spec.selector')];
  const errors = validateLabelSelector(selector, 'spec.selector');
  if (isEmptySelector(selector)) {
    errors.push(
      invalidValue('spec.selector', selector, 'empty selector is invalid for deployment'),
    );
  }
  return errors;
}

function validateTemplate({ selector, template }: WorkloadShape, kind: string): FieldError[] {
  if (template === undefined) return [required('spec.template')];
  const errors: FieldError[] = [];
  if (selector !== undefined && !isEmptySelector(selector) && !selects(selector, template)) {
    const labels = template.metadata?.labels ?? {};
    const why = '`selector` does not match template `labels`';
    errors.push(invalidValue('spec.template.metadata.labels', labels, why));
  }
  errors.push(...validatePodTemplate(template, 'spec.template'));
  const { restartPolicy, activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== undefined && restartPolicy !== 'Always') {
    errors.push(notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const why = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbiddenField('spec.template.spec.activeDeadlineSeconds', why));
  }
  return errors;
}

/** A selector that is not valid has its own errors; it counts as fitting here. */
function selects(selector: LabelSelector, template: PodTemplateSpec): boolean {
  if (validateLabelSelector(selector, '').length > 0) return true;
  return fromLabelSelector(selector).matches(template.metadata?.labels);
}
