// Status conditions: how a controller says what holds and since when.
// Invariant: lastTransitionTime moves only when `status` does; the list given is never changed.

/** A condition as kinds have it; metav1.Condition and its older sisters all fit. */
export interface ConditionFields {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly lastTransitionTime?: string | undefined;
}

/** A condition without its times, which follow. */
export type NewCondition<C> = Omit<C, 'lastTransitionTime'> & {
  readonly lastTransitionTime?: string | undefined;
};

/** The condition of that type. */
export function findCondition<C extends ConditionFields>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** Is the condition's status "True"? */
export function isConditionTrue(
  conditions: readonly ConditionFields[] | undefined,
  type: string,
): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * The list with the condition in it, in its old place or at the end; the same list where nothing changes.
 * `now` (RFC 3339) becomes lastTransitionTime where the status changes, and lastUpdateTime, for kinds that have
 * one, where anything does.
 */
export function withCondition<C extends ConditionFields>(
  conditions: readonly C[] | undefined,
  condition: NewCondition<C>,
  now: string,
): C[] {
  const list = (conditions ?? []) as C[];
  const old = findCondition(list, condition.type);
  if (old && sameCondition(old, condition)) return list;
  const moved = old?.status !== condition.status;
  const next = {
    ...condition,
    lastTransitionTime: moved ? now : (old?.lastTransitionTime ?? now),
    ...('lastUpdateTime' in condition ? { lastUpdateTime: now } : {}),
  } as unknown as C;
  return old ? list.map((each) => (each === old ? next : each)) : [...list, next];
}

/** The list without the condition of that type; the same list where there is none. */
export function withoutCondition<C extends ConditionFields>(
  conditions: readonly C[] | undefined,
  type: string,
): C[] {
  const list = (conditions ?? []) as C[];
  return findCondition(list, type) ? list.filter((each) => each.type !== type) : list;
}

/** The times of a condition that follow from the rest. */
const DERIVED = new Set([
  'lastTransitionTime',
  'lastUpdateTime',
  'lastProbeTime',
  'lastHeartbeatTime',
]);

function sameCondition<C extends ConditionFields>(old: C, next: NewCondition<C>): boolean {
  const before = old as unknown as Record<string, unknown>;
  const after = next as unknown as Record<string, unknown>;
  return Object.keys({ ...before, ...after }).every(
    (field) => DERIVED.has(field) || (before[field] ?? '') === (after[field] ?? ''),
  );
}
