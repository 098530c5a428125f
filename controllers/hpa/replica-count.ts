// How many replicas a measured use asks for. Pure.
// The algorithm is that of autoscaling/v2 (Kubernetes docs: Horizontal Pod Autoscaling, Algorithm details).
// Invariant: pods that cannot be judged make a change smaller, never larger, and never turn its direction.
import type { PodGroups, Reading } from './pod-usage.ts';

/** Shares by which use may miss its target, each way. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

/** What a count is worked out from. */
export interface CountInput {
  readonly current: number;
  readonly groups: PodGroups;
  readonly readings: ReadonlyMap<string, Reading>;
  readonly tolerances: Tolerances;
  readonly target: Target;
}

/** What is aimed at: a share of what pods ask for, in percent, or an amount per pod, in thousandths. */
export type Target =
  | {
      readonly kind: 'utilization';
      readonly percent: number;
      readonly requests: ReadonlyMap<string, number>;
    }
  | { readonly kind: 'average'; readonly milli: number };

/** A proposal with what it was based on, or why there is none. */
export type Count =
  | {
      readonly kind: 'count';
      readonly replicas: number;
      /** Measured, percent of what is asked for; for a target of utilization. */
      readonly utilization: number | undefined;
      /** Measured use per pod, in thousandths. */
      readonly averageMilli: number;
      /** Why the count is what it is, where that is no plain proportion. */
      readonly note: string | undefined;
    }
  | { readonly kind: 'failed'; readonly why: string };

/** The proposal. */
export function countReplicas(input: CountInput): Count {
  const { groups, readings, target } = input;
  const usage = new Map<string, number>();
  for (const key of groups.judged) usage.set(key, readings.get(key)?.milli ?? 0);
  if (usage.size === 0)
    return {
      kind: 'failed',
      why: 'did not receive metrics for targeted pods (pods might be unready)',
    };
  const measured = measure(usage, target);
  if (!measured) return { kind: 'failed', why: 'no metrics returned matched known pods' };
  const { replicas, note } = proportional(input, usage, measured.ratio);
  const { utilization, averageMilli } = measured;
  return { kind: 'count', replicas, utilization, averageMilli, note };
}

/** The count that would bring use to its target, doubts about single pods taken into account. */
function proportional(
  input: CountInput,
  usage: ReadonlyMap<string, number>,
  ratio: number,
): { replicas: number; note: string | undefined } {
  const { current, groups, tolerances, target } = input;
  const stay = (note: string) => ({ replicas: current, note });
  const countsUnready = groups.unready.length > 0 && ratio > 1;
  if (!countsUnready && groups.missing.length === 0)
    return within(ratio, tolerances)
      ? stay('within tolerance of the target')
      : { replicas: ceilCount(ratio * groups.judged.length), note: undefined };
  const doubtful = fillIn(usage, input, { ratio, countsUnready });
  const next = measure(doubtful, target)?.ratio ?? ratio;
  if (within(next, tolerances)) return stay(`within tolerance of the target, ${CAREFUL}`);
  const replicas = ceilCount(next * doubtful.size);
  const turned = next < 1 ? ratio > 1 || replicas > current : ratio < 1 || replicas < current;
  return turned ? stay(UNSURE) : { replicas, note: CAREFUL };
}

const UNSURE = 'pods that are not ready or not measured could turn the direction';
const CAREFUL = 'pods that are not ready or not measured taken into account';

/** Floating point must not make 2.0000000001 pods three. */
export function ceilCount(count: number): number {
  return Math.ceil(Number(count.toFixed(9)));
}

/** Is use close enough to its target, each way? */
export const within = (ratio: number, { up, down }: Tolerances): boolean =>
  1 - down <= ratio && ratio <= 1 + up;

interface Measured {
  readonly ratio: number;
  readonly utilization: number | undefined;
  readonly averageMilli: number;
}

/** Use in proportion to the target; undefined where no pod asks for anything. */
function measure(usage: ReadonlyMap<string, number>, target: Target): Measured | undefined {
  let used = 0;
  let asked = 0;
  for (const [key, milli] of usage) {
    used += milli;
    if (target.kind === 'utilization') asked += target.requests.get(key) ?? 0;
  }
  const averageMilli = Math.trunc(used / usage.size);
  if (target.kind === 'average')
    return { ratio: averageMilli / target.milli, utilization: undefined, averageMilli };
  if (asked === 0) return undefined;
  const utilization = Math.trunc((used * 100) / asked);
  return { ratio: utilization / target.percent, utilization, averageMilli };
}

/** Pods that cannot be judged count as what makes the change smaller: idle when growing, busy when shrinking. */
function fillIn(
  usage: ReadonlyMap<string, number>,
  { groups, target }: CountInput,
  { ratio, countsUnready }: { ratio: number; countsUnready: boolean },
): Map<string, number> {
  const filled = new Map(usage);
  for (const key of groups.missing)
    if (ratio !== 1) filled.set(key, ratio < 1 ? busy(key, target) : 0);
  if (countsUnready) for (const key of groups.unready) filled.set(key, 0);
  return filled;
}

function busy(key: string, target: Target): number {
  if (target.kind === 'average') return target.milli;
  return Math.trunc(((target.requests.get(key) ?? 0) * Math.max(100, target.percent)) / 100);
}
