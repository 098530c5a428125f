// What an informer factory is made of, and the limits of its reflectors.
// Invariant: every wait has a ceiling here; none of them ends a reflector.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { BackoffOptions } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { Client } from '../rest/client.ts';
import type { Setback, SyncMode, Transition } from './reflector-machine.ts';
import { TRANSITIONS } from './reflector-machine.ts';

/** Pauses between attempts that fail in a row: doubling, with up to as much again at random. */
export const REFLECTOR_BACKOFF: BackoffOptions = { initialMs: 50, maxMs: 30_000, jitter: 1 };

/** A kind that is not installed is asked for at least this often, so that its operator begins soon after it is there. */
const NOT_SERVED_BACKOFF: BackoffOptions = { initialMs: 50, maxMs: 5_000, jitter: 1 };

/** The pause after a setback. */
export function backoffOf(why: Setback | 'ended'): BackoffOptions {
  return why === 'notServed' ? NOT_SERVED_BACKOFF : REFLECTOR_BACKOFF;
}

/** A server may put a reflector off for no longer than this. */
export const MAX_PUT_OFF_MS = 60_000;

/** Servers are asked to end a watch after 5 to 10 minutes, spread so that they do not all come back at once. */
export const WATCH_TIMEOUT_SECONDS = { least: 300, spread: 300 };

/** Objects per page of a list: parsed and frozen in one turn of the event loop, which 100 Pods hold for 5 to 10 ms. */
export const INFORMER_PAGE_SIZE = 100;

/** Objects of a list that are put into the cache in one turn of the event loop. */
export const REPLACE_TURN = 250;

/** Changes told in a row to a handler that answers promises, before others get their turn. */
export const HANDLER_TURN = 250;

/** How a kind is copied. */
export interface InformerTuning {
  /** How the first state is read; by pages unless given. */
  readonly syncMode?: SyncMode | undefined;
  /** Items per page of a list; INFORMER_PAGE_SIZE unless given. */
  readonly pageSize?: number | undefined;
  /**
   * Every so often handlers are told of each object again, as an update from itself to itself: for what depends on more than
   * the cluster. Never unless given; a handler that is still at work on the last time is passed over.
   */
  readonly resyncMs?: number | undefined;
}

/** What a factory needs. */
export interface InformerFactoryOptions extends InformerTuning {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Another tuning for some kinds; what it leaves out is as for all. */
  readonly forKind?: ((ref: KindRef) => InformerTuning | undefined) | undefined;
  /**
   * What the caches keep of an object of the kind, where that is less than the whole. Must not change its argument, and
   * must leave name, namespace, uid and resourceVersion; where it throws, the whole object is kept.
   */
  readonly transform?: ((ref: KindRef, object: KubeObject) => KubeObject) | undefined;
}

/** What an informer has done so far. */
export interface InformerCounters {
  /** Lists begun. */
  lists: number;
  /** Watches opened. */
  watches: number;
  /** Events taken, bookmarks included. */
  events: number;
  /** Attempts that failed, whatever the cause: the setbacks of `transitions`, added up. */
  failures: number;
  /** Calls of handlers that threw or whose promise was rejected. */
  handlerErrors: number;
  /** How often each transition was taken. */
  readonly transitions: Record<Transition, number>;
}

/** Counters at nought. */
export function newCounters(): InformerCounters {
  const transitions = Object.fromEntries(TRANSITIONS.map((each) => [each, 0]));
  return {
    lists: 0,
    watches: 0,
    events: 0,
    failures: 0,
    handlerErrors: 0,
    transitions: transitions as Record<Transition, number>,
  };
}
