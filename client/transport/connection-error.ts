// What goes wrong on the way to a server, as opposed to what a server answers (StatusError).
// Invariant: every failure of a transport that is no Status and no abort leaves as one of these.

/** Why a connection failed: it broke, it said nothing for too long, or what came was not the protocol. */
export type ConnectionFailure = 'lost' | 'silent' | 'malformed' | 'tooLarge';

/** A failure between the client and the server. `cause` is the socket's own error where there is one. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly failure: ConnectionFailure;
  /** The system's code (`ECONNREFUSED`, `ECONNRESET`, …) where one is known. */
  readonly code: string | undefined;

  constructor(failure: ConnectionFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.failure = failure;
    this.code = systemCode(cause);
  }
}

/** Did what was received break the protocol, so that nothing after it can be trusted? */
export function isMalformed(error: unknown): boolean {
  return (
    error instanceof ConnectionError &&
    (error.failure === 'malformed' || error.failure === 'tooLarge')
  );
}

/** An abort's reason as an Error that may be thrown. */
export function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}

function systemCode(cause: unknown): string | undefined {
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
