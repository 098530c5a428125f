// What is to be done for a canary, from what is known of it: the whole of the operator's judgement.
// Invariant: pure. A version that failed gets no pods, and is never taken for good; the good one has as many as are not ready of the new one.
import { formatTime, parseTime } from 'pinnace/client';
import type { Canary, CanaryStatus } from './kind.ts';
import { conditionsOf } from './report.ts';
import { type Track, type Version, versionOf } from './tracks.ts';

/** What is known. */
export interface Situation {
  readonly canary: Canary;
  /** The Deployment of the good version, and that of the one on trial. */
  readonly stable: Track | undefined;
  readonly trial: Track | undefined;
  /** A figure of the version on trial, where `isSampleDue` asked for one and there is one. */
  readonly figure?: number | undefined;
  readonly nowMs: number;
}

/** What a Deployment is to be; without a version it stays of the one that it is of. */
export interface Wanted {
  readonly version?: Version;
  readonly replicas: number;
}

/** What is to be done, in this order: the status is written, the canary Deployment, the stable one. */
export interface Plan {
  readonly status: CanaryStatus;
  readonly trial: Wanted;
  readonly stable: Wanted;
  /** When to look again, though nothing changes. */
  readonly wakeAtMs: number | undefined;
}

type State = Omit<CanaryStatus, 'conditions' | 'weight'>;
type Trial = NonNullable<CanaryStatus['trial']>;

/** Decides. */
export function plan(situation: Situation): Plan {
  const state = nextState(situation);
  const { canary, nowMs } = situation;
  const weight = weightOf(canary, state);
  const { generation } = canary.metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const status = { ...state, ...observed, weight };
  return {
    ...scales(situation, state),
    status: { ...status, conditions: conditionsOf(canary, status, nowMs) },
    wakeAtMs: wakeAt(canary, state),
  };
}

/** Is a figure to be asked for now? */
export function isSampleDue({ canary, nowMs }: Pick<Situation, 'canary' | 'nowMs'>): boolean {
  const { trial } = canary.status ?? {};
  return trial !== undefined && nowMs >= (sampleAt(canary, trial) ?? Infinity);
}

/** How many pods of the new version a weight comes to: one at least, and one is left for the good version where there are two. */
export function podsFor(weight: number, replicas: number): number {
  const share = Math.round((replicas * weight) / 100);
  return Math.max(1, Math.min(share, replicas - 1));
}

function weightOf({ spec }: Canary, { trial }: State): number {
  return trial === undefined ? 0 : (spec.steps[trial.step]?.weight ?? 0);
}

function nextState({ canary, stable, trial, ...now }: Situation): State {
  const wanted = versionOf(canary);
  const old = canary.status;
  if (old === undefined) return { phase: 'Steady', stable: wanted };
  const failed = old.failedRevision === undefined ? {} : { failedRevision: old.failedRevision };
  const steady: State = { phase: 'Steady', stable: old.stable, ...failed };
  if (wanted.revision === old.stable.revision) return steady;
  if (wanted.revision === old.failedRevision) return { ...steady, phase: 'RolledBack' };
  const begun = { since: formatTime(now.nowMs), good: 0, bad: 0 };
  if (old.canary?.revision === wanted.revision && old.trial)
    return judged({ canary, stable, trial, ...now }, { ...old, trial: old.trial });
  // What went before is brought to its end first: pods of the last version may still be needed.
  const isTidy = stable?.replicas === canary.spec.replicas && (trial?.replicas ?? 0) === 0;
  if (!isTidy) return steady;
  return { ...steady, phase: 'Progressing', canary: wanted, trial: { ...begun, step: 0 } };
}

