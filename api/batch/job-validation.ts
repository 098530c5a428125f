// Rules of jobs and of the templates that cron jobs make them from. Policies have a file of their own.
// Invariant: what decides when a job is done (selector, template, completions, policies) stays as it was made.
import { validatePodTemplate } from '../core/pod-template-validation.ts';
import type { FieldError } from '../field-error.ts';
import { invalidValue, notSupported, required, tooLong } from '../field-error.ts';
import type { Affinity, Job, JobSpec, PodTemplateSpec } from '../generated/types.ts';
import { sameMeaning } from '../meta/deep-equal.ts';
import { allUnchanged, obeys, unchanged } from '../meta/field-rules.ts';
import { fromLabelSelector } from '../meta/labels.ts';
import { dnsLabel, domainPrefixedPath } from '../meta/names.ts';
import { notNegative, oneOf } from '../meta/numbers.ts';
import { validateLabelSelector } from '../meta/validate-labels.ts';
import { validatePodFailurePolicy, validateSuccessPolicy } from './job-policy-validation.ts';
import { validateGeneratedSelector } from './job-selector.ts';

const MAX_PARALLELISM = 100_000;
const MAX_FAILED_INDEXES = 100_000;
/** Above so many completions, jobs with a limit per index keep lower limits. */
const MANY_COMPLETIONS = 100_000;
const MAX_OF_MANY = 10_000;
const MAX_MANAGED_BY = 63;
const ENDING = ['OnFailure', 'Never'];

const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const satisfies readonly (keyof JobSpec)[];

/** A spec as it may come: the template is not there for sure. */
type WrittenSpec = Partial<JobSpec>;

/** Rules of a job, new or changed. */
export function validateJob(job: Job, old: Job | undefined): FieldError[] {
  const { spec = {} } = job;
  return old === undefined
    ? [
        ...validateGeneratedSelector(job),
        ...validateSelected(spec),
        ...validateHostNames(job.metadata.name ?? '', spec),
      ]
    : [...validateSelected(spec), ...validateKept(job, old)];
}

/** The rules of its spec, and that it selects its own pods. */
function validateSelected(spec: WrittenSpec): FieldError[] {
  const { selector, template } = spec;
  const errors = [
    ...validateJobSpec(spec, 'spec'),
    ...(selector === undefined ? [required('spec.selector')] : []),
    ...validateLabelSelector(selector, 'spec.selector'),
  ];
  const labels = template?.metadata?.labels;
  const sound = validateLabelSelector(selector, '').length === 0;
  if (sound && !fromLabelSelector(selector).matches(labels)) {
    const why = '`selector` does not match template `labels`';
    errors.push(invalidValue('spec.template.metadata.labels', labels ?? null, why));
  }
  return errors;
}

/** Pods of an indexed job have its name and their index as host name. */
function validateHostNames(name: string, { completionMode, completions = 0 }: WrittenSpec) {
  if (completionMode !== 'Indexed' || completions <= 0) return [];
  const longest = `${name}-${completions - 1}`;
  if (dnsLabel(longest) === undefined) return [];
  const why = `will not able to create pod with invalid DNS label: ${longest}`;
  return [invalidValue('metadata.name', name, why)];
}

/** Rules of a job's spec, in a job or in a cron job. */
export function validateJobSpec(spec: WrittenSpec, path: string): FieldError[] {
  const { successPolicy, podFailurePolicy, completionMode } = spec;
  return [
    ...COUNTS.flatMap((count) => notNegative(spec[count], `${path}.${count}`)),
    ...validateManager(spec.managedBy, `${path}.managedBy`),
    ...oneOf(completionMode, ['NonIndexed', 'Indexed'], `${path}.completionMode`),
    ...validateIndexing(spec, path),
    ...(podFailurePolicy ? validatePodFailurePolicy(spec, `${path}.podFailurePolicy`) : []),
    ...(successPolicy ? validateSuccess(spec, `${path}.successPolicy`) : []),
    ...oneOf(
      spec.podReplacementPolicy,
      podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'],
      `${path}.podReplacementPolicy`,
    ),
    ...validatePodTemplate(spec.template, `${path}.template`),
    ...validateEnds(spec, `${path}.template.spec.restartPolicy`),
  ];
}

function validateManager(manager: string | undefined, path: string): FieldError[] {
  const errors = obeys(domainPrefixedPath, manager, path);
  return (manager?.length ?? 0) > MAX_MANAGED_BY
    ? [...errors, tooLong(path, MAX_MANAGED_BY)]
    : errors;
}

function validateIndexing(spec: WrittenSpec, path: string): FieldError[] {
  const { completionMode, backoffLimitPerIndex, maxFailedIndexes } = spec;
  const errors: FieldError[] = [];
  if (maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined) {
    const why = 'when maxFailedIndexes is specified';
    errors.push(required(`${path}.backoffLimitPerIndex`, why));
  }
  if (completionMode === 'Indexed') return [...errors, ...validateIndexed(spec, path)];
  if (completionMode !== undefined && completionMode !== 'NonIndexed') return errors;
  return [
    ...errors,
    ...(['backoffLimitPerIndex', 'maxFailedIndexes'] as const)
      .filter((field) => spec[field] !== undefined)
      .map((field) =>
        invalidValue(`${path}.${field}`, spec[field], 'requires indexed completion mode'),
      ),
  ];
}

