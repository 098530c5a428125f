// Waiting in tests: for a condition, never for a time.
// Invariant: a condition that never holds fails with its own text, well before the runner's patience ends.
const CEILING_MS = 40_000;

/** Resolves once the condition holds, looked at on each turn of the event loop. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const due = performance.now() + CEILING_MS;
  while (!(await condition())) {
    if (performance.now() > due) throw new Error(`it never came about: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
