// The contract between a controller and the reconcile loop: data in, data out.
// Invariant: one key is never reconciled twice at once.
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { InformerFactory, InformerScope } from '../../client/informer/informer.ts';
import type { Client } from '../../client/rest/client.ts';

/** What became of an object. */
export type ObjectChange = 'add' | 'update' | 'delete';

/** What a reconcile came to. Throwing means: retry with backoff. */
export type Result =
  | { readonly kind: 'done' }
  | { readonly kind: 'requeueAfter'; readonly ms: number };

/** Nothing more to do until something changes. */
export const done: Result = { kind: 'done' };
/** Look again after `ms`: 0 or more; MIN_REQUEUE_MS at the least, so that others get their turn. */
export const requeueAfter = (ms: number): Result => ({ kind: 'requeueAfter', ms });

/** Thrown by a reconciler when retrying cannot help: logged, not retried until the object changes. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

/** Records Events about objects; repeats are aggregated, and a full buffer drops with a counter. */
export interface EventRecorder {
  event(
    about: KubeObject,
    event: { type: 'Normal' | 'Warning'; reason: string; message: string },
  ): void;
}

/** What every controller is given. */
export interface ControllerContext {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: EventRecorder;
}

/** Passed to each reconcile. */
export interface ReconcileContext {
  /** Aborts when the controller stops or loses the lead, and after the controller's `timeoutMs`. */
  readonly signal: AbortSignal;
  /** Adds controller, key, reconcileID and the resourceVersion that the cache had to each line. */
  readonly logger: Logger;
}

/**
 * Where keys come from. `scope` narrows what is watched (all of the kind unless given). `keys` maps a changed object to
 * keys to reconcile (its own key unless given), `waitMs` says how long such a key waits for further changes, so that all are
 * seen to at once (0 unless given); where one of the two throws, that change wakes nobody and is told and counted.
 * `predicate`: which changes count (all unless given); where it throws, the change counts.
 */
export interface Source<T extends KubeObject = KubeObject> {
  readonly ref: KindRef<T>;
  readonly scope?: InformerScope;
  keys?(object: T, old: T | undefined): readonly string[];
  waitMs?(key: string, object: T, old: T | undefined): number;
  predicate?(object: T, old: T | undefined, change: ObjectChange): boolean;
  /** After so long everything known is told again (as an update from a state to itself), though nothing was heard; never unless given. */
  readonly resyncMs?: number | undefined;
}

/** A controller as data; `runController` in loop.ts drives it. */
export interface ControllerSpec {
  readonly name: string;
  /** Whom its events are from; its name unless given. */
  readonly eventSource?: string;
  readonly sources: readonly Source[];
  /** Sources that come and go, as kinds of users do: called once, with the way to add one; what that answers takes it away. */
  moreSources?(add: (source: Source) => () => void): void;
  /** How many keys at once; 1 unless given. */
  readonly concurrency?: number;
  /** After so long a reconcile's signal aborts; never unless given. It counts as failed once it rejects for that. */
  readonly timeoutMs?: number | undefined;
  reconcile(key: string, context: ReconcileContext): Promise<Result>;
}

/** Makes a controller from what it is given; each controllers/<name>/controller.ts exports one. */
export type ControllerFactory = (context: ControllerContext) => ControllerSpec;

/** `Source` with its element type erased, for lists of sources. */
export function source<T extends KubeObject>(source: Source<T>): Source {
  return source as unknown as Source;
}