function validateIndexed(spec: WrittenSpec, path: string): FieldError[] {
  const { completions, parallelism = 0, maxFailedIndexes = 0, backoffLimitPerIndex } = spec;
  const errors: FieldError[] = [];
  if (completions === undefined) {
    errors.push(required(`${path}.completions`, 'when completion mode is Indexed'));
  }
  if (parallelism > MAX_PARALLELISM) {
    const why = `must be less than or equal to ${MAX_PARALLELISM} when completion mode is Indexed`;
    errors.push(invalidValue(`${path}.parallelism`, parallelism, why));
  }
  const failedAt = `${path}.maxFailedIndexes`;
  if (completions !== undefined && maxFailedIndexes > completions) {
    const why = 'must be less than or equal to completions';
    errors.push(invalidValue(failedAt, maxFailedIndexes, why));
  }
  if (maxFailedIndexes > MAX_FAILED_INDEXES) {
    const why = `must be less than or equal to ${MAX_FAILED_INDEXES}`;
    errors.push(invalidValue(failedAt, maxFailedIndexes, why));
  }
  const many = (completions ?? 0) > MANY_COMPLETIONS && backoffLimitPerIndex !== undefined;
  return many ? [...errors, ...validateMany(spec, path)] : errors;
}

/** So many indexes that the status could not name all that failed. */
function validateMany(spec: WrittenSpec, path: string): FieldError[] {
  const { parallelism = 0, maxFailedIndexes } = spec;
  const errors: FieldError[] = [];
  const why =
    `must be less than or equal to ${MAX_OF_MANY} when completions are above ${MANY_COMPLETIONS} ` +
    'and used with backoff limit per index';
  const failedAt = `${path}.maxFailedIndexes`;
  if (maxFailedIndexes === undefined) {
    errors.push(
      required(failedAt, `must be specified when completions is above ${MANY_COMPLETIONS}`),
    );
  }
  if (parallelism > MAX_OF_MANY) {
    errors.push(invalidValue(`${path}.parallelism`, parallelism, why));
  }
  if ((maxFailedIndexes ?? 0) > MAX_OF_MANY)
    errors.push(invalidValue(failedAt, maxFailedIndexes, why));
  return errors;
}

function validateSuccess(spec: WrittenSpec, path: string): FieldError[] {
  return spec.completionMode === 'Indexed'
    ? validateSuccessPolicy(spec, path)
    : [invalidValue(path, spec.successPolicy, 'requires indexed completion mode')];
}

/** Pods of a job end; the default of other pods does not count as said. */
function validateEnds({ template, podFailurePolicy }: WrittenSpec, path: string): FieldError[] {
  const { restartPolicy } = template?.spec ?? {};
  if (!restartPolicy || restartPolicy === 'Always') {
    const known = ENDING.map((policy) => JSON.stringify(policy)).join(', ');
    return [required(path, `valid values: ${known}`)];
  }
  if (!ENDING.includes(restartPolicy)) return [notSupported(path, restartPolicy, ENDING)];
  if (podFailurePolicy === undefined || restartPolicy === 'Never') return [];
  const why = 'only "Never" is supported when podFailurePolicy is specified';
  return [invalidValue(path, restartPolicy, why)];
}

function validateKept(job: Job, old: Job): FieldError[] {
  const now: WrittenSpec = job.spec ?? {};
  const before: WrittenSpec = old.spec ?? {};
  const waits = before.suspend === true && old.status?.startTime === undefined;
  const frozen = waits ? withDirectivesOf(before.template, now.template) : before.template;
  const kept = [
    'completionMode',
    'podFailurePolicy',
    'backoffLimitPerIndex',
    'managedBy',
    'successPolicy',
  ] as const;
  return [
    ...validateCompletionsKept(now, before),
    ...unchanged(now.selector, before.selector, 'spec.selector'),
    ...unchanged(now.template, frozen, 'spec.template'),
    ...allUnchanged({ now, before }, kept, 'spec'),
  ];
}

/** An indexed job may grow and shrink, as long as all its pods run at once. */
function validateCompletionsKept(now: WrittenSpec, before: WrittenSpec): FieldError[] {
  const path = 'spec.completions';
  if (now.completionMode !== 'Indexed') return unchanged(now.completions, before.completions, path);
  const { completions } = now;
  if (completions === before.completions || completions === undefined) return [];
  if (completions === now.parallelism) return [];
  const why = 'can only be modified in tandem with spec.parallelism';
  return [invalidValue(path, completions, why)];
}

/** The old template with all that a job that has not begun may still say about places. */
function withDirectivesOf(
  before: PodTemplateSpec | undefined,
  now: PodTemplateSpec | undefined,
): PodTemplateSpec | undefined {
  if (!before?.spec || !now?.spec) return before;
  const { nodeSelector, tolerations, schedulingGates } = now.spec;
  const { labels, annotations } = now.metadata ?? {};
  const { labels: _l, annotations: _a, ...metadata } = before.metadata ?? {};
  const affinity = withNodeAffinityOf(before.spec.affinity, now.spec.affinity);
  return {
    ...before,
    metadata: {
      ...metadata,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
    },
    spec: { ...before.spec, nodeSelector, tolerations, schedulingGates, affinity },
  };
}

function withNodeAffinityOf(
  before: Affinity | undefined,
  now: Affinity | undefined,
): Affinity | undefined {
  const mixed = { ...before, nodeAffinity: now?.nodeAffinity };
  return sameMeaning(mixed, {}) ? undefined : mixed;
}
