// A program in a test cluster: built-in ones and the user's alike, with a clock and a connection of its own.
// Invariant: a program that crashed does nothing any more, to the cluster or by itself; `done` settles once for all.
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { MortalClock } from './mortal-clock.ts';
import { MortalTransport } from './mortal-transport.ts';

/** A program that runs in a test cluster. */
export interface RunningProgram {
  readonly name: string;
  /** Resolves once its caches are filled and its controllers work: with leader election, once it leads. Rejects when the program ends before. */
  readonly synced: Promise<void>;
  /** Resolves when it has stopped or crashed; rejects with what it ended by, such as a controller that could not be made. */
  readonly done: Promise<void>;
  /** Ends it in order: the last reconciles are awaited, the Lease is released. Rejects with what `done` rejects with. */
  stop(): Promise<void>;
  /**
   * Ends it as `kill -9` does, at this moment: requests that the server has are done, their answers are lost, nothing is released, and
   * no timer of it fires. Its abort signal stays as it is, so that no code of it runs, until it is stopped or the cluster closes.
   */
  crash(): Promise<void>;
}

/** What a program is given. */
export interface ProgramParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** To be called once its caches are filled. */
  readonly onSynced: () => void;
}

/** What a program is. */
export interface ProgramSpec {
  readonly name: string;
  readonly clock: Clock;
  readonly client: Client;
  run(parts: ProgramParts): Promise<void>;
}

/** Starts it. */
export function startProgram(spec: ProgramSpec): RunningProgram {
  const clock = new MortalClock(spec.clock);
  const transport = new MortalTransport(spec.client.transport);
  const stop = new AbortController();
  const synced = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  spec
    .run({
      client: createClient(transport, spec.client.options),
      clock,
      signal: stop.signal,
      onSynced: synced.resolve,
    })
    .then(done.resolve, done.reject);
  const ended = (why: unknown) => {
    // A process that has ended has no timers left either.
    clock.die();
    synced.reject(why);
  };
  done.promise.then(() => ended(new Error(`the program ${spec.name} has ended`)), ended);
  synced.promise.catch(() => undefined);
  return {
    name: spec.name,
    synced: synced.promise,
    done: done.promise,
    stop() {
      stop.abort(new Error(`the program ${spec.name} is stopped`));
      return done.promise;
    },
    crash() {
      clock.die();
      transport.die();
      done.resolve();
      return done.promise;
    },
  };
}
