// Records Events about objects: what happened, told once and then counted; many that differ in their messages alone become one.
// Invariants: recording never blocks, throws or grows without bound; what cannot be kept is counted as dropped; the events of one
// object are made in the order in which they were told.
import { backoffDelay } from '../../base/backoff.ts';
import type { BackoffOptions } from '../../base/backoff.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { nameSuffix } from '../../base/random.ts';
import { Slots } from '../../base/slots.ts';
import type { Event } from '../../api/generated/types.ts';
import { Events } from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { isNotFound, StatusError } from '../../api/status.ts';
import type { Client } from '../rest/client.ts';
import { type BucketOptions, TokenBucket } from '../workqueue/token-bucket.ts';
import { COMBINED, SimilarEvents } from './similar-events.ts';
import { SpamFilter } from './spam-filter.ts';

/** Different events that wait to be sent at most; past it new ones are dropped. */
export const MAX_PENDING_EVENTS = 1000;
/** Events remembered so that a repeat is counted on the first one; the one longest unused is forgotten. */
export const MAX_REMEMBERED_EVENTS = 4096;
/** A repeat later than this is an event of its own, as upstream's aggregation has it. */
export const REPEAT_WINDOW_MS = 10 * 60_000;
/** Events that are on their way side by side, each of another object. To the server several that come together are little more work than one. */
export const EVENTS_AT_ONCE = 4;
/** How often what waits is sent: some times at once, then so often a second; what is told meanwhile waits to go together. */
export const SEND_PACE: BucketOptions = { perSecond: 10, burst: 20 };
/** How often sending one event is tried. */
export const MAX_SEND_ATTEMPTS = 5;
const SEND_BACKOFF: BackoffOptions = { initialMs: 100, maxMs: 5_000, jitter: 0.5 };
/** How long after the end of `run` was asked for events that wait may still be sent. */
export const LAST_WORDS_MS = 5_000;
/** Upstream's limit on an event's message. */
const MAX_MESSAGE_LENGTH = 1024;

/** What happened to an object. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** The part of the object that it is about, such as `spec.containers{main}`. */
  readonly fieldPath?: string;
}

/** What a recorder is made of. */
export interface EventRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Who tells, e.g. `deployment-controller`. */
  readonly component: string;
  /** The node it runs on, where that means something. */
  readonly host?: string;
}

/** What became of events so far. */
export interface EventCounters {
  recorded: number;
  sent: number;
  dropped: number;
}

interface Remembered {
  readonly namespace: string;
  readonly name: string;
  readonly count: number;
  readonly lastMs: number;
}

interface Pending {
  readonly about: KubeObject;
  /** Which object that is; those of one are sent one after the other. */
  readonly object: string;
  /** Of those that are combined, the latest. */
  note: EventNote;
  readonly component: string;
  readonly firstMs: number;
  lastMs: number;
  times: number;
}

type Waiting = readonly [id: string, pending: Pending];

/** What ends the sending. */
interface Signals {
  /** No more is tried again. */
  readonly stopping: AbortSignal;
  /** No more is tried at all. */
  readonly end: AbortSignal;
}

/** Records events; `run` sends them. */
export class ClientEventRecorder {
  readonly counters: EventCounters = { recorded: 0, sent: 0, dropped: 0 };
  readonly #options: EventRecorderOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #remembered = new Map<string, Remembered>();
  readonly #similar = new SimilarEvents();
  readonly #spam = new SpamFilter();
  readonly #pace = new TokenBucket(SEND_PACE);
  #wake: (() => void) | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Notes what happened; it is sent soon. Never throws. */
  event(about: KubeObject, note: EventNote): void {
    this.#note(about, note, this.#options.component);
  }

  /** A recorder that tells in another component's name, through this one. */
  for(component: string): { event(about: KubeObject, note: EventNote): void } {
    return { event: (about, note) => this.#note(about, note, component) };
  }

  /**
   * Sends what is recorded until the signal aborts; then what waits is tried once more, within LAST_WORDS_MS
   * for all of it. Never rejects.
   */
  async run(signal: AbortSignal): Promise<void> {
    const end = new AbortController();
    let timer: Timer | undefined;
    const onAbort = () => {
      this.#wake?.();
      const giveUp = () => end.abort(new Error('the recorder has ended'));
      timer = this.#options.clock.timer(LAST_WORDS_MS, giveUp);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    while (!signal.aborted || this.#pending.size > 0) {
      if (this.#pending.size === 0) await this.#told();
      const waitMs = this.#pace.reserve(this.#options.clock.monotonic());
      if (waitMs > 0) await this.#options.clock.sleep(waitMs, signal).catch(() => undefined);
      await this.#sendWaiting({ stopping: signal, end: end.signal });
    }
    timer?.cancel();
  }

  #note(about: KubeObject, note: EventNote, component: string): void {
    this.counters.recorded++;
    const { uid, namespace, name } = about.metadata;
    const object = uid ?? `${about.kind}/${namespace ?? ''}/${name ?? ''}`;
    const group = JSON.stringify([component, object, note.type, note.reason, note.fieldPath]);
    const now = this.#options.clock.now();
    const monotonic = this.#options.clock.monotonic();
    const combined = this.#similar.combines(group, note.message, monotonic);
    const id = combined ? group : JSON.stringify([group, note.message]);
    const told = combined ? { ...note, message: COMBINED + note.message } : note;
    const waiting = this.#pending.get(id);
    if (waiting) {
      waiting.times++;
      waiting.lastMs = now;
      waiting.note = told;
    } else if (this.#pending.size >= MAX_PENDING_EVENTS || !this.#admits(component, object)) {
      this.counters.dropped++;
    } else {
      const times = { firstMs: now, lastMs: now, times: 1 };
      this.#pending.set(id, { about, object, note: told, component, ...times });
      this.#wake?.();
    }
  }

  #admits(component: string, object: string): boolean {
    return this.#spam.admits(`${component}|${object}`, this.#options.clock.monotonic());
  }

