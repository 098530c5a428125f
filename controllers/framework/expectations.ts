// What a controller has asked for and not yet seen: so that it does not ask twice because its cache is behind.
// Invariant: a forgotten answer holds a key up for EXPECTATION_TIMEOUT_MS at most, never for good.
import type { Clock } from '../../base/clock.ts';

/** After this long unanswered expectations no longer count, as upstream's. */
export const EXPECTATION_TIMEOUT_MS = 5 * 60_000;

interface Expected {
  creations: number;
  /** Names or uids of what is to go; by name, so that a deletion seen twice counts once. */
  readonly deletions: Set<string>;
  readonly since: number;
}

/** Expected creations and deletions by the key of who made them. */
export class Expectations {
  readonly #clock: Clock;
  readonly #byKey = new Map<string, Expected>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Creations are about to be asked for; call before asking. */
  expectCreations(key: string, count: number): void {
    this.#of(key).creations += count;
  }

  /** Deletions are about to be asked for; `ids` name them (keys or uids). */
  expectDeletions(key: string, ids: readonly string[]): void {
    const { deletions } = this.#of(key);
    for (const id of ids) deletions.add(id);
  }

  /** A creation was seen, or failed. */
  creationObserved(key: string): void {
    const expected = this.#byKey.get(key);
    if (!expected) return;
    expected.creations = Math.max(0, expected.creations - 1);
    this.#settle(key, expected);
  }

  /** A deletion was seen (a deletionTimestamp counts), or failed. */
  deletionObserved(key: string, id: string): void {
    const expected = this.#byKey.get(key);
    if (!expected) return;
    expected.deletions.delete(id);
    this.#settle(key, expected);
  }

  /** Has everything that was asked for been seen, or waited for long enough? */
  satisfied(key: string): boolean {
    return this.waitMs(key) === 0;
  }

  /** How long the key is to wait at most; 0 when satisfied. */
  waitMs(key: string): number {
    const expected = this.#byKey.get(key);
    if (!expected) return 0;
    const left = expected.since + EXPECTATION_TIMEOUT_MS - this.#clock.monotonic();
    if (left > 0) return left;
    this.#byKey.delete(key);
    return 0;
  }

  /** The key is no more. */
  forget(key: string): void {
    this.#byKey.delete(key);
  }

  #of(key: string): Expected {
    const known = this.#byKey.get(key);
    if (known && this.waitMs(key) > 0) return known;
    const fresh: Expected = { creations: 0, deletions: new Set(), since: this.#clock.monotonic() };
    this.#byKey.set(key, fresh);
    return fresh;
  }

  #settle(key: string, expected: Expected): void {
    if (expected.creations === 0 && expected.deletions.size === 0) this.#byKey.delete(key);
  }
}
