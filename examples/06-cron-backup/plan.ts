// What is to be done for a schedule, from what is known of it: the whole of the operator's judgement.
// Invariant: pure. The newest good backup is never among what goes; under Forbid nothing begins while anything may be running.
import { withCondition } from 'pinnace/controllers';
import type { BackupSchedule } from './kind.ts';
import { type Run, runName, timeOfRun } from './runs.ts';
import { timeAfter, timesBetween } from './schedule.ts';

type Status = NonNullable<BackupSchedule['status']>;

/** What is known. */
export interface Situation {
  readonly schedule: BackupSchedule;
  /** Pods of the schedule, those of `status.active` among them whatever the cache shows. */
  readonly runs: readonly Run[];
  readonly nowMs: number;
}

/** What is to be done, in this order: the status is written, the run begins, others end, old ones go. */
export interface Plan {
  readonly status: Status;
  /** The due time of the run that begins. */
  readonly begin: number | undefined;
  /** Runs that make room for the next one. */
  readonly end: readonly string[];
  /** Backups that are no longer kept. */
  readonly prune: readonly string[];
  /** Due times that went by. */
  readonly missed: readonly number[];
  /** When to look again, though nothing changes. */
  readonly wakeAtMs: number | undefined;
}

/** Decides. */
export function plan(situation: Situation): Plan {
  const { schedule, runs, nowMs } = situation;
  const due = dueOf(situation);
  const running = runs.filter(({ phase }) => phase === 'running');
  const { concurrencyPolicy } = schedule.spec;
  const isFree = concurrencyPolicy === 'Allow' || running.length === 0;
  const begin = due.wanted !== undefined && isFree ? due.wanted : undefined;
  const waits = due.wanted !== undefined && begin === undefined;
  const kept = retained(situation);
  const end = waits && concurrencyPolicy === 'Replace' ? running : [];
  return {
    begin,
    end: end.filter(({ ending }) => !ending).map(({ name }) => name),
    prune: kept.prune,
    missed: due.missed,
    status: statusOf(situation, { ...due, begin, running }),
    wakeAtMs: earliest([
      timeAfter(schedule.spec, nowMs),
      waits ? due.wanted! + deadlineMs(schedule) + 1 : undefined,
      kept.nextAgeMs,
    ]),
  };
}

interface Due {
  /** The time that a run is owed for now. */
  readonly wanted: number | undefined;
  readonly missed: readonly number[];
  /** The newest time that is done with. */
  readonly seenMs: number | undefined;
}

/** Which time a run is owed for: the newest, if it is not too late for it; all before it went by. */
function dueOf({ schedule, runs, nowMs }: Situation): Due {
  const seenText = schedule.status?.lastScheduleTime;
  const seen = seenText === undefined ? undefined : Date.parse(seenText);
  const lateMs = nowMs - deadlineMs(schedule);
  // Begun by the status, but the pod was never made: the one chance to make good what a crash cut off.
  const cut = (schedule.status?.active ?? [])
    .map(timeOfRun)
    .find((time) => time >= lateMs && !runs.some(({ timeMs }) => timeMs === time));
  const since = seen ?? Date.parse(schedule.metadata.creationTimestamp ?? '');
  const times = timesBetween(schedule.spec, since, nowMs);
  const newest = times.at(-1);
  // Times that go by meanwhile are neither run nor missed.
  if (schedule.spec.suspend) return { wanted: undefined, missed: [], seenMs: newest ?? seen };
  if (newest === undefined) return { wanted: cut, missed: [], seenMs: seen };
  if (newest < lateMs) return { wanted: cut, missed: times, seenMs: newest };
  return { wanted: newest, missed: times.slice(0, -1), seenMs: times.at(-2) ?? seen };
}

const deadlineMs = ({ spec }: BackupSchedule): number => spec.startingDeadlineSeconds * 1000;

/** Which finished runs go, and when age will next decide. */
function retained({ schedule, runs, nowMs }: Situation) {
  const { keep, keepFailed, maxAgeSeconds } = schedule.spec.retention;
  const over = runs.filter(({ ending }) => !ending).sort((a, b) => b.timeMs - a.timeMs);
  const good = over.filter(({ phase }) => phase === 'good');
  const failed = over.filter(({ phase }) => phase === 'failed');
  const maxAgeMs = maxAgeSeconds === undefined ? Infinity : maxAgeSeconds * 1000;
  const isOld = ({ timeMs }: Run) => nowMs - timeMs > maxAgeMs;
  const [newest, ...others] = good.slice(0, keep);
  const young = others.filter((run) => !isOld(run));
  const prune = [...good.slice(keep), ...others.filter(isOld), ...failed.slice(keepFailed)];
  const oldest = young.at(-1);
  return {
    prune: prune.map(({ name }) => name),
    newest,
    nextAgeMs: oldest && Number.isFinite(maxAgeMs) ? oldest.timeMs + maxAgeMs + 1 : undefined,
  };
}

interface Decided extends Due {
  readonly begin: number | undefined;
  readonly running: readonly Run[];
}

function statusOf({ schedule, runs, nowMs }: Situation, decided: Decided): Status {
  const { begin, missed, running, seenMs } = decided;
  const old: Status = schedule.status ?? {};
  const good = runs.filter(({ phase, ending }) => phase === 'good' && !ending);
  const lastGood = Math.max(...good.map(({ timeMs }) => timeMs), timeOf(old.lastSuccessfulTime));
  const names = running.map(({ name }) => name);
  const active = begin === undefined ? names : [...names, runName(schedule, begin)];
  const next = schedule.spec.suspend ? undefined : timeAfter(schedule.spec, nowMs);
  const last = Math.max(begin ?? 0, seenMs ?? 0);
  return {
    ...(last > 0 && { lastScheduleTime: format(last) }),
    ...(lastGood > 0 && { lastSuccessfulTime: format(lastGood) }),
    ...(next !== undefined && { nextScheduleTime: format(next) }),
    ...(active.length > 0 && { active: [...new Set(active)].sort() }),
    backups: good.length,
    missed: (old.missed ?? 0) + missed.length,
    conditions: conditionsOf(schedule, runs, format(nowMs)),
  };
}

function conditionsOf(schedule: BackupSchedule, runs: readonly Run[], now: string) {
  const over = runs.filter(({ phase }) => phase !== 'running');
  const newest = over.reduce<Run | undefined>(
    (best, run) => (best && best.timeMs > run.timeMs ? best : run),
    undefined,
  );
  const { generation } = schedule.metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const valid = {
    type: 'Valid',
    status: 'True',
    reason: 'Valid',
    message: '',
    ...observed,
  } as const;
  const conditions = withCondition(schedule.status?.conditions, valid, now);
  if (!newest) return conditions;
  const isGood = newest.phase === 'good';
  const succeeding = {
    type: 'Succeeding',
    status: isGood ? 'True' : 'False',
    reason: isGood ? 'LastRunSucceeded' : 'LastRunFailed',
    message: `the run of ${format(newest.timeMs)} ${isGood ? 'succeeded' : 'failed'}`,
    ...observed,
  } as const;
  return withCondition(conditions, succeeding, now);
}

const timeOf = (text: string | undefined): number => (text === undefined ? 0 : Date.parse(text));
/** As the API writes moments. */
const format = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}
