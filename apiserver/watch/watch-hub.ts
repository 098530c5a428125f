// Hands each event to the watchers of its key's prefixes. Watchers are found by prefix, never by asking each one,
// and all watchers of a prefix share one batch. What watchers do with it is done in several turns where there are many, and many
// take no more than their share of the event loop: a thousand writes for each of a hundred events would leave it to nobody else.
// Invariant: a prefix ends in '/' (or is empty) and covers what lies below it, or is the key of one object.
import { breathe } from '../../base/breathe.ts';
import type { Clock } from '../../base/clock.ts';
import type { BufferLimits } from '../storage/event-buffer.ts';
import { EventBuffer, sizeOf } from '../storage/event-buffer.ts';
import type { StorageError } from '../storage/storage.ts';
import type { StoreEvent } from './visible-object.ts';

/** Readers that are woken in one turn of the event loop: each frames, encrypts and sends, some 30 µs. */
export const WAKES_PER_TURN = 100;
/** Readers of one prefix that wait for nobody else's turn. */
export const FEW_READERS = 16;
/**
 * Once more readers than one turn has were woken, the next ones rest for this part of the time that it took: a fifth of the event
 * loop is left to requests, and what comes meanwhile goes to each reader in one write, at little more than the cost of one event.
 */
export const REST_PER_WORK = 0.25;
/** Timers know no shorter time. */
const LEAST_REST_MS = 1;
/** However long it took: a process that stood still was not at work. Rounds of more than four times this leave others less than a fifth. */
export const MAX_REST_MS = 100;

/** Called for each event of a prefix, in order; must not throw. */
export type EventHandler = (event: StoreEvent) => void;

interface Group {
  readonly buffers: Set<EventBuffer<StoreEvent>>;
  readonly handlers: Set<EventHandler>;
}

/** Does the prefix cover the key? */
export function covers(prefix: string, key: string): boolean {
  return prefix === '' || prefix.endsWith('/') ? key.startsWith(prefix) : key === prefix;
}

/** The subscriptions of a store. */
export class WatchHub {
  readonly #groups = new Map<string, Group>();
  readonly #limits: BufferLimits;
  readonly #clock: Clock;
  /** Readers to be woken, in order. */
  readonly #asleep = new Set<EventBuffer<StoreEvent>>();
  #isWaking = false;

  /** `limits`: what each watcher may leave unread before it is ended with Expired. */
  constructor(limits: BufferLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** How many watchers are open. */
  get watchers(): number {
    let count = 0;
    for (const { buffers } of this.#groups.values()) count += buffers.size;
    return count;
  }

  /** A buffer that gets the prefix's events from now on, until `release`. */
  open(prefix: string): { buffer: EventBuffer<StoreEvent>; release: () => void } {
    const buffer = new EventBuffer<StoreEvent>(this.#limits);
    const group = this.#group(prefix);
    group.buffers.add(buffer);
    const release = () => {
      buffer.end();
      group.buffers.delete(buffer);
      this.#prune(prefix, group);
    };
    return { buffer, release };
  }

  /** Calls the handler for each event of the prefix from now on; the answer ends it. */
  subscribe(prefix: string, handler: EventHandler): () => void {
    const group = this.#group(prefix);
    group.handlers.add(handler);
    return () => {
      group.handlers.delete(handler);
      this.#prune(prefix, group);
    };
  }

  /** Delivers a batch. Handlers run first, so views inside the server are never behind a watcher's client. */
  publish(events: readonly StoreEvent[]): void {
    const batches = new Map<Group, StoreEvent[]>();
    for (const event of events)
      for (const group of this.#matching(event.key)) {
        for (const handler of group.handlers) handler(event);
        if (group.buffers.size === 0) continue;
        const batch = batches.get(group);
        if (batch) batch.push(event);
        else batches.set(group, [event]);
      }
    for (const [group, batch] of batches) {
      const bytes = sizeOf(batch);
      const areFew = group.buffers.size <= FEW_READERS;
      for (const buffer of group.buffers) {
        buffer.push(batch, bytes);
        if (buffer.ended) group.buffers.delete(buffer);
        else if (areFew) buffer.wake();
        else if (buffer.isAwaited) this.#asleep.add(buffer);
      }
    }
    void this.#wakeAll();
  }

  /** Ends every watcher, with an error if there is one. */
  end(error?: StorageError): void {
    for (const { buffers } of this.#groups.values())
      for (const buffer of buffers) {
        if (error) buffer.fail(error);
        else buffer.end();
      }
    this.#groups.clear();
  }

  /** Round by round: whom something is to be told while one is under way waits for the next. */
  async #wakeAll(): Promise<void> {
    if (this.#isWaking) return;
    this.#isWaking = true;
    while (this.#asleep.size > 0) {
      const readers = this.#asleep.size;
      let worked = 0;
      // In this turn, whose time others have their part in.
      this.#wakeSome(Math.min(WAKES_PER_TURN, readers));
      await breathe();
      for (let woken = WAKES_PER_TURN; woken < readers; woken += WAKES_PER_TURN)
        worked += await this.#wakeNext(Math.min(WAKES_PER_TURN, readers - woken));
      const rest = Math.min(worked * REST_PER_WORK, MAX_REST_MS);
      if (rest >= LEAST_REST_MS)
        await new Promise<void>((resolve) => this.#clock.timer(rest, resolve));
    }
    this.#isWaking = false;
  }

  #wakeSome(count: number): void {
    let left = count;
    for (const buffer of this.#asleep) {
      this.#asleep.delete(buffer);
      buffer.wake();
      if (--left === 0) break;
    }
  }

  /** In the next turn. The time that their readers take, ms. */
  async #wakeNext(count: number): Promise<number> {
    const turn = breathe();
    // Follows at once on what the turn leads to: nothing else is counted.
    const over = breathe();
    await turn;
    const startedAt = this.#clock.monotonic();
    this.#wakeSome(count);
    await over;
    return this.#clock.monotonic() - startedAt;
  }

  #group(prefix: string): Group {
    let group = this.#groups.get(prefix);
    if (!group) {
      group = { buffers: new Set(), handlers: new Set() };
      this.#groups.set(prefix, group);
    }
    return group;
  }

  #prune(prefix: string, group: Group): void {
    if (group.buffers.size === 0 && group.handlers.size === 0 && this.#groups.get(prefix) === group)
      this.#groups.delete(prefix);
  }

  *#matching(key: string): Generator<Group, void> {
    for (let end = 0; ; end = key.indexOf('/', end) + 1) {
      const group = this.#groups.get(key.slice(0, end));
      if (group) yield group;
      if (key.indexOf('/', end) < 0) break;
    }
    const exact = this.#groups.get(key);
    if (exact) yield exact;
  }
}
