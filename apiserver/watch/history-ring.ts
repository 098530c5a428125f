// The newest events, in memory, so that most watches resume without touching the disk.
// Invariant: holds every event after `floor`, in order, and no more than its limits.
import type { StoreEvent } from './visible-object.ts';

/** How much the ring holds; whichever is reached first. */
export interface RingLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** Events after a revision. */
export class HistoryRing {
  readonly #limits: RingLimits;
  #events: StoreEvent[] = [];
  #head = 0;
  #bytes = 0;
  #floor: bigint;

  /** `floor`: the revision after which events will be added. */
  constructor(floor: bigint, limits: RingLimits) {
    this.#floor = floor;
    this.#limits = limits;
  }

  /** Events after this revision are all here. */
  get floor(): bigint {
    return this.#floor;
  }

  /** Adds the next events and lets go of the oldest ones past the limits. */
  add(events: readonly StoreEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += event.value.bytes.length;
    }
    const { maxEvents, maxBytes } = this.#limits;
    while (this.#events.length - this.#head > maxEvents || this.#bytes > maxBytes) {
      const gone = this.#events[this.#head++];
      if (!gone) break;
      this.#bytes -= gone.value.bytes.length;
      this.#floor = gone.revision;
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Events after `revision` (at or above the floor) of which `matches` is true. */
  after(revision: bigint, matches: (event: StoreEvent) => boolean): StoreEvent[] {
    let low = this.#head;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle] as StoreEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    const found: StoreEvent[] = [];
    for (; low < this.#events.length; low++) {
      const event = this.#events[low] as StoreEvent;
      if (matches(event)) found.push(event);
    }
    return found;
  }
}
