// A request to the node's server that cannot be served, with its HTTP code. Texts are shown to users by kubectl.

/** What the caller is told. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
