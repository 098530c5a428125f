// What /metrics shows of the scheduler, under upstream's names.
// Invariant: an attempt costs a few additions; who waits is counted when somebody asks.
import type { Figures } from '../base/figures.ts';
import type { WaitingPods } from './queue/pod-queue.ts';

/** How an attempt ended: bound, no node fits, or something failed. */
export type AttemptResult = 'scheduled' | 'unschedulable' | 'error';

/** Upper bounds of attempts, seconds: 1 ms to 16 s, as upstream. */
const SECONDS = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);

/** Upper bounds from a pod's coming to its binding, seconds: 10 ms to 5,243 s, as upstream. */
const SLI_SECONDS = Array.from({ length: 20 }, (_, i) => 0.01 * 2 ** i);

/** Told of each attempt. */
export type TellAttempt = (result: AttemptResult, attempt: Attempt) => void;

/** What an attempt cost. Milliseconds. */
export interface Attempt {
  readonly tookMs: number;
  /** Since the pod first came into the queue. */
  readonly waitedMs: number;
  /** How many there were, this one included. */
  readonly attempts: number;
}

/** Adds the scheduler's figures; the answer is to be told of each attempt to place a pod. */
export function schedulerFigures(
  figures: Figures,
  profile: string,
  waiting: () => WaitingPods,
): TellAttempt {
  const labels = ['profile', 'result'] as const;
  const attempts = figures.counter({
    name: 'scheduler_schedule_attempts_total',
    help: 'Attempts to place a pod, by how they ended.',
    labels,
  });
  const durations = figures.histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'Time of an attempt, from the choice of a node to the end of the binding.',
    labels,
    buckets: SECONDS,
  });
  const whole = figures.histogram({
    name: 'scheduler_pod_scheduling_sli_duration_seconds',
    help: 'Time from a pod’s coming into the queue to its binding, by the attempts that it took.',
    labels: ['attempts'],
    buckets: SLI_SECONDS,
  });
  figures.read(
    { name: 'scheduler_pending_pods', help: 'Pods that wait for a node.', labels: ['queue'] },
    () => Object.entries(waiting()).map(([queue, count]) => [[queue], count as number] as const),
  );
  return (result, attempt) => {
    attempts.of(profile, result).add();
    durations.of(profile, result).observe(attempt.tookMs / 1000);
    if (result === 'scheduled') whole.of(String(attempt.attempts)).observe(attempt.waitedMs / 1000);
  };
}
