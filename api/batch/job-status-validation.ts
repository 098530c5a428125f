// Rules of a job's status, which whoever manages the job writes: figures that add up, and ends that stay.
// Invariant: a job that is complete or has failed stays so, and its end has a time and no running pods.
import type { FieldError } from '../field-error.ts';
import { duplicate, invalidBecause, invalidValue, required } from '../field-error.ts';
import type { Job, JobStatus } from '../generated/types.ts';
import { isConditionTrue } from '../meta/conditions.ts';
import { notNegative } from '../meta/numbers.ts';
import { parseTime } from '../meta/time.ts';
import { firstCommonIndex, parseIndexes } from './job-indexes.ts';

const COUNTS = ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const;
const CONDITIONS = 'status.conditions';

/** A rule that is broken, and how. */
type Check = readonly [broken: boolean, error: FieldError];

const broken = (checks: readonly Check[]): FieldError[] =>
  checks.filter(([isBroken]) => isBroken).map(([, error]) => error);

/** Which ends a job has reached or is going to. */
function endsOf({ status }: Job) {
  const is = (type: string) => isConditionTrue(status?.conditions, type);
  const [complete, failed] = [is('Complete'), is('Failed')];
  return {
    complete,
    failed,
    finished: complete || failed,
    met: is('SuccessCriteriaMet'),
    failing: is('FailureTarget'),
  };
}

/** Rules of a write to a job's status. */
export function validateJobStatus(job: Job, old: Job): FieldError[] {
  const { status = {} } = job;
  return [
    ...COUNTS.flatMap((count) => notNegative(status[count], `status.${count}`)),
    ...validateUncounted(status),
    ...validateConditions(job),
    ...validateTimes(job),
    ...validateFinished(job),
    ...validateIndexes(job),
    ...validateKept(job, old),
  ];
}

function validateUncounted({ uncountedTerminatedPods: pods }: JobStatus): FieldError[] {
  const seen = new Set<string>();
  return (['succeeded', 'failed'] as const).flatMap((end) =>
    (pods?.[end] ?? []).flatMap((uid, i) => {
      const at = `status.uncountedTerminatedPods.${end}[${i}]`;
      if (uid === '') return [invalidValue(at, uid, 'must not be empty')];
      if (seen.has(uid)) return [duplicate(at, uid)];
      seen.add(uid);
      return [];
    }),
  );
}

function validateConditions(job: Job): FieldError[] {
  const { complete, failed, met, failing } = endsOf(job);
  const refuse = (why: string) => invalidBecause(CONDITIONS, why);
  return broken([
    [complete && failed, refuse('cannot set Complete=True and Failed=true conditions')],
    [complete && failing, refuse('cannot set Complete=True and FailureTarget=true conditions')],
    [
      failed && !failing,
      refuse('cannot set Failed=True condition without the FailureTarget=true condition'),
    ],
    [
      complete && !met,
      refuse('cannot set Complete=True condition without the SuccessCriteriaMet=true condition'),
    ],
    [met && failed, refuse('cannot set SuccessCriteriaMet=True and Failed=true conditions')],
    [
      met && failing,
      refuse('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions'),
    ],
  ]);
}

function validateTimes(job: Job): FieldError[] {
  const { complete, finished } = endsOf(job);
  const { startTime, completionTime } = job.status ?? {};
  const at = 'status.completionTime';
  const early = (parseTime(completionTime) ?? Infinity) < (parseTime(startTime) ?? -Infinity);
  return broken([
    [
      completionTime !== undefined && !complete,
      invalidValue(
        at,
        completionTime,
        'cannot set completionTime when there is no Complete=True condition',
      ),
    ],
    [
      completionTime === undefined && complete,
      required(at, 'completionTime is required for Complete jobs'),
    ],
    [early, invalidValue(at, completionTime, 'completionTime cannot be set before startTime')],
    [
      startTime === undefined && finished,
      required('status.startTime', 'startTime is required for finished job'),
    ],
  ]);
}

