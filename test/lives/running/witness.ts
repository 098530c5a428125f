// What a scenario's steps may ask and do: one namespace of a world, as it was recorded and as it is.
// Invariant: a wait ends by what it waits for, or fails with what was seen instead.
import type { Event, Pod } from '../../../api/generated/types.ts';
import type { Client } from '../../../client/rest/client.ts';
import type { Runtime } from '../scenario.ts';
import type { Moment, Recorder } from './recorder.ts';

/** A cluster that scenarios run in. */
export interface World {
  readonly runtime: Runtime;
  readonly client: Client;
  readonly recorder: Recorder;
  /** Milliseconds, of virtual time where there is such. */
  readonly now: () => number;
  /** Resolves when the condition holds; looks whenever something was recorded. Rejects past the ceiling with what `missing` tells. */
  readonly until: (holds: () => boolean, missing: () => string) => Promise<void>;
  /** Lets so much time go by, looking on meanwhile. */
  readonly pass: (ms: number) => Promise<void>;
  /** Resolves once the programs that run in the pod mind the signals that they are to be told by. */
  readonly minded: (pod: Pod) => Promise<void>;
  /** Sends a signal to the first process of a container from outside. */
  readonly signal: (pod: Pod, container: string, signal: NodeJS.Signals) => Promise<void>;
  /** Kills the agent and brings it back. */
  readonly restartAgent: () => Promise<void>;
}

/** The scenario's view of its world. */
export interface Witness {
  readonly world: World;
  readonly namespace: string;
  /** The pod as it was recorded last. Throws where it was never seen. */
  readonly pod: (name?: string) => Pod;
  /** All that was recorded of it. */
  readonly history: (name?: string) => readonly Moment[];
  /** Runs a command and answers what it printed; fails where its exit code is another than 0. */
  readonly run: (command: readonly string[], container?: string) => Promise<string>;
  /** All of a container's log. */
  readonly log: (container: string) => Promise<readonly string[]>;
}

/** The name of a scenario's pod. */
export const POD_NAME = 'it';

/** The events about a pod, in the order of their writes. */
export function eventsOf({ world, namespace }: Witness, name: string): readonly Event[] {
  return world.recorder.eventsIn(namespace).filter((event) => event.involvedObject.name === name);
}

/** Is the line the one that is meant? */
export const isLine = (wanted: string | RegExp, line: string): boolean =>
  typeof wanted === 'string' ? line === wanted : wanted.test(line);

/** A part of a scenario as a failure tells it. */
export function told(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (each instanceof RegExp) return each.toString();
    return typeof each === 'function' ? `(${each.name})` : each;
  });
}
