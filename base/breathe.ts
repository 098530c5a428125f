// A pause in long work on the event loop, in which whatever waits gets its turn.
// Invariant: no time has to pass; it is over once everything that was ready has run.

/** Resolves in a later turn of the event loop. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
