// A container that could not be started, with the reason that its waiting state shows.

/** Why a start failed. `retry` says how soon the next try makes sense. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
  readonly reason: string;
  readonly retry: 'soon' | 'backoff';

  constructor(
    reason: string,
    message: string,
    how: { retry: 'soon' | 'backoff'; cause?: unknown },
  ) {
    super(message, how.cause === undefined ? undefined : { cause: how.cause });
    this.reason = reason;
    this.retry = how.retry;
  }
}
