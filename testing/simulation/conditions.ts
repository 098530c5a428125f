// Asks conditions of a scenario about a state.
// Invariant: a condition never ends a run by throwing: what it throws is what is wrong.
import type { ClusterState } from './cluster-state.ts';
import type { Condition } from './scenario.ts';

/** A condition that does not hold. */
export interface Broken {
  /** The condition in words. */
  readonly name: string;
  /** What it says; may be empty. */
  readonly detail: string;
}

/** What is wrong by this condition; undefined where it holds. */
export function wrongBy(condition: Condition, state: ClusterState): string | undefined {
  try {
    const verdict = condition(state);
    if (verdict === false) return '';
    return typeof verdict === 'string' ? verdict : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The first of them that does not hold. */
export function firstBroken(
  conditions: Readonly<Record<string, Condition>>,
  state: ClusterState,
): Broken | undefined {
  for (const [name, condition] of Object.entries(conditions)) {
    const detail = wrongBy(condition, state);
    if (detail !== undefined) return { name, detail };
  }
  return undefined;
}
