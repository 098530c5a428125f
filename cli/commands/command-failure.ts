// A command that could not do what it was asked: one line for the user, no stack.

/** Shown as `error: MESSAGE`; exit status 1. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}
