// A container that could not be started: the reason that its waiting state shows, and what the pod's events tell of it. Texts as upstream.
import type { EventNote } from '../../client/events/recorder.ts';

/** How a failed start goes on, and what is told of it. */
export interface StartFailureHow {
  /** How soon the next try makes sense: by wall time where that is known. */
  readonly retry: 'soon' | 'backoff' | { readonly atMs: number };
  /** Events to send; one `Failed` with the message unless given. */
  readonly notes?: readonly EventNote[];
  readonly cause?: unknown;
  /** Id of a container that runs and is to be ended for it. */
  readonly ends?: string;
}

/** Why a start failed. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
  readonly reason: string;
  readonly retry: StartFailureHow['retry'];
  readonly notes: readonly EventNote[];
  readonly ends: string | undefined;

  constructor(reason: string, message: string, how: StartFailureHow) {
    super(message, how.cause === undefined ? undefined : { cause: how.cause });
    this.reason = reason;
    this.retry = how.retry;
    this.ends = how.ends;
    this.notes = how.notes ?? [failedNote(message)];
  }
}

/** The event that every failed start ends with. */
export function failedNote(what: string): EventNote {
  return { type: 'Warning', reason: 'Failed', message: `Error: ${what}` };
}
