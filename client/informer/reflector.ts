// Drives the reflector machine: does what its state says and feeds it what came of that.
// Invariant: no failure is silent (each is logged and counted), and only the signal ends the loop.
import { backoffDelay } from '../../base/backoff.ts';
import { breathe } from '../../base/breathe.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { expired } from '../../api/status.ts';
import type { ResourceClient, WatchEvent } from '../rest/client.ts';
import { listPages } from '../rest/list-all.ts';
import type { InformerScope } from './informer.ts';
import { backoffOf, INFORMER_PAGE_SIZE, MAX_PUT_OFF_MS, WATCH_TIMEOUT_SECONDS } from './options.ts';
import type { InformerCounters, InformerFactoryOptions } from './options.ts';
import { initialState, SETBACKS, step } from './reflector-machine.ts';
import type { ReflectorInput, ReflectorState, Setback } from './reflector-machine.ts';
import { inputOf } from './setbacks.ts';

/** Where a reflector puts what it reads. */
export interface ReflectorTarget<T> {
  /** The object as it is to be kept; asked of each as it comes, so that the work is spread. */
  kept(object: T): T;
  /** The whole collection at a revision; objects as `kept` answered them. Resolves when it is in. */
  replace(objects: readonly T[], resourceVersion: string): Promise<void>;
  /** Events in order; bookmarks included. */
  apply(events: readonly WatchEvent<T>[]): void;
}

/** What a reflector is given. */
export interface ReflectorParts<T extends KubeObject> {
  readonly resource: ResourceClient<T>;
  readonly scope: InformerScope;
  readonly target: ReflectorTarget<T>;
  /** With the tuning of its kind. */
  readonly options: InformerFactoryOptions;
  readonly counters: InformerCounters;
}

type Live = Exclude<ReflectorState, { kind: 'stopped' }>;

/** Set on the bookmark that ends the initial events of a streamed list. */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Keeps `target` a copy of the collection until the signal aborts. Never rejects. */
export async function runReflector<T extends KubeObject>(
  parts: ReflectorParts<T>,
  signal: AbortSignal,
): Promise<void> {
  const reflector = new Reflector(parts, signal);
  await reflector.run();
}

class Reflector<T extends KubeObject> {
  readonly #parts: ReflectorParts<T>;
  readonly #signal: AbortSignal;
  #state: ReflectorState;

  constructor(parts: ReflectorParts<T>, signal: AbortSignal) {
    const { syncMode = 'list', pageSize = INFORMER_PAGE_SIZE } = parts.options;
    this.#parts = parts;
    this.#signal = signal;
    this.#state = initialState(syncMode, pageSize);
  }

