// What goes wrong in a webhook server: a question that is none, or an answer that could not be made.
// Invariant: the message is one sentence for the person who has to mend it, and the code says whose mend it is: below 500 the caller's.

/** A question that gets no review for an answer. The API server goes by the failure policy then. */
export class WebhookFault extends Error {
  override readonly name = 'WebhookFault';
  /** Of HTTP. */
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The fault of a handler of one's own: 500, the code whose text API servers hand on to whoever made the request. */
export function handlerFault(message: string, cause?: unknown): WebhookFault {
  return new WebhookFault(500, message, cause === undefined ? undefined : { cause });
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
