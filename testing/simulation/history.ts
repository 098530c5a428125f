// The history of a run: every message that was delivered and everything odd, in order, and one hash over all of it.
// Invariant: two runs with the same hash had the same messages to the byte, in the same order at the same virtual moments.
import { createHash } from 'node:crypto';

/** One thing that happened. */
export interface HistoryEntry {
  /** Virtual milliseconds since the run began. */
  readonly atMs: number;
  /** Whose it is: a process, `story` or `server`. */
  readonly who: string;
  readonly text: string;
  /** Is it one of the run's odd things? */
  readonly isOdd: boolean;
  /** What the message was made of; where the run was asked to keep it. */
  readonly content?: string;
}

/** Gathers the history of one run. */
export class History {
  readonly entries: HistoryEntry[] = [];
  readonly #hash = createHash('sha256');
  readonly #startMs: number;
  readonly #now: () => number;
  readonly #keepsContent: boolean;

  constructor(now: () => number, keepsContent = false) {
    this.#now = now;
    this.#keepsContent = keepsContent;
    this.#startMs = now();
  }

  /** Notes what happened; `bytes` are what the message was made of. */
  note(who: string, text: string, bytes?: Uint8Array | string): void {
    this.#add({ atMs: this.#now() - this.#startMs, who, text, isOdd: false }, bytes);
  }

  /** Notes something odd. */
  odd(who: string, text: string): void {
    this.#add({ atMs: this.#now() - this.#startMs, who, text, isOdd: true });
  }

  /** The hash over everything up to now. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  #add(entry: HistoryEntry, bytes?: Uint8Array | string): void {
    const isKept = this.#keepsContent && bytes !== undefined;
    this.entries.push(isKept ? { ...entry, content: Buffer.from(bytes).toString() } : entry);
    this.#hash.update(`${entry.atMs} ${entry.who} ${entry.text}\n`);
    if (bytes !== undefined) this.#hash.update(bytes);
  }
}
