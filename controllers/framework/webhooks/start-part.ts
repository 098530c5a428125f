// Starts a part of an operator by itself: in tests, and in programs that are put together by hand.
// Invariant: a part that ends before it is ready is told by both promises; neither is left unhandled.
import type { WebhookContext, WebhookServerPart } from './webhook-server.ts';

/** A part that runs. */
export interface StartedPart {
  /** Resolves once it serves; rejects where it ended, or was stopped, before. */
  readonly ready: Promise<void>;
  /** Resolves when it has stopped; rejects with what it ended by. */
  readonly done: Promise<void>;
  /** Stops it, and waits for `done`. */
  stop(): Promise<void>;
}

/** Runs the part until it is stopped or the signal aborts. */
export function startPart(
  part: Pick<WebhookServerPart, 'run'>,
  context: Omit<WebhookContext, 'ready'>,
  signal?: AbortSignal,
): StartedPart {
  const ready = Promise.withResolvers<void>();
  const stopping = new AbortController();
  const until = signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal;
  const done = part.run({ ...context, ready: ready.resolve }, until);
  done.then(() => ready.reject(new Error('it was stopped before it served')), ready.reject);
  ready.promise.catch(() => undefined);
  return {
    ready: ready.promise,
    done,
    stop() {
      stopping.abort(new Error('the webhook server is stopped'));
      return done;
    },
  };
}
