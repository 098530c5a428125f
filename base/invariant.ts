// Broken invariants crash loudly; expected outcomes never come through here.

/** Thrown when the program finds itself in a state that its own rules exclude. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Asserts what must always hold; `why` says which rule was broken. */
export function invariant(condition: unknown, why: string): asserts condition {
  if (!condition) throw new InvariantError(why);
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}
