// Pods that wait for a node: ready ones by priority then age, failed ones resting, unschedulable ones until something changes.
// Invariants: a pod stands in one place at a time; a pod that cannot be placed never holds up another; a change costs no
// more than a look at the unschedulable ones.
import { backoffDelay } from '../../base/backoff.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Pod } from '../../api/generated/types.ts';

/** Rest after a failed try: upstream's 1 s doubling to 10 s. */
const BACKOFF = { initialMs: 1_000, maxMs: 10_000 };
/** An unschedulable pod is tried again after this even if nothing was seen to change, as upstream does. */
const FLUSH_MS = 5 * 60_000;
/**
 * An unschedulable pod that a change gives a place rests for this share of the backoff, counted from its last try:
 * what changed is often just what it waited for.
 */
const HOPE = 1 / 4;

/** A pod and how often it was tried before. */
export interface QueuedPod {
  readonly pod: Pod;
  readonly attempts: number;
  /** When it first came into the queue, on the monotonic clock; now unless told. */
  readonly sinceMs?: number | undefined;
}

/** How many pods wait, by what they wait for; under upstream's names of its queues. */
export interface WaitingPods {
  readonly active: number;
  readonly backoff: number;
  readonly unschedulable: number;
}

interface Entry {
  pod: Pod;
  attempts: number;
  readonly order: number;
  timer: Timer | undefined;
  place: 'active' | 'resting' | 'unschedulable';
  /** When it was put back, on the monotonic clock. */
  triedAtMs: number;
  readonly sinceMs: number;
}

/** The queue. One reader. */
export class PodQueue {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  /** Uids of those that wait for a change. */
  readonly #unschedulable = new Set<string>();
  /** Uids to look at, in order of arrival within a priority. */
  readonly #active = new Map<number, Set<string>>();
  #order = 0;
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Who waits now; looks at each. */
  waiting(): WaitingPods {
    const count = { active: 0, resting: 0, unschedulable: 0 };
    for (const { place } of this.#entries.values()) count[place] += 1;
    const { active, resting, unschedulable } = count;
    return { active, backoff: resting, unschedulable };
  }

  /** Adds a pod, or takes its newer form. A changed unschedulable pod is tried again. */
  put(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const known = this.#entries.get(uid);
    if (!known) {
      const entry: Entry = {
        pod,
        attempts: 0,
        order: this.#order++,
        timer: undefined,
        place: 'active',
        triedAtMs: -Infinity,
        sinceMs: this.#clock.monotonic(),
      };
      this.#entries.set(uid, entry);
      this.#activate(uid, entry);
      return;
    }
    const changed = known.pod.metadata.generation !== pod.metadata.generation;
    known.pod = pod;
    if (known.place === 'unschedulable' && changed) this.#activate(uid, known);
  }

  remove(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    entry.timer?.cancel();
    this.#active.get(priorityOf(entry.pod))?.delete(uid);
    this.#unschedulable.delete(uid);
    this.#entries.delete(uid);
  }

  /** The next pod, once there is one; undefined when the signal aborts. It leaves the queue. */
  async take(signal: AbortSignal): Promise<QueuedPod | undefined> {
    for (;;) {
      if (signal.aborted) return undefined;
      const next = this.#first();
      if (next) return next;
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }

  /** Puts back a pod that could not be placed. */
  putBack(
    { pod, attempts, sinceMs = this.#clock.monotonic() }: QueuedPod,
    why: 'unschedulable' | 'error',
  ): void {
    const uid = pod.metadata.uid ?? '';
    if (this.#entries.has(uid)) return;
    const entry: Entry = {
      pod,
      attempts,
      order: this.#order++,
      timer: undefined,
      place: why === 'error' ? 'resting' : 'unschedulable',
      triedAtMs: this.#clock.monotonic(),
      sinceMs,
    };
    this.#entries.set(uid, entry);
    if (why === 'unschedulable') this.#unschedulable.add(uid);
    this.#after(uid, entry, why === 'error' ? backoffDelay(attempts - 1, BACKOFF) : FLUSH_MS);
  }

  /** Something changed: the unschedulable pods that `mayFit` says it gives a place are tried again, after their rest. */
  retry(mayFit: (pod: Pod) => boolean): void {
    for (const uid of this.#unschedulable) {
      const entry = this.#entries.get(uid);
      if (!entry || !mayFit(entry.pod)) continue;
      entry.timer?.cancel();
      entry.place = 'resting';
      this.#unschedulable.delete(uid);
      const rest = backoffDelay(entry.attempts - 1, BACKOFF) * HOPE;
      this.#after(uid, entry, Math.max(0, entry.triedAtMs + rest - this.#clock.monotonic()));
    }
  }

  /** Lets go of every timer; nothing becomes due any more. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#entries.values()) timer?.cancel();
  }

  #after(uid: string, entry: Entry, ms: number): void {
    if (this.#closed) return;
    entry.timer = this.#clock.timer(ms, () => this.#activate(uid, entry));
  }

  #activate(uid: string, entry: Entry): void {
    entry.timer?.cancel();
    entry.timer = undefined;
    entry.place = 'active';
    this.#unschedulable.delete(uid);
    const priority = priorityOf(entry.pod);
    const peers = this.#active.get(priority) ?? new Set<string>();
    peers.add(uid);
    this.#active.set(priority, peers);
    this.#wake();
  }

  #first(): QueuedPod | undefined {
    const priorities = [...this.#active.keys()].sort((a, b) => b - a);
    for (const priority of priorities) {
      const peers = this.#active.get(priority);
      const [uid] = peers ?? [];
      if (uid === undefined) {
        this.#active.delete(priority);
        continue;
      }
      peers?.delete(uid);
      const entry = this.#entries.get(uid);
      this.#entries.delete(uid);
      if (!entry) continue;
      return { pod: entry.pod, attempts: entry.attempts, sinceMs: entry.sinceMs };
    }
    return undefined;
  }
}

function priorityOf(pod: Pod): number {
  return pod.spec?.priority ?? 0;
}
