// What workloads share whose pods go on for ever: a selector that fits the template, templates whose pods
// always restart, and figures of a status that add up. Pure; wordings are those API clients know.
import { validatePodTemplate } from '../core/pod-template-validation.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, notSupported, required } from '../field-error.ts';
import type {
  LabelSelector,
  PodTemplateSpec,
  ReplicaSetStatus,
  ReplicationControllerStatus,
} from '../generated/types.ts';
import { sameMeaning } from '../meta/deep-equal.ts';
import { fromLabelSelector } from '../meta/labels.ts';
import { notNegative } from '../meta/numbers.ts';
import { isEmptySelector, validateLabelSelector } from '../meta/validate-labels.ts';

/** The fields that these kinds have. */
export interface WorkloadShape {
  readonly replicas?: number | undefined;
  readonly minReadySeconds?: number | undefined;
  readonly selector?: LabelSelector | undefined;
  readonly template?: PodTemplateSpec | undefined;
}

/** Rules of the fields that Deployments and ReplicaSets share, under `spec`; `kind` is for the texts. */
export function validateWorkload(spec: WorkloadShape, kind: string): FieldError[] {
  return [
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateSelector(spec.selector, kind),
    ...validateTemplate(spec, kind),
  ];
}

/** A selector is what ties a workload to its pods: it may not change. */
export function validateSelectorKept(spec: WorkloadShape, before: WorkloadShape): FieldError[] {
  return sameMeaning(spec.selector, before.selector)
    ? []
    : [invalidValue('spec.selector', spec.selector, 'field is immutable')];
}

/** A selector that is there and selects some, not all; `kind` is for the texts. */
export function validateSelector(selector: LabelSelector | undefined, kind: string): FieldError[] {
  if (selector === undefined) return [required('spec.selector')];
  const errors = validateLabelSelector(selector, 'spec.selector');
  if (isEmptySelector(selector)) {
    // Upstream speaks of deployments to ReplicaSets too.
    const named = kind === 'ReplicaSet' ? 'deployment' : kind.toLowerCase();
    const why = `empty selector is invalid for ${named}`;
    errors.push(invalidValue('spec.selector', selector, why));
  }
  return errors;
}

function validateTemplate({ selector, template }: WorkloadShape, kind: string): FieldError[] {
  if (template === undefined) return [required('spec.template')];
  return [
    ...validateTemplateFits({ selector, template }),
    ...validatePodTemplate(template, 'spec.template'),
    ...validateAlwaysRestarts(template, kind),
  ];
}

/** The selector selects the template's pods. An empty one has its own errors. */
export function validateTemplateFits({
  selector,
  template,
}: Pick<WorkloadShape, 'selector' | 'template'>): FieldError[] {
  if (selector !== undefined && isEmptySelector(selector)) return [];
  if (selects(selector, template)) return [];
  const labels = template?.metadata?.labels ?? {};
  const why = '`selector` does not match template `labels`';
  return [invalidValue('spec.template.metadata.labels', labels, why)];
}

/** Pods of the template restart always and have no deadline; `kind` is for the texts. */
export function validateAlwaysRestarts(
  template: PodTemplateSpec | undefined,
  kind: string,
): FieldError[] {
  const { restartPolicy, activeDeadlineSeconds } = template?.spec ?? {};
  const errors: FieldError[] = [];
  if (restartPolicy !== undefined && restartPolicy !== 'Always') {
    errors.push(notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const why = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbiddenField('spec.template.spec.activeDeadlineSeconds', why));
  }
  return errors;
}

/** A selector that is not valid has its own errors; it counts as fitting here. None selects nothing. */
function selects(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec | undefined,
): boolean {
  if (validateLabelSelector(selector, '').length > 0) return true;
  return fromLabelSelector(selector).matches(template?.metadata?.labels);
}

/** The names of a status's figures. */
type Figure<T> = keyof T & string;

/** Each of these figures of a status is zero or more. */
export function countsNotNegative<T extends object>(
  status: T,
  figures: readonly Figure<T>[],
): FieldError[] {
  return figures.flatMap((figure) => notNegative(numberOf(status[figure]), `status.${figure}`));
}

/** None of these figures of a status is above its `replicas`. */
export function countsWithinReplicas<T extends { replicas?: number | undefined }>(
  status: T,
  figures: readonly Figure<T>[],
): FieldError[] {
  return figures
    .filter((figure) => (numberOf(status[figure]) ?? 0) > (status.replicas ?? 0))
    .map((figure) =>
      invalidValue(`status.${figure}`, status[figure], 'cannot be greater than status.replicas'),
    );
}

/** No more pods are available than ready; `than` is how the text calls the other figure. */
export function availableWithinReady(
  status: { availableReplicas?: number | undefined; readyReplicas?: number | undefined },
  than: string,
): FieldError[] {
  const { availableReplicas = 0, readyReplicas = 0 } = status;
  if (availableReplicas <= readyReplicas) return [];
  const why = `cannot be greater than ${than}`;
  return [invalidValue('status.availableReplicas', availableReplicas, why)];
}

/** What names of revisions are made of never falls. */
export function collisionsKept(
  now: { collisionCount?: number | undefined } | undefined,
  before: { collisionCount?: number | undefined } | undefined,
): FieldError[] {
  if (before?.collisionCount === undefined) return [];
  const count = now?.collisionCount ?? 0;
  return count >= before.collisionCount && now?.collisionCount !== undefined
    ? []
    : [invalidValue('status.collisionCount', count, 'cannot be decremented')];
}

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined;

/** The status of ReplicaSets and ReplicationControllers. */
export function validateReplicaStatus(
  status: ReplicaSetStatus | ReplicationControllerStatus,
): FieldError[] {
  const parts = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const;
  return [
    ...countsNotNegative(status, ['replicas', ...parts, 'observedGeneration']),
    ...countsWithinReplicas(status, parts),
    ...availableWithinReady(status, 'readyReplicas'),
  ];
}
