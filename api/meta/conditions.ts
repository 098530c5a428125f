// Status conditions: a list keyed by `type`, each True, False or Unknown since some moment.
// Invariant: lastTransitionTime changes exactly when the status changes. Lists are never changed in place.
import { formatTime } from './time.ts';

/** What all conditions share. Kinds may have more fields; they are kept. */
export interface ConditionShape {
  type: string;
  status: string;
  reason?: string | undefined;
  message?: string | undefined;
  lastTransitionTime?: string | undefined;
}

/** The condition of that type, if there is one. */
export function findCondition<C extends ConditionShape>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** Is that condition there, and True? */
export function isConditionTrue(
  conditions: readonly ConditionShape[] | undefined,
  type: string,
): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/** The list with `next` in it, at its old place or last. Keeps the old transition time while the status stays. */
export function setCondition<C extends ConditionShape>(
  conditions: readonly C[] | undefined,
  next: C,
  nowMs: number,
): C[] {
  const old = findCondition(conditions, next.type);
  const kept = old?.status === next.status ? old.lastTransitionTime : undefined;
  const placed: C = { ...next, lastTransitionTime: kept ?? formatTime(nowMs) };
  if (old === undefined) return [...(conditions ?? []), placed];
  return (conditions ?? []).map((condition) => (condition === old ? placed : condition));
}

/** The list without conditions of that type. */
export function removeCondition<C extends ConditionShape>(
  conditions: readonly C[] | undefined,
  type: string,
): C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}
