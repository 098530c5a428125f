// What could not be started and when it is tried again: per container, and '' for the sandbox and volumes.
// Invariant: a hold ends by time, or at once when something it may have waited for has changed.
import { backoffDelay } from '../../base/backoff.ts';
import type { Container } from '../../api/generated/types.ts';
import type { EventNote } from '../../client/events/recorder.ts';
import type { StartProblem } from './container-status.ts';
import type { StartFailure } from './start-failure.ts';

const BACKOFF = { initialMs: 1_000, maxMs: 60_000 };
const SOON_MS = 100;

interface Hold {
  readonly problem: StartProblem;
  readonly untilMs: number;
  readonly failures: number;
}

/** The holds of one pod. */
export class StartHolds {
  readonly #holds = new Map<string, Hold>();

  /** What to show, by container name. */
  get problems(): ReadonlyMap<string, StartProblem> {
    return new Map([...this.#holds].map(([name, { problem }]) => [name, problem]));
  }

  /** Wall time before which it is not tried again; 0 for at once. */
  until(name: string): number {
    return this.#holds.get(name)?.untilMs ?? 0;
  }

  /** A start failed. Answers the events to send, none when all was said before. */
  failed(container: Container, failure: StartFailure, nowMs: number): readonly EventNote[] {
    const problem = { reason: failure.reason, message: failure.message };
    if (typeof failure.retry === 'object') {
      const said = this.#holds.get(container.name)?.problem;
      this.#holds.set(container.name, { problem, untilMs: failure.retry.atMs, failures: 0 });
      const again = said?.reason === problem.reason && said.message === problem.message;
      return again ? [] : failure.notes;
    }
    this.hold(container.name, problem, { nowMs, soon: failure.retry === 'soon' });
    return failure.notes;
  }

  /** Holds a start back, each time longer. */
  hold(name: string, problem: StartProblem, when: { nowMs: number; soon?: boolean }): void {
    const failures = (this.#holds.get(name)?.failures ?? 0) + 1;
    const wait = when.soon ? SOON_MS : backoffDelay(failures - 1, BACKOFF);
    this.#holds.set(name, { problem, untilMs: when.nowMs + wait, failures });
  }

  /** It has started. */
  clear(name: string): void {
    this.#holds.delete(name);
  }

  /** Something that starts depend on has changed: all are tried at once. */
  release(): void {
    for (const [name, hold] of this.#holds) this.#holds.set(name, { ...hold, untilMs: 0 });
  }
}
