// When a run is over: the story has ended, what was odd has passed, and what must come to hold holds and stays so.
// Invariant: a run is judged only after the last disturbance; one that is over will not be broken by what was in it.
import type { ClusterState } from './cluster-state.ts';
import { type Broken, firstBroken } from './conditions.ts';
import { timeText } from './message-texts.ts';
import type { Finding } from './outcome.ts';
import { type Scenario, WITHIN_MS } from './scenario.ts';

/** For so long what must come to hold has to stay so. */
export const STEADY_MS = 5_000;

/** What a moment says about the run. */
export type Verdict =
  | { readonly kind: 'goes on' }
  | { readonly kind: 'over' }
  | { readonly kind: 'broken'; readonly finding: Finding };

const GOES_ON: Verdict = { kind: 'goes on' };

/** Watches for the end of one run. */
export class Ending {
  readonly #scenario: Scenario;
  readonly #state: ClusterState;
  readonly #now: () => number;
  #disturbedUntil = 0;
  #storyEnded = false;
  /** Since when everything that must come to hold holds. */
  #heldSince: number | undefined;

  constructor(scenario: Scenario, state: ClusterState, now: () => number) {
    this.#scenario = scenario;
    this.#state = state;
    this.#now = now;
  }

  /** Something odd lasts until then. */
  disturbedUntil(moment: number): void {
    this.#disturbedUntil = Math.max(this.#disturbedUntil, moment);
  }

  /** The story has ended at this moment. */
  storyEnded(): void {
    this.#storyEnded = true;
    this.disturbedUntil(this.#now());
  }

  /** Asked when nothing is left to do at a moment, and the next thing is due at `next`. */
  at(next: number): Verdict {
    if (!this.#storyEnded) return next === Infinity ? this.#stuck() : GOES_ON;
    const broken = firstBroken(this.#scenario.eventually ?? {}, this.#state);
    if (broken) this.#heldSince = undefined;
    else this.#heldSince ??= this.#now();
    const calmSince = Math.max(this.#disturbedUntil, this.#heldSince ?? 0);
    if (!broken && next >= calmSince + STEADY_MS) return { kind: 'over' };
    const within = this.#scenario.within ?? WITHIN_MS;
    if (next <= this.#disturbedUntil + within + STEADY_MS) return GOES_ON;
    return { kind: 'broken', finding: this.#late(broken, within) };
  }

  #late(broken: Broken | undefined, within: number): Finding {
    const conditions = Object.keys(this.#scenario.eventually ?? {});
    return {
      kind: 'eventually',
      invariant: broken?.name ?? conditions.join(', '),
      detail: broken
        ? `not so ${timeText(within)} after the last disturbance${broken.detail === '' ? '' : `: ${broken.detail}`}`
        : `it came and went, and did not stay for ${timeText(STEADY_MS)}`,
    };
  }

  #stuck(): Verdict {
    const detail = 'the story waits for something, and nothing ever happens any more';
    const invariant = 'the story comes to its end';
    return { kind: 'broken', finding: { kind: 'story', invariant, detail } };
  }
}
