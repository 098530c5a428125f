// A pause in long work on the event loop, in which whatever waits gets its turn; and the moment at which nothing waits any more.
// Invariant: no time has to pass for a pause; it is over once everything that was ready has run. Every pause on the way of a request
// that stays in this process is taken here, so that stillness is known and not guessed.

/** How many are between the two halves of a pause. */
let breathing = 0;

/** Resolves in a later turn of the event loop. */
export function breathe(): Promise<void> {
  breathing++;
  return new Promise((resolve) =>
    setImmediate(() => {
      breathing--;
      resolve();
    }),
  );
}

/**
 * Resolves when everything in this process has run that needs neither time nor the outside world: no promise is left to go on
 * and nobody breathes. What waits for sockets, files, threads or timers is not waited for.
 */
export async function stillness(): Promise<void> {
  // The runtime empties its queue of promises before each callback of a turn: what they led to has run, or breathes.
  do await new Promise<void>((resolve) => setImmediate(resolve));
  while (breathing > 0);
}
