// What an informer factory is made of, and the limits of its reflectors.
// Invariant: every wait has a ceiling here; none of them ends a reflector.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { BackoffOptions } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { Client } from '../rest/client.ts';
import type { SyncMode } from './reflector-machine.ts';

/** Pauses between attempts that fail in a row: doubling, with up to as much again at random. */
export const REFLECTOR_BACKOFF: BackoffOptions = { initialMs: 50, maxMs: 30_000, jitter: 1 };

/** Servers are asked to end a watch after 5 to 10 minutes, spread so that they do not all come back at once. */
export const WATCH_TIMEOUT_SECONDS = { least: 300, spread: 300 };

/** What a factory needs. */
export interface InformerFactoryOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How the first state is read; by pages unless given. */
  readonly syncMode?: SyncMode;
  /** Items per page of a list; 500 unless given. */
  readonly pageSize?: number;
  /** What is kept of an object of the kind where that is less than the whole; the whole unless given. */
  readonly kept?: (ref: KindRef, object: KubeObject) => KubeObject;
}

/** What an informer has done so far. */
export interface InformerCounters {
  lists: number;
  watches: number;
  events: number;
  /** Attempts that failed, whatever the cause. */
  failures: number;
  /** Lines off the wire that could not be understood. */
  malformed: number;
}
