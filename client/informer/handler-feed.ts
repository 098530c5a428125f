// What one handler of an informer is told, and when: in order, one call at a time, whatever the other handlers do.
// Invariant: one entry waits per object at most, from the state told last to the newest; so a slow handler, or one that makes
// changes while it is told of one, costs no more room than the cache, and ends up knowing what the cache shows.
import { breathe } from '../../base/breathe.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { InformerHandler } from './informer.ts';
import { HANDLER_TURN } from './options.ts';
import type { StoreChange } from './store.ts';

/** What became of an object since the handler was told of it. */
interface Waiting<T> {
  /** As the handler knows it; undefined where it does not. */
  readonly told: T | undefined;
  readonly now: T | undefined;
  /** How it was last, where it was deleted since. */
  readonly gone?: T | undefined;
}

/** One handler's feed. */
export class HandlerFeed<T extends KubeObject> {
  readonly #handler: InformerHandler<T>;
  readonly #failed: (error: unknown) => void;
  readonly #waiting = new Map<string, Waiting<T>>();
  /** Calls that one waiting entry came to and that are still to be made: two at most. */
  #calls: StoreChange<T>[] = [];
  #telling = false;
  #ended = false;

  /** `failed` is told whatever the handler throws or rejects with. */
  constructor(handler: InformerHandler<T>, failed: (error: unknown) => void) {
    this.#handler = handler;
    this.#failed = failed;
  }

  /** How many objects wait to be told of. */
  get backlog(): number {
    return this.#waiting.size;
  }

  /** Takes a change in; `flush` tells it. */
  take(change: StoreChange<T>): void {
    const key = keyOf(change.object);
    const merged = mergedWith(this.#waiting.get(key), change);
    if (merged) this.#waiting.set(key, merged);
    else this.#waiting.delete(key);
  }

  /** Tells what waits: at once, or after the call that is being made. */
  flush(): void {
    if (this.#telling) return;
    this.#telling = true;
    for (let call = this.#next(); call; call = this.#next()) {
      const answer = this.#tell(call);
      if (!(answer instanceof Promise)) continue;
      void this.#goOnAfter(answer);
      return;
    }
    this.#telling = false;
  }

  /** Tells nothing from now on. */
  end(): void {
    this.#ended = true;
    this.#waiting.clear();
    this.#calls = [];
  }

  async #goOnAfter(first: Promise<unknown>): Promise<void> {
    await this.#settled(first);
    let told = 1;
    for (let call = this.#next(); call; call = this.#next()) {
      await this.#settled(this.#tell(call));
      if (++told % HANDLER_TURN === 0) await breathe();
    }
    this.#telling = false;
  }

  async #settled(answer: unknown): Promise<void> {
    try {
      await answer;
    } catch (error) {
      this.#failed(error);
    }
  }

  #next(): StoreChange<T> | undefined {
    if (this.#ended) return undefined;
    const call = this.#calls.shift();
    if (call) return call;
    const first = this.#waiting.entries().next();
    if (first.done) return undefined;
    const [key, waiting] = first.value;
    this.#waiting.delete(key);
    this.#calls = changesOf(waiting);
    return this.#calls.shift();
  }

  #tell(change: StoreChange<T>): unknown {
    try {
      if (change.kind === 'add') return this.#handler.onAdd?.(change.object);
      if (change.kind === 'update') return this.#handler.onUpdate?.(change.object, change.old);
      return this.#handler.onDelete?.(change.object);
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }
}

/** What waits once this change has come on top; undefined where that is nothing the handler has to know. */
function mergedWith<T>(
  waiting: Waiting<T> | undefined,
  change: StoreChange<T>,
): Waiting<T> | undefined {
  const { object } = change;
  if (change.kind !== 'delete') {
    const told = change.kind === 'update' ? change.old : undefined;
    return waiting ? { ...waiting, now: object } : { told, now: object };
  }
  if (!waiting) return { told: object, now: undefined, gone: object };
  if (waiting.told === undefined) return undefined;
  // Deleted, made anew and deleted again: the handler knows the first one.
  return { told: waiting.told, now: undefined, gone: waiting.gone ?? object };
}

function changesOf<T>({ told, now, gone }: Waiting<T>): StoreChange<T>[] {
  if (told === undefined) return now === undefined ? [] : [{ kind: 'add', object: now }];
  if (gone === undefined && now !== undefined) return [{ kind: 'update', object: now, old: told }];
  const deletion: StoreChange<T> = { kind: 'delete', object: gone ?? told };
  return now === undefined ? [deletion] : [deletion, { kind: 'add', object: now }];
}