/** What becomes of the version on trial. */
function judged(situation: Situation, old: State & { readonly trial: Trial }): State {
  const { canary, figure, nowMs } = situation;
  const { analysis, paused, steps } = canary.spec;
  const version = versionOf(canary);
  const trial = sampled(situation, withoutFuture(old.trial, nowMs));
  const step = steps[trial.step];
  const { phase: _, canary: __, trial: ___, ...rest } = old;
  const lateMs = timeOf(trial.since) + analysis.readySeconds * 1000;
  const isLate = trial.readySince === undefined && nowMs >= lateMs;
  if (isLate || trial.bad >= analysis.failures)
    return { ...rest, phase: 'RolledBack', failedRevision: version.revision };
  const held = timeOf(trial.readySince) + (step?.holdSeconds ?? 0) * 1000;
  const isBad = figure !== undefined && figure > analysis.max;
  const isDone = nowMs >= held && trial.good > 0 && !isBad && !paused;
  if (!isDone) return { ...rest, phase: 'Progressing', canary: version, trial };
  if (trial.step + 1 >= steps.length) return { ...rest, phase: 'Steady', stable: version };
  const since = formatTime(nowMs);
  const next = { step: trial.step + 1, since, good: 0, bad: 0 };
  return { ...rest, phase: 'Progressing', canary: version, trial: next };
}

/** A clock that was set back would have everybody wait until it is there again: moments to come are taken for now. */
function withoutFuture(trial: Trial, nowMs: number): Trial {
  const past = (text: string) => (timeOf(text) > nowMs ? formatTime(nowMs) : text);
  const { readySince, sampledAt, since } = trial;
  return {
    ...trial,
    since: past(since),
    ...(readySince !== undefined && { readySince: past(readySince) }),
    ...(sampledAt !== undefined && { sampledAt: past(sampledAt) }),
  };
}

/** The trial with what was found of it now: since when its pods are ready, and the figure. */
function sampled({ canary, figure, nowMs, trial: track }: Situation, trial: Trial): Trial {
  const { analysis, replicas } = canary.spec;
  const now = formatTime(nowMs);
  const pods = podsFor(weightOf(canary, { trial } as State), replicas);
  const isReady = track?.revision === versionOf(canary).revision && track.ready >= pods;
  const ready = trial.readySince === undefined && isReady ? { readySince: now } : {};
  if (!isSampleDue({ canary, nowMs })) return { ...trial, ...ready };
  if (figure === undefined) return { ...trial, ...ready, sampledAt: now };
  const isBad = figure > analysis.max;
  const counts = { good: trial.good + (isBad ? 0 : 1), bad: trial.bad + (isBad ? 1 : 0) };
  return { ...trial, ...ready, ...counts, sampledAt: now };
}

/** How many pods each version is to have. */
function scales({ canary, stable, trial }: Situation, state: State) {
  const { replicas } = canary.spec;
  if (state.phase === 'RolledBack')
    return { trial: { replicas: 0 }, stable: { version: state.stable, replicas } };
  if (state.phase === 'Steady') {
    // Pods of a version that has passed, or was given up, serve until the stable ones are there.
    const isThere = stable?.settled === true && stable.revision === state.stable.revision;
    const enough = isThere && stable.replicas === replicas;
    const serves = trial !== undefined && !enough && trial.revision !== state.failedRevision;
    const kept = serves ? Math.min(trial.replicas, replicas) : 0;
    return { trial: { replicas: kept }, stable: { version: state.stable, replicas } };
  }
  const version = state.canary ?? state.stable;
  const pods = podsFor(weightOf(canary, state), replicas);
  const ready = trial?.revision === version.revision ? Math.min(trial.ready, pods) : 0;
  return {
    trial: { version, replicas: pods },
    stable: { version: state.stable, replicas: Math.max(1, replicas - ready) },
  };
}

function wakeAt(canary: Canary, { trial }: State): number | undefined {
  if (trial === undefined) return undefined;
  const { analysis } = canary.spec;
  return trial.readySince === undefined
    ? timeOf(trial.since) + analysis.readySeconds * 1000
    : sampleAt(canary, trial);
}

/** When the next figure is due; undefined while the step's pods are not ready. */
function sampleAt({ spec }: Canary, { readySince, sampledAt }: Trial): number | undefined {
  if (readySince === undefined) return undefined;
  return timeOf(sampledAt ?? readySince) + spec.analysis.intervalSeconds * 1000;
}

const timeOf = (text: string | undefined): number => parseTime(text) ?? Infinity;
