// CronJobs: jobs that are made again and again by the clock. Stored and shown; no controller yet.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { invalidValue, notSupported, required } from '../field-error.ts';
import type { CronJob, CronJobSpec, JobTemplateSpec } from '../generated/types.ts';
import { CronJobs } from '../kinds.ts';
import { ageColumn, count, nameColumn, text, workloadColumns } from '../meta/columns.ts';
import { notNegative, requiredOneOf } from '../meta/numbers.ts';
import { ageOf } from '../wire/human-duration.ts';
import { scheduleFault } from './cron-schedule.ts';
import { defaultJobTemplate } from './job.ts';
import { podNameWarnings, templateWarnings } from '../core/pod-warnings.ts';
import { validateJobSpec } from './job-validation.ts';

/** Its jobs have its name and a time of 11 characters, and a job's name has 63 at most. */
const MAX_NAME = 52;
const MAX_ZONE_PART = 14;

/** What CronJobs are. */
export const cronJobDefinition = defineResource<CronJob>({
  ref: CronJobs,
  unattended: 'no controller of this cluster acts on CronJobs yet: no Jobs are made',
  singular: 'cronjob',
  listKind: 'CronJobList',
  shortNames: ['cj'],
  categories: ['all'],
  schemaName: 'io.k8s.api.batch.v1.CronJob',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Schedule', 'When jobs are made, as cron writes it.', ({ spec }) => spec?.schedule ?? ''),
    text('Timezone', 'Where that is meant.', ({ spec }) => spec?.timeZone ?? '<none>'),
    {
      ...text<CronJob>('Suspend', 'Whether no jobs are made for now.', suspendText),
      type: 'boolean',
    },
    count('Active', 'Jobs that are running.', ({ status }) => status?.active?.length ?? 0),
    text('Last Schedule', 'How long ago the last job was made.', ({ status }, nowMs) =>
      status?.lastScheduleTime ? ageOf(status.lastScheduleTime, nowMs) : '<none>',
    ),
    ageColumn,
    ...workloadColumns<CronJob>(({ spec }) => spec?.jobTemplate?.spec),
  ],
  selectableFields: {},
  defaults({ spec }) {
    if (!spec) return;
    spec.concurrencyPolicy ||= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    if (spec.jobTemplate?.spec) defaultJobTemplate(spec.jobTemplate.spec);
  },
  prepareForCreate(cronJob) {
    cronJob.status = {};
  },
  validate: ({ metadata: { name = '' }, spec }, old) => [
    ...validateSpec(spec ?? {}, old?.spec),
    ...(old === undefined && name.length > MAX_NAME
      ? [invalidValue('metadata.name', name, `must be no more than ${MAX_NAME} characters`)]
      : []),
  ],
  warnings: ({ metadata, spec }) => [
    ...podNameWarnings(metadata.name),
    ...templateWarnings(spec?.jobTemplate?.spec?.template, 'spec.jobTemplate.spec.template'),
  ],
});

/** Upstream's one boolean column of words. */
function suspendText({ spec }: CronJob): string {
  if (spec?.suspend === undefined) return '<unset>';
  return spec.suspend ? 'True' : 'False';
}

function validateSpec(spec: Partial<CronJobSpec>, before: CronJobSpec | undefined): FieldError[] {
  const policies = ['Allow', 'Forbid', 'Replace'];
  const zoneStays = before !== undefined && before.timeZone === spec.timeZone;
  return [
    ...validateSchedule(spec, before),
    ...notNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'),
    ...(zoneStays ? [] : validateTimeZone(spec.timeZone, 'spec.timeZone')),
    ...requiredOneOf(spec.concurrencyPolicy, policies, 'spec.concurrencyPolicy'),
    ...validateJobTemplate(spec.jobTemplate, 'spec.jobTemplate.spec'),
    ...notNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'),
    ...notNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'),
  ];
}

/** A zone stands in its own field; only a schedule that had one within may keep it there. */
function validateSchedule(
  { schedule = '', timeZone }: Partial<CronJobSpec>,
  before: CronJobSpec | undefined,
): FieldError[] {
  const path = 'spec.schedule';
  if (schedule === '') return [required(path)];
  const fault = scheduleFault(schedule, isTimeZone);
  const errors = fault === undefined ? [] : [invalidValue(path, schedule, fault)];
  if (!schedule.includes('TZ')) return errors;
  const had = before?.schedule.includes('TZ') ?? false;
  if (had && timeZone === undefined) return errors;
  const why = had
    ? 'cannot use both timeZone field and TZ or CRON_TZ in schedule'
    : 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
  return [...errors, invalidValue(path, schedule, why)];
}

function validateTimeZone(zone: string | undefined, path: string): FieldError[] {
  if (zone === undefined) return [];
  if (zone === '') return [invalidValue(path, zone, 'timeZone must be nil or non-empty string')];
  const sound = zone.split('/').every(isZonePart);
  if (!sound) return [invalidValue(path, zone, `unknown time zone ${zone}`)];
  if (zone.toLowerCase() === 'local') {
    const why =
      'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    return [invalidValue(path, zone, why)];
  }
  return isTimeZone(zone) ? [] : [invalidValue(path, zone, `unknown time zone ${zone}`)];
}

function isZonePart(part: string): boolean {
  const named = part !== '.' && part !== '..' && !part.startsWith('-');
  return named && part.length <= MAX_ZONE_PART && /^[A-Za-z.\-_0-9+]+$/.test(part);
}

/** Does the zone database that comes with the runtime know it? */
function isTimeZone(zone: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** The template's jobs make their own selectors. */
function validateJobTemplate(template: JobTemplateSpec | undefined, path: string): FieldError[] {
  const spec = template?.spec ?? {};
  const { selector, manualSelector } = spec as Partial<NonNullable<JobTemplateSpec['spec']>>;
  const errors = validateJobSpec(spec, path);
  if (selector !== undefined) {
    errors.push(invalidValue(`${path}.selector`, selector, '`selector` will be auto-generated'));
  }
  if (manualSelector === true) {
    errors.push(notSupported(`${path}.manualSelector`, manualSelector, ['nil', 'false']));
  }
  return errors;
}