  async run(): Promise<void> {
    for (let state = this.#state; state.kind !== 'stopped'; state = this.#state)
      try {
        await this.#act(state);
        if (this.#signal.aborted) this.#take({ kind: 'stop' });
      } catch (error) {
        const input = inputOf(error, this.#state);
        if (!this.#signal.aborted) this.#report(error, input.kind);
        this.#take(this.#signal.aborted ? { kind: 'stop' } : input);
      }
  }

  #act(state: Live): Promise<void> {
    switch (state.kind) {
      case 'syncing':
        return state.mode === 'list' ? this.#list(state) : this.#stream();
      case 'watching':
        return this.#watch(state);
      case 'waiting':
        return this.#wait(state);
    }
  }

  async #list({ whole, pageSize }: Live): Promise<void> {
    const { counters, resource, scope, target } = this.#parts;
    counters.lists++;
    const objects: T[] = [];
    let resourceVersion = '';
    const selected = { ...selectionOf(scope), limit: whole ? 0 : pageSize, signal: this.#signal };
    for await (const page of listPages(resource, selected)) {
      // Pages of a server in this process come without a turn of the event loop between them.
      if (objects.length > 0) await breathe();
      for (const item of page.items) objects.push(target.kept(item));
      resourceVersion = page.metadata.resourceVersion ?? resourceVersion;
    }
    await target.replace(objects, resourceVersion);
    this.#take({ kind: 'synced', resourceVersion });
  }

  /** Watches on from the state's revision. */
  async #watch({ resourceVersion }: Live & { kind: 'watching' }): Promise<void> {
    for await (const batch of this.#open({ resourceVersion })) this.#apply(batch);
    this.#take({ kind: 'ended' });
  }

  /** Watches from nothing, with the present objects first; they replace what is there once the last of them has come. */
  async #stream(): Promise<void> {
    const { target } = this.#parts;
    const present = new Map<string, T>();
    let synced = false;
    const from = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' as const };
    for await (const batch of this.#open(from)) {
      if (synced) {
        this.#apply(batch);
        continue;
      }
      const end = batch.findIndex(endsInitialEvents);
      this.#gather(present, end < 0 ? batch : batch.slice(0, end));
      if (end < 0) continue;
      const resourceVersion = batch[end]?.object.metadata.resourceVersion ?? '';
      await target.replace([...present.values()], resourceVersion);
      present.clear();
      synced = true;
      this.#take({ kind: 'streamed', resourceVersion });
      this.#apply(batch.slice(end + 1));
    }
    this.#take({ kind: 'ended' });
  }

  #open(from: Parameters<ResourceClient<T>['watch']>[0]): AsyncIterable<readonly WatchEvent<T>[]> {
    const { counters, options, resource, scope } = this.#parts;
    counters.watches++;
    const { least, spread } = WATCH_TIMEOUT_SECONDS;
    return resource.watch({
      ...selectionOf(scope),
      ...from,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.floor(least + spread * options.random.next()),
      signal: this.#signal,
    });
  }

  #gather(present: Map<string, T>, batch: readonly WatchEvent<T>[]): void {
    for (const { type, object } of batch)
      if (type === 'DELETED') present.delete(keyOf(object));
      else if (type !== 'BOOKMARK') present.set(keyOf(object), this.#parts.target.kept(object));
  }

  #apply(batch: readonly WatchEvent<T>[]): void {
    const last = batch.at(-1);
    if (last === undefined) return;
    this.#parts.counters.events += batch.length;
    this.#parts.target.apply(batch);
    const resourceVersion = last.object.metadata.resourceVersion ?? '';
    const kind = batch.every(({ type }) => type === 'BOOKMARK') ? 'bookmark' : 'progress';
    if (kind === 'bookmark') this.#refuseOlder(resourceVersion);
    this.#take({ kind, resourceVersion });
  }

  /** A server that is not as far as it was has another history: what happens in it would be passed over. */
  #refuseOlder(resourceVersion: string): void {
    const state = this.#state;
    if (state.kind === 'watching' && Number(resourceVersion) < Number(state.resourceVersion))
      throw expired(`the server is at ${resourceVersion}, behind ${state.resourceVersion}`);
  }

  async #wait({ why, failures, leastMs }: Live & { kind: 'waiting' }): Promise<void> {
    const { clock, random } = this.#parts.options;
    const pauseMs = backoffDelay(failures - 1, backoffOf(why), random);
    const putOffMs = Math.min(leastMs, MAX_PUT_OFF_MS);
    await clock.sleep(Math.max(pauseMs, putOffMs), this.#signal);
    this.#take({ kind: 'resumed' });
  }

  #take(input: ReflectorInput): void {
    const { counters } = this.#parts;
    counters.transitions[input.kind]++;
    if (isSetback(input.kind)) counters.failures++;
    this.#state = step(this.#state, input);
  }

  #report(error: unknown, why: ReflectorInput['kind']): void {
    const { options, resource } = this.#parts;
    // A gap is how a server ends a watcher that fell behind, and a refused stream is read by pages: nothing to worry about.
    const level = why === 'gap' || why === 'streamRefused' ? 'debug' : 'warn';
    options.logger[level]('the copy of a collection is interrupted; trying again', {
      resource: resource.ref.plural,
      state: this.#state.kind,
      why,
      err: error,
    });
  }
}

const isSetback = (kind: string): boolean => SETBACKS.includes(kind as Setback);

function endsInitialEvents({ type, object }: WatchEvent<KubeObject>): boolean {
  return type === 'BOOKMARK' && object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true';
}

/** What of a scope goes into requests. */
function selectionOf({ namespace, labelSelector, fieldSelector }: InformerScope): InformerScope {
  return { namespace, labelSelector, fieldSelector };
}
