// Counts what an evaluation costs, and ends it at the limit.
// Invariant: charged before the work is done, so no step is larger than what is left.
import { CostExceeded } from './cel-error.ts';
import type { Pattern } from '../schema/structural/structural.ts';
import { COST_PER_CALL, COST_PER_REQUEST } from './limits.ts';

/** What is left for the expressions of one request; shared by them all. */
export interface CostBudget {
  remaining: number;
}

/** A full budget of one request. */
export function costBudget(limit: number = COST_PER_REQUEST): CostBudget {
  return { remaining: limit };
}

/** The cost of one evaluation. */
export class Meter {
  #used = 0;
  readonly #limit: number;
  readonly #scope: 'call' | 'request';

  /** Patterns that were made while evaluating. */
  readonly patterns = new Map<string, Pattern>();
  /** Patterns of the source itself, compiled with it. */
  readonly literals: ReadonlySet<string>;

  constructor(budget: CostBudget, literals: ReadonlySet<string> = NONE) {
    const perCall = COST_PER_CALL;
    this.literals = literals;
    this.#limit = Math.min(perCall, budget.remaining);
    this.#scope = budget.remaining < perCall ? 'request' : 'call';
  }

  get used(): number {
    return this.#used;
  }

  /** Throws CostExceeded past the limit. */
  charge(cost: number): void {
    this.#used += cost;
    if (this.#used > this.#limit) throw new CostExceeded(this.#scope);
  }
}

const NONE: ReadonlySet<string> = new Set();
