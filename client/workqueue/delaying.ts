// A work queue that also takes keys for later.
// Invariant: a key waits for one moment only, the earliest asked for; one timer is armed, for the earliest of all.
// A key that was taken in is not lost: where the queue is full when its moment comes, it waits on.
import type { Clock, Timer } from '../../base/clock.ts';
import { Heap } from '../../base/heap.ts';
import type { Lane, QueueOptions } from './queue.ts';
import { MAX_QUEUED_KEYS, WorkQueue } from './queue.ts';
import type { QueueObserver } from './queue-observer.ts';

interface Later {
  readonly key: string;
  readonly due: number;
  readonly lane: Lane;
}

/** When a key is offered again whose moment came while the queue was full. */
export const FULL_QUEUE_RETRY_MS = 1000;
/** Entries out of date that the heap holds at most, beside as many as there are keys. */
const MAX_STALE = 64;

/** A WorkQueue with `addAfter`. */
export class DelayingQueue extends WorkQueue {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #teller: QueueObserver | undefined;
  /** By due time; an entry that is no longer in #due is out of date and passed over. */
  readonly #heap = new Heap<Later>((a, b) => a.due < b.due);
  readonly #due = new Map<string, Later>();
  #timer: Timer | undefined;
  #timerDue = Infinity;
  #shut = false;

  constructor(options: QueueOptions) {
    super(options);
    this.#clock = options.clock;
    this.#limit = options.limit ?? MAX_QUEUED_KEYS;
    this.#teller = options.observer;
  }

  /** Keys that wait for their moment. */
  get delayed(): number {
    return this.#due.size;
  }

  /**
   * Adds the key after `ms`; where it waits already, the earlier moment and the better lane count. False when the queue is
   * closed, or as many keys wait for their moments as it may hold: the key is not in, and the observer knows.
   */
  addAfter(key: string, ms: number, lane: Lane = 'change'): boolean {
    if (this.#shut) return false;
    if (ms <= 0 && this.offer(key, lane)) {
      this.#due.delete(key);
      return true;
    }
    const known = this.#due.get(key);
    if (known === undefined && this.#due.size >= this.#limit) {
      this.#teller?.refused(key);
      return false;
    }
    const due = this.#clock.monotonic() + (ms > 0 ? ms : FULL_QUEUE_RETRY_MS);
    this.#wait(known ? better(known, { key, due, lane }) : { key, due, lane });
    return true;
  }

  #wait(later: Later): void {
    if (this.#due.get(later.key) === later) return;
    this.#due.set(later.key, later);
    this.#heap.push(later);
    if (this.#heap.size > 2 * this.#due.size + MAX_STALE)
      this.#heap.retain((each) => this.#due.get(each.key) === each);
    this.#arm();
  }

  override close(): void {
    this.#shut = true;
    this.#timer?.cancel();
    this.#due.clear();
    this.#heap.retain(() => false);
    super.close();
  }

  #arm(): void {
    const { first } = this.#heap;
    if (!first || first.due >= this.#timerDue) return;
    this.#timer?.cancel();
    this.#timerDue = first.due;
    this.#timer = this.#clock.timer(first.due - this.#clock.monotonic(), () => this.#ripen());
  }

  #ripen(): void {
    this.#timerDue = Infinity;
    const now = this.#clock.monotonic();
    for (let first = this.#heap.first; first && first.due <= now; first = this.#heap.first) {
      this.#heap.pop();
      if (this.#due.get(first.key) !== first) continue;
      this.#due.delete(first.key);
      if (!this.offer(first.key, first.lane))
        this.#wait({ ...first, due: now + FULL_QUEUE_RETRY_MS });
    }
    this.#arm();
  }
}

/** The earlier moment and the better lane of two; the first itself where the second adds nothing. */
function better(known: Later, asked: Later): Later {
  const sooner = asked.due < known.due;
  if (!sooner && (known.lane === 'change' || asked.lane === 'background')) return known;
  const lane = known.lane === 'change' ? 'change' : asked.lane;
  return { key: known.key, due: sooner ? asked.due : known.due, lane };
}
