// Why an operator does not run, in words for whoever started it.
// Invariant: the message is one line for each thing to mend, and says how.

/** What an operator's process ends with. */
export const EXIT_CODES = {
  /** It was told to stop, and did. */
  stopped: 0,
  /** It ran, and something failed that ends it. */
  failed: 1,
  /** It could not begin: no cluster, no permission, a kind that is missing, a port that is taken. */
  cannotStart: 2,
} as const;

/** A failure that is to be told without its stack. */
export class OperatorFailure extends Error {
  override readonly name = 'OperatorFailure';
}
