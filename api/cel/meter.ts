// Counts what an evaluation costs, and ends it at the limit.
// Invariant: counted before the work is done, so no step is larger than what is left. Two counts have the same limit: the
// cost, which is upstream's to the unit, and the work beyond it that this house really does. Estimates are of the cost.
import type { Pattern } from '../schema/structural/structural.ts';
import { CostExceeded } from './cel-error.ts';
import { COST_PER_CALL, COST_PER_REQUEST } from './limits.ts';

/** What is left for the expressions of one request; shared by them all. */
export interface CostBudget {
  remaining: number;
  /** Of work that upstream does not count; as much as of cost. */
  work: number;
}

/** A full budget of one request. */
export function costBudget(limit: number = COST_PER_REQUEST): CostBudget {
  return { remaining: limit, work: limit };
}

/** The cost of one evaluation. */
export class Meter {
  #cost = 0;
  #work = 0;
  readonly #mostCost: number;
  readonly #mostWork: number;
  #patterns: Map<string, Pattern> | undefined;
  /** Patterns of the source itself, compiled with it. */
  readonly literals: ReadonlySet<string>;

  constructor(budget: CostBudget, literals: ReadonlySet<string> = NONE) {
    this.#mostCost = Math.min(COST_PER_CALL, budget.remaining);
    this.#mostWork = Math.min(COST_PER_CALL, budget.work);
    this.literals = literals;
  }

  /** Patterns that were made while evaluating. */
  get patterns(): Map<string, Pattern> {
    this.#patterns ??= new Map();
    return this.#patterns;
  }

  /** What it has cost. */
  get used(): number {
    return this.#cost;
  }

  /** What has been done beside. */
  get worked(): number {
    return this.#work;
  }

  /** Throws CostExceeded past the limit. */
  charge(cost: number): void {
    this.#cost += cost;
    if (this.#cost > this.#mostCost)
      throw new CostExceeded(this.#cost > COST_PER_CALL ? 'call' : 'request');
  }

  /** The same for work that upstream does not count: comparing deeply, copying, running patterns. */
  work(units: number): void {
    this.#work += units;
    if (this.#work > this.#mostWork)
      throw new CostExceeded(this.#work > COST_PER_CALL ? 'call' : 'request');
  }
}

const NONE: ReadonlySet<string> = new Set();
