// Jobs: pods that run to their end, so many times. Stored and shown; no controller yet.
// Invariant: unless its writer asks otherwise, a job selects its pods by its own uid, and so no others.
import { defaultPodTemplate } from '../core/pod-template-defaults.ts';
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { Job, JobSpec, PodTemplateSpec } from '../generated/types.ts';
import { Jobs } from '../kinds.ts';
import { ageColumn, nameColumn, text, workloadColumns } from '../meta/columns.ts';
import { isConditionTrue } from '../meta/conditions.ts';
import { parseTime } from '../meta/time.ts';
import { humanDuration } from '../wire/human-duration.ts';
import { podNameWarnings, templateWarnings } from '../core/pod-warnings.ts';
import { generatedLabels } from './job-selector.ts';
import { validateJobStatus } from './job-status-validation.ts';
import { validateJob } from './job-validation.ts';

const BACKOFF_LIMIT = 6;
const NO_BACKOFF_LIMIT = 2 ** 31 - 1;
/** Conditions whose name is what the status column says, the first that is true. */
const SHOWN_CONDITIONS = ['Suspended', 'FailureTarget'];

/** What Jobs are. */
export const jobDefinition = defineResource<Job>({
  ref: Jobs,
  unattended: 'no controller of this cluster acts on Jobs yet: no pods are made',
  singular: 'job',
  listKind: 'JobList',
  shortNames: [],
  categories: ['all'],
  schemaName: 'io.k8s.api.batch.v1.Job',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: true,
  orphansByDefault: {
    warning:
      'child pods are preserved by default when jobs are deleted; set ' +
      'propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress ' +
      'this warning',
  },
  subresources: [],
  columns: [
    nameColumn,
    text('Status', 'The state of the job in one word.', statusText),
    text('Completions', 'Pods that succeeded of all that are to.', completionsText),
    text('Duration', 'How long it has been running, or ran.', durationText),
    ageColumn,
    ...workloadColumns<Job>((job) => job.spec),
  ],
  selectableFields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  defaults(job) {
    const { spec, metadata } = job;
    if (!spec) return;
    defaultSpec(spec);
    const { labels } = spec.template?.metadata ?? {};
    if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
  },
  prepareForCreate(job) {
    job.status = {};
    if (job.spec && job.spec.manualSelector !== true) selectOwnPods(job, job.spec);
  },
  validate: validateJob,
  validateStatus: validateJobStatus,
  warnings: ({ metadata, spec }) => [
    ...podNameWarnings(metadata.name),
    ...templateWarnings(spec?.template, 'spec.template'),
  ],
});

function defaultSpec(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT : NO_BACKOFF_LIMIT;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
  defaultJobTemplate(spec);
}

/** Fills what a job and the template of one share. */
export function defaultJobTemplate(spec: JobSpec): void {
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True';
  }
  defaultPodTemplate(spec.template);
}

/** Labels the pods with the job's name and uid, and selects them by its uid. A label that stands there stays, for validation to refuse. */
function selectOwnPods(job: Job, spec: JobSpec): void {
  const { name = '', uid = '' } = job.metadata;
  const labels = generatedLabels(name, uid);
  const template: PodTemplateSpec = (spec.template ??= {});
  template.metadata = {
    ...template.metadata,
    labels: { ...labels, ...template.metadata?.labels },
  };
  const { matchLabels, ...selector } = spec.selector ?? {};
  const uidLabel = 'batch.kubernetes.io/controller-uid';
  spec.selector = { ...selector, matchLabels: { [uidLabel]: uid, ...matchLabels } };
}

function statusText({ metadata, status }: Job): string {
  const { conditions } = status ?? {};
  if (isConditionTrue(conditions, 'Complete')) return 'Complete';
  if (isConditionTrue(conditions, 'Failed')) return 'Failed';
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  return SHOWN_CONDITIONS.find((type) => isConditionTrue(conditions, type)) ?? 'Running';
}

function completionsText({ spec, status }: Job): string {
  const { completions, parallelism = 0 } = spec ?? {};
  const succeeded = status?.succeeded ?? 0;
  if (completions !== undefined) return `${succeeded}/${completions}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText({ status }: Job, nowMs: number): string {
  const startedMs = parseTime(status?.startTime);
  if (startedMs === undefined) return '';
  return humanDuration((parseTime(status?.completionTime) ?? nowMs) - startedMs);
}
