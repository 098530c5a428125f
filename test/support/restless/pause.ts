// The pace of a load: a pause between two of its steps. Never a proof that something has come about in the meantime.

/** Resolves after `ms`. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