  /** Resolves when the next event is told, or the end is near. */
  #told(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Sends what waits now; what is told meanwhile waits for the next time. */
  async #sendWaiting(signals: Signals): Promise<void> {
    const objects = Map.groupBy(this.#pending, ([, { object }]) => object);
    const slots = new Slots(EVENTS_AT_ONCE);
    const send = (waiting: readonly Waiting[]) =>
      slots.run(() => this.#sendInTurn(waiting, signals));
    await Promise.all(Array.from(objects.values(), send));
  }

  /** Who reads what became of one object reads it in this order, however long one event takes. */
  async #sendInTurn(waiting: readonly Waiting[], signals: Signals): Promise<void> {
    for (const [id, pending] of waiting) {
      this.#pending.delete(id);
      await this.#send({ id, pending }, signals);
    }
  }

  async #send(
    { id, pending }: { readonly id: string; readonly pending: Pending },
    { stopping, end }: Signals,
  ): Promise<void> {
    const { clock, random, logger } = this.#options;
    if (end.aborted) {
      this.counters.dropped++;
      return;
    }
    for (let attempt = 0; attempt < MAX_SEND_ATTEMPTS; attempt++) {
      try {
        this.#remember(id, await this.#write(id, pending, end));
        this.counters.sent++;
        return;
      } catch (error) {
        const hopeless = error instanceof StatusError && error.code < 500 && error.code !== 429;
        if (hopeless || stopping.aborted || attempt + 1 === MAX_SEND_ATTEMPTS) {
          this.counters.dropped++;
          logger.debug('an event could not be recorded', {
            reason: pending.note.reason,
            err: error,
          });
          return;
        }
      }
      const pause = backoffDelay(attempt, SEND_BACKOFF, random);
      await clock.sleep(pause, stopping).catch(() => undefined);
    }
  }

  /** Counts the event up where it is known, else makes it. */
  async #write(id: string, pending: Pending, signal: AbortSignal): Promise<Remembered> {
    const events = this.#options.client.resource(Events);
    const known = this.#remembered.get(id);
    if (known && pending.lastMs - known.lastMs < REPEAT_WINDOW_MS) {
      const count = known.count + pending.times;
      const message = textOf(pending.note);
      const body = { count, message, lastTimestamp: timestamp(pending.lastMs) };
      const { namespace, name } = known;
      try {
        await events.patch({ namespace, name }, { type: 'merge', body }, { signal });
        return { namespace, name, count, lastMs: pending.lastMs };
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    const made = newEvent(pending, this.#options);
    await events.create(made, { signal });
    const { namespace = '', name = '' } = made.metadata;
    return { namespace, name, count: pending.times, lastMs: pending.lastMs };
  }

  #remember(id: string, entry: Remembered): void {
    this.#remembered.delete(id);
    this.#remembered.set(id, entry);
    if (this.#remembered.size <= MAX_REMEMBERED_EVENTS) return;
    const oldest = this.#remembered.keys().next().value;
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }
}

/** The Event object; its name is the object's with a suffix, in the object's namespace (`default` for cluster-scoped ones). */
function newEvent(pending: Pending, options: EventRecorderOptions): Event {
  const { about, note, component } = pending;
  const namespace = about.metadata.namespace ?? 'default';
  const { name = '', uid, resourceVersion } = about.metadata;
  const stamp = Math.floor(pending.firstMs).toString(16);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name: `${name}.${stamp}${nameSuffix(options.random)}` },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name,
      ...(about.metadata.namespace === undefined ? {} : { namespace: about.metadata.namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(note.fieldPath === undefined ? {} : { fieldPath: note.fieldPath }),
    },
    type: note.type,
    reason: note.reason,
    message: textOf(note),
    source: { component, ...(options.host === undefined ? {} : { host: options.host }) },
    reportingComponent: component,
    reportingInstance: options.host ?? '',
    firstTimestamp: timestamp(pending.firstMs),
    lastTimestamp: timestamp(pending.lastMs),
    count: pending.times,
  };
}

const textOf = ({ message }: EventNote): string => message.slice(0, MAX_MESSAGE_LENGTH);

/** Seconds precision, as metav1.Time is written. */
const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
