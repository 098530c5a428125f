// A watch as the API gives it: store events turned into typed lines under a selector, with bookmarks.
// Invariants: a watcher's view is a fold of its lines (ADDED, then MODIFIED, then DELETED, per object); a bookmark
// never runs ahead of a line that is still to come; a failure is told in an ERROR line before the end.
import type { MaybePromise } from '../../api/definition.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { expired, StatusError } from '../../api/status.ts';
import type { WatchFrame } from '../../api/wire/exchange.ts';
import type { Clock } from '../../base/clock.ts';
import type { Pourable, Sink } from '../pour.ts';
import { StorageError } from '../storage/storage.ts';
import type { ObjectList, ObjectStore, StoreWatch } from './object-store.ts';
import type { StoreEvent, VisibleObject } from './visible-object.ts';
import { bookmarkFrame, errorFrame, frameFor, frameForLeft, frameOf } from './watch-frames.ts';

/** How often a watcher that allows it gets a bookmark. */
export const BOOKMARK_EVERY_MS = 60_000;

/** Selects objects: label and field selectors in one. */
export type ObjectPredicate = (object: LooseObject) => boolean;

/** Objects and events as the watcher is to see them, in order. */
export interface ServedAs {
  objects(items: readonly VisibleObject[]): MaybePromise<readonly VisibleObject[]>;
  events(batch: readonly StoreEvent[]): MaybePromise<readonly StoreEvent[]>;
}

/** What to watch. */
export interface SelectedWatchOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** See watch-hub.ts: ends in '/', or is one key. */
  readonly prefix: string;
  /** 'list': the present objects come first as ADDED. A revision: changes after it. 'now': changes from now on. */
  readonly start: 'list' | 'now' | bigint;
  /** All objects of the prefix when absent. */
  readonly predicate?: ObjectPredicate | undefined;
  /** Bookmarks now and then. */
  readonly allowBookmarks?: boolean;
  /** With start 'list': a bookmark with the initial-events-end annotation after the present objects. */
  readonly initialEventsEnd?: boolean;
  /** Given where objects are not served as they are stored. A failure ends the watch with an ERROR line. */
  readonly served?: ServedAs | undefined;
  /** What bookmarks say they are about. */
  readonly apiVersion: string;
  readonly kind: string;
  /** Called when it is over, before its reader sees the end; maybe more than once. */
  readonly over?: () => void;
}

/** Starts a watch in this very turn; throws StorageError Expired when history no longer covers its start. */
export function selectedWatch(
  store: ObjectStore,
  options: SelectedWatchOptions,
): Pourable<readonly WatchFrame[]> {
  const { prefix, start, signal } = options;
  const initial = start === 'list' ? store.list(prefix) : undefined;
  const from = typeof start === 'bigint' ? start : store.revision;
  const watch = store.watch(prefix, { from, signal });
  const frames = new SelectedWatch({ store, options, watch }, initial);
  return { [Symbol.asyncIterator]: () => frames, pour: (sink) => frames.pour(sink) };
}

/** The line that an event is for a watcher with such a predicate; undefined when it is none of its business. */
export function lineFor(event: StoreEvent, predicate?: ObjectPredicate): WatchFrame | undefined {
  const { type, value, previous } = event;
  const before = previous !== undefined && (!predicate || predicate(previous.object()));
  if (type === 'delete') return before || !previous ? frameFor(event, 'DELETED') : undefined;
  const now = !predicate || predicate(value.object());
  if (now) return frameFor(event, before ? 'MODIFIED' : 'ADDED');
  return before ? frameForLeft(event) : undefined;
}

function linesFor(events: readonly StoreEvent[], predicate?: ObjectPredicate): WatchFrame[] {
  const lines: WatchFrame[] = [];
  for (const event of events) {
    const line = lineFor(event, predicate);
    if (line) lines.push(line);
  }
  return lines;
}

const allLines = new WeakMap<readonly StoreEvent[], readonly WatchFrame[]>();

/** The lines for those who watch all: one list for all that are handed the same batch. */
function linesOfAll(events: readonly StoreEvent[]): readonly WatchFrame[] {
  let lines = allLines.get(events);
  if (!lines) allLines.set(events, (lines = linesFor(events)));
  return lines;
}

interface Started {
  readonly store: ObjectStore;
  readonly options: SelectedWatchOptions;
  readonly watch: StoreWatch;
}

const END = Object.freeze({ done: true, value: undefined });

/** One watcher's lines: iterated over by some, poured by the thousands that the network has. */
class SelectedWatch implements AsyncIterator<readonly WatchFrame[], void> {
  readonly #started: Started;
  #bookmarks: BookmarkTimer | undefined;
  /** The present objects, and their lines, until they are told. */
  #present: ObjectList | undefined;
  #initial: Generator<readonly WatchFrame[], void> | undefined;
  #isOver = false;

  constructor(started: Started, present: ObjectList | undefined) {
    this.#started = started;
    this.#present = present;
  }

