// A work queue that also takes keys for later.
// Invariant: a key waits for one moment only, the earliest asked for; one timer is armed, for the earliest of all.
import type { Clock, Timer } from '../../base/clock.ts';
import type { QueueOptions } from './queue.ts';
import { WorkQueue } from './queue.ts';

interface Later {
  readonly key: string;
  readonly due: number;
}

/** A WorkQueue with `addAfter`. */
export class DelayingQueue extends WorkQueue {
  readonly #clock: Clock;
  /** A binary heap by due time; an entry that no longer agrees with #due is out of date and passed over. */
  readonly #heap: Later[] = [];
  readonly #due = new Map<string, number>();
  #timer: Timer | undefined;
  #timerDue = Infinity;
  #shut = false;

  constructor(options: QueueOptions) {
    super(options);
    this.#clock = options.clock;
  }

  /** Keys that wait for their moment. */
  get delayed(): number {
    return this.#due.size;
  }

  /** Adds the key after `ms`; where it waits already, the earlier moment counts. */
  addAfter(key: string, ms: number): void {
    if (this.#shut) return;
    if (ms <= 0) {
      this.#due.delete(key);
      this.add(key);
      return;
    }
    const due = this.#clock.monotonic() + ms;
    if ((this.#due.get(key) ?? Infinity) <= due) return;
    this.#due.set(key, due);
    push(this.#heap, { key, due });
    this.#arm();
  }

  override close(): void {
    this.#shut = true;
    this.#timer?.cancel();
    this.#due.clear();
    this.#heap.length = 0;
    super.close();
  }

  #arm(): void {
    const first = this.#heap[0];
    if (!first || first.due >= this.#timerDue) return;
    this.#timer?.cancel();
    this.#timerDue = first.due;
    this.#timer = this.#clock.timer(first.due - this.#clock.monotonic(), () => this.#ripen());
  }

  #ripen(): void {
    this.#timerDue = Infinity;
    const now = this.#clock.monotonic();
    for (let first = this.#heap[0]; first && first.due <= now; first = this.#heap[0]) {
      pop(this.#heap);
      if (this.#due.get(first.key) !== first.due) continue;
      this.#due.delete(first.key);
      this.add(first.key);
    }
    this.#arm();
  }
}

function push(heap: Later[], item: Later): void {
  let at = heap.push(item) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if ((heap[parent] as Later).due <= item.due) break;
    heap[at] = heap[parent] as Later;
    at = parent;
  }
  heap[at] = item;
}

function pop(heap: Later[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (let child = 1; child < heap.length; child = at * 2 + 1) {
    const right = heap[child + 1];
    if (right && right.due < (heap[child] as Later).due) child++;
    if ((heap[child] as Later).due >= last.due) break;
    heap[at] = heap[child] as Later;
    at = child;
  }
  heap[at] = last;
}
