// The one failure of this folder: a field set, or an object to make one of, that does not fit.
// Those who keep track of owners go on without; those who apply refuse the request.

/** What does not fit, in words that clients may see. */
export class FieldSetError extends Error {
  override readonly name = 'FieldSetError';
}

/** Makes one. */
export const badFieldSet = (why: string): FieldSetError => new FieldSetError(why);