  async next(): Promise<IteratorResult<readonly WatchFrame[], void>> {
    if (this.#isOver) return END;
    try {
      if (!this.#bookmarks) await this.#begin();
      const initial = this.#initial?.next();
      if (initial && !initial.done) return initial;
      this.#initial = undefined;
      const { watch, options } = this.#started;
      for (let batch = await watch.next(); batch; batch = await watch.next()) {
        const lines = this.#linesOf(options.served ? await options.served.events(batch) : batch);
        if (lines.length > 0) return { done: false, value: lines };
      }
      return this.#close();
    } catch (error) {
      this.#close();
      return { done: false, value: [errorFrame(asStatus(error))] };
    }
  }

  /** As `Pourable` has it. What comes later than the present objects is handed on in the turn that brings it. */
  async pour(sink: Sink<readonly WatchFrame[]>): Promise<void> {
    try {
      await this.#begin();
      if (await this.#pourPresent(sink)) await this.#pourEvents(sink);
    } catch (error) {
      this.#close();
      await sink([errorFrame(asStatus(error))]);
    } finally {
      this.#close();
    }
  }

  /** A method of its own, so that nothing holds the list and its lines once they are told: a watch may last an hour. */
  async #pourPresent(sink: Sink<readonly WatchFrame[]>): Promise<boolean> {
    const initial = this.#initial;
    this.#initial = undefined;
    for (const lines of initial ?? []) if (!(await sink(lines))) return false;
    return true;
  }

  #pourEvents(sink: Sink<readonly WatchFrame[]>): Promise<void> {
    const { watch, options } = this.#started;
    return new Promise((resolve, reject) => {
      const goOn = (isWanted: boolean) => (isWanted ? watch.read(reader) : resolve());
      const tell = (events: readonly StoreEvent[]) => {
        const lines = this.#linesOf(events);
        const answer = lines.length === 0 || sink(lines);
        if (typeof answer === 'boolean') goOn(answer);
        else answer.then(goOn).catch(reject);
      };
      const reader = {
        resolve: (batch: readonly StoreEvent[] | undefined) => {
          if (batch === undefined) return resolve();
          try {
            const served = options.served?.events(batch) ?? batch;
            if (served instanceof Promise) served.then(tell).catch(reject);
            else tell(served);
          } catch (error) {
            reject(error as Error);
          }
        },
        reject,
      };
      watch.read(reader);
    });
  }

  /** The reader goes. */
  return(): Promise<IteratorReturnResult<void>> {
    return Promise.resolve(this.#close());
  }

  async #begin(): Promise<void> {
    const { watch, options } = this.#started;
    this.#bookmarks = new BookmarkTimer(options, watch);
    if (!this.#present) return;
    const { items, revision } = this.#present;
    this.#present = undefined;
    const shown = options.served ? await options.served.objects(items) : items;
    this.#initial = initialFrames({ items: shown, revision }, options);
  }

  #linesOf(events: readonly StoreEvent[]): readonly WatchFrame[] {
    const { store, watch, options } = this.#started;
    const lines = options.predicate ? linesFor(events, options.predicate) : linesOfAll(events);
    if (!this.#bookmarks?.due || watch.unread > 0) return lines;
    return [...lines, bookmarkFrame({ ...this.#bookmarks.take(), revision: store.revision })];
  }

  #close(): IteratorReturnResult<void> {
    this.#isOver = true;
    this.#initial = undefined;
    this.#bookmarks?.stop();
    this.#started.watch.close();
    this.#started.options.over?.();
    return END;
  }
}

/** Lines handed on at once while the present objects are sent. */
const INITIAL_BATCH = 500;

function* initialFrames(
  list: Pick<ObjectList, 'items' | 'revision'>,
  options: SelectedWatchOptions,
): Generator<WatchFrame[], void> {
  const { predicate, apiVersion, kind } = options;
  let lines: WatchFrame[] = [];
  for (const item of list.items) {
    if (predicate && !predicate(item.object())) continue;
    lines.push(frameOf('ADDED', item));
    if (lines.length < INITIAL_BATCH) continue;
    yield lines;
    lines = [];
  }
  if (options.initialEventsEnd)
    lines.push(
      bookmarkFrame({ apiVersion, kind, revision: list.revision, initialEventsEnd: true }),
    );
  if (lines.length > 0) yield lines;
}

/** Says when the next bookmark is due, and wakes a watch that has nothing else to say. */
class BookmarkTimer {
  readonly #options: SelectedWatchOptions;
  readonly #watch: StoreWatch;
  #cancel: (() => void) | undefined;
  due = false;

  constructor(options: SelectedWatchOptions, watch: StoreWatch) {
    this.#options = options;
    this.#watch = watch;
    if (options.allowBookmarks) this.#arm();
  }

  take(): { apiVersion: string; kind: string } {
    this.due = false;
    this.#arm();
    return { apiVersion: this.#options.apiVersion, kind: this.#options.kind };
  }

  stop(): void {
    this.#cancel?.();
  }

  #arm(): void {
    const timer = this.#options.clock.timer(BOOKMARK_EVERY_MS, () => {
      this.due = true;
      this.#watch.nudge();
    });
    this.#cancel = () => timer.cancel();
  }
}

function asStatus(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof StorageError)
    return error.reason === 'Expired'
      ? expired(error.message)
      : new StatusError('ServiceUnavailable', error.message, { cause: error });
  return new StatusError('InternalError', 'the watch failed', { cause: error });
}
