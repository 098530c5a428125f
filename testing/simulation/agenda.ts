// What happens when, in a simulated run: messages, timers, restarts, each at its moment of virtual time.
// Invariant: entries come out in order of their moments, then of asking; those of a dead owner never, those of a paused one not
// before it goes on. Time moves only as entries are taken.
import type { Timer } from '../../base/clock.ts';

/** Whoever entries belong to: a process that may die or stand still. */
export interface Owner {
  readonly isDead: boolean;
  /** It stands still until this moment; one that is past means that it runs. */
  readonly pausedUntil: number;
}

/** Something that happens at a moment. */
interface Entry {
  due: number;
  readonly order: number;
  readonly owner: Owner | undefined;
  readonly happen: () => void;
  isCancelled: boolean;
}

/** The run's future, and its time: milliseconds since 1970-01-01 UTC. */
export class Agenda {
  #now: number;
  #order = 0;
  /** A binary heap, the next entry first. */
  readonly #heap: Entry[] = [];

  constructor(startMs: number) {
    this.#now = startMs;
  }

  /** The present moment. */
  get now(): number {
    return this.#now;
  }

  /** Lets something happen at a moment, or at once where that is past: after everything that was asked for earlier. */
  at(due: number, happen: () => void, owner?: Owner): Timer {
    const moment = Math.max(due, this.#now);
    const entry: Entry = { due: moment, order: this.#order++, owner, happen, isCancelled: false };
    push(this.#heap, entry);
    return {
      cancel: () => {
        entry.isCancelled = true;
      },
    };
  }

  /** The moment at which something happens next; undefined when nothing ever will. */
  nextMoment(): number | undefined {
    for (let first = this.#heap[0]; first; first = this.#heap[0]) {
      const { owner } = first;
      if (first.isCancelled || owner?.isDead) pop(this.#heap);
      else if (owner && owner.pausedUntil > first.due) {
        pop(this.#heap);
        first.due = owner.pausedUntil;
        push(this.#heap, first);
      } else return first.due;
    }
    return undefined;
  }

  /** Goes to the next moment and lets the first thing there happen. Does nothing where nothing is left. */
  step(): void {
    const due = this.nextMoment();
    if (due === undefined) return;
    const entry = pop(this.#heap);
    this.#now = Math.max(this.#now, due);
    entry?.happen();
  }
}

const isBefore = (a: Entry, b: Entry): boolean =>
  a.due < b.due || (a.due === b.due && a.order < b.order);

function push(heap: Entry[], entry: Entry): void {
  let at = heap.push(entry) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(entry, heap[parent] as Entry)) break;
    heap[at] = heap[parent] as Entry;
    at = parent;
  }
  heap[at] = entry;
}

function pop(heap: Entry[]): Entry | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let at = 0;
  for (let child = 1; child < heap.length; child = at * 2 + 1) {
    const right = heap[child + 1];
    if (right && isBefore(right, heap[child] as Entry)) child++;
    if (!isBefore(heap[child] as Entry, last)) break;
    heap[at] = heap[child] as Entry;
    at = child;
  }
  heap[at] = last;
  return first;
}
