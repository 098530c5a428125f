// The clock of one process: the run's virtual time, with a wall clock that may be off.
// Invariant: timers fire in the process's own context, never after its death, and not while it stands still.
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Clock, sleepOn, type Timer } from '../../base/clock.ts';
import type { Agenda, Owner } from './agenda.ts';

/** A Clock over an agenda. */
export class ProcessClock implements Clock {
  readonly #agenda: Agenda;
  readonly #owner: Owner | undefined;
  #offMs = 0;

  /** Without an owner: the cluster's own clock. */
  constructor(agenda: Agenda, owner?: Owner) {
    this.#agenda = agenda;
    this.#owner = owner;
  }

  now(): number {
    return this.#agenda.now + this.#offMs;
  }

  monotonic(): number {
    return this.#agenda.now;
  }

  /** Steps the wall clock, forward or (with less than 0) back. */
  stepWall(ms: number): void {
    this.#offMs += ms;
  }

  timer(ms: number, fn: () => void): Timer {
    return this.#agenda.at(
      this.#agenda.now + Math.max(0, ms),
      AsyncLocalStorage.bind(fn),
      this.#owner,
    );
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }
}
