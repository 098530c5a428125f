// What users are told of a canary: conditions, and events of what changed.
// Invariant: pure, and nothing is decided here.
import { formatTime } from 'pinnace/client';
import { withCondition } from 'pinnace/controllers';
import type { Canary, CanaryStatus } from './kind.ts';

type State = Omit<CanaryStatus, 'conditions'>;

/** The conditions: is a new version on its way (Progressing), and is the one that is asked for good (Healthy)? */
export function conditionsOf(canary: Canary, state: State, nowMs: number) {
  const { observedGeneration } = state;
  const observed = observedGeneration === undefined ? {} : { observedGeneration };
  const { message, reason } = told(canary, state);
  const progressing = state.phase === 'Progressing' ? 'True' : 'False';
  const healthy = state.phase === 'RolledBack' ? 'False' : 'True';
  const now = formatTime(nowMs);
  const about = { reason, message, ...observed };
  const conditions = withCondition(
    canary.status?.conditions,
    { type: 'Progressing', status: progressing, ...about } as const,
    now,
  );
  return withCondition(conditions, { type: 'Healthy', status: healthy, ...about } as const, now);
}

function told({ spec }: Canary, { phase, stable, trial }: State) {
  const { image } = spec.container;
  if (phase === 'Steady' && stable.container.image === image)
    return { reason: 'Stable', message: `${image} has all the traffic` };
  if (phase === 'Steady')
    return {
      reason: 'Waiting',
      message: `${image} waits for ${stable.container.image} to be rolled out`,
    };
  if (phase === 'RolledBack')
    return {
      reason: 'Failed',
      message: `${image} failed; ${stable.container.image} has all the traffic`,
    };
  const { good = 0, bad = 0, readySince, step = 0 } = trial ?? {};
  const at = `step ${step + 1} of ${spec.steps.length}`;
  if (readySince === undefined)
    return { reason: 'Starting', message: `${at}: waits for pods to be ready` };
  const figures = `${good} good figures, ${bad} bad ones`;
  const reason = spec.paused ? 'Paused' : 'Judging';
  return { reason, message: `${at}: ${figures}` };
}

/** An event. */
export interface News {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** What is worth an event between one status and the next. */
export function newsOf(old: CanaryStatus | undefined, next: CanaryStatus): News | undefined {
  if (old === undefined) return undefined;
  const image = (next.canary ?? old.canary)?.container.image ?? '';
  if (next.phase === 'RolledBack' && old.phase !== 'RolledBack')
    return { type: 'Warning', reason: 'RolledBack', message: `${image} failed` };
  if (next.stable.revision !== old.stable.revision)
    return { type: 'Normal', reason: 'Promoted', message: `${image} takes over` };
  if (next.trial && next.trial.step !== old.trial?.step)
    return {
      type: 'Normal',
      reason: 'Stepped',
      message: `${image} goes to ${next.weight} percent`,
    };
  return undefined;
}