function validateFinished(job: Job): FieldError[] {
  const { finished } = endsOf(job);
  const { active = 0, ready = 0, terminating = 0 } = job.status ?? {};
  const uncounted = job.status?.uncountedTerminatedPods;
  const open = [...(uncounted?.failed ?? []), ...(uncounted?.succeeded ?? [])].length > 0;
  return broken([
    [
      finished && active > 0,
      invalidValue('status.active', active, 'active>0 is invalid for finished job'),
    ],
    [
      finished && open,
      invalidValue(
        'status.uncountedTerminatedPods',
        uncounted,
        'uncountedTerminatedPods needs to be empty for finished job',
      ),
    ],
    [
      finished && terminating > 0,
      invalidValue('status.terminating', terminating, 'terminating>0 is invalid for finished job'),
    ],
    [ready > active, invalidValue('status.ready', ready, 'cannot set more ready pods than active')],
  ]);
}

const faultOf = (parsed: unknown): string => (typeof parsed === 'string' ? parsed : '');

function validateIndexes({ spec, status = {} }: Job): FieldError[] {
  const { completedIndexes = '', failedIndexes } = status;
  const { completions, backoffLimitPerIndex, completionMode } = spec ?? {};
  const [completedAt, failedAt] = ['status.completedIndexes', 'status.failedIndexes'];
  const completed = parseIndexes(completedIndexes, completions ?? Infinity);
  const failed = parseIndexes(failedIndexes ?? '', completions ?? Infinity);
  const both = typeof completed === 'string' || typeof failed === 'string';
  const common = both ? undefined : firstCommonIndex(completed, failed);
  return broken([
    [
      completions !== undefined && typeof completed === 'string',
      invalidValue(
        completedAt,
        completedIndexes,
        `error parsing completedIndexes: ${faultOf(completed)}`,
      ),
    ],
    [
      completions !== undefined && typeof failed === 'string' && backoffLimitPerIndex !== undefined,
      invalidValue(failedAt, failedIndexes, `error parsing failedIndexes: ${faultOf(failed)}`),
    ],
    [
      completedIndexes !== '' && completionMode !== 'Indexed',
      invalidValue(
        completedAt,
        completedIndexes,
        'cannot set non-empty completedIndexes when non-indexed completion mode',
      ),
    ],
    [
      failedIndexes !== undefined && backoffLimitPerIndex === undefined,
      invalidValue(
        failedAt,
        failedIndexes,
        'cannot set non-null failedIndexes when backoffLimitPerIndex is null',
      ),
    ],
    [
      common !== undefined,
      invalidValue(
        failedAt,
        failedIndexes,
        `failedIndexes and completedIndexes overlap at index: ${common}`,
      ),
    ],
  ]);
}

function validateKept(job: Job, old: Job): FieldError[] {
  const [now, before] = [job.status ?? {}, old.status ?? {}];
  const [ends, were] = [endsOf(job), endsOf(old)];
  const disabled = (was: boolean, is: boolean, type: string): Check => [
    was && !is,
    invalidBecause(CONDITIONS, `cannot disable the ${type}=True condition`),
  ];
  const startChanged = before.startTime !== undefined && now.startTime !== before.startTime;
  return broken([
    disabled(were.failed, ends.failed, 'terminal Failed'),
    disabled(were.complete, ends.complete, 'terminal Complete'),
    disabled(were.failing, ends.failing, 'terminal FailureTarget'),
    disabled(were.met, ends.met, 'SuccessCriteriaMet'),
    ...(['failed', 'succeeded'] as const).map(
      (count): Check => [
        (now[count] ?? 0) < (before[count] ?? 0),
        invalidValue(`status.${count}`, now[count] ?? 0, `cannot decrease the ${count} counter`),
      ],
    ),
    [
      now.completionTime !== undefined &&
        before.completionTime !== undefined &&
        now.completionTime !== before.completionTime,
      invalidValue('status.completionTime', now.completionTime, 'completionTime cannot be mutated'),
    ],
    [
      startChanged && job.spec?.suspend !== true,
      required('status.startTime', 'startTime cannot be removed for unsuspended job'),
    ],
    [
      were.complete && !were.met && ends.met,
      invalidBecause(
        CONDITIONS,
        'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions',
      ),
    ],
  ]);
}
