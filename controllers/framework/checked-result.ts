// What a reconcile answered, checked: programs written without types, or past them, answer all sorts of things.
// Invariant: whatever is no Result is an error that says what to write instead; nothing is guessed.
import { done, type Result } from './reconciler.ts';

/** How much of a wrong answer is shown. */
const MAX_SHOWN = 80;

/** The Result that the answer is; nothing is done. Throws a TypeError that names the fix for anything else. */
export function checkedResult(answer: unknown): Result {
  if (answer === undefined) return done;
  if (typeof answer === 'object' && answer !== null) {
    const { kind, ms } = answer as { kind?: unknown; ms?: unknown };
    if (kind === 'done') return done;
    if (kind === 'requeueAfter' && typeof ms === 'number' && ms >= 0 && ms < Infinity)
      return answer as Result;
  }
  throw new TypeError(`reconcile answered ${shown(answer)}, which is no result; ${advice(answer)}`);
}

function shown(answer: unknown): string {
  if (typeof answer === 'number') return String(answer);
  let text: string | undefined;
  try {
    text = JSON.stringify(answer);
  } catch {
    // What cannot be written down is told by its type.
  }
  return (text ?? typeof answer).slice(0, MAX_SHOWN);
}

function advice(answer: unknown): string {
  const { requeue, requeueAfter, kind } = Object(answer) as Record<string, unknown>;
  if (kind === 'requeueAfter') return 'requeueAfter takes milliseconds: a number, 0 or more';
  if (requeue === true)
    return 'throw to be asked again with growing waits, or answer requeueAfter(ms)';
  if (typeof answer === 'number')
    return `answer requeueAfter(${answer}) to be asked again after that`;
  if (requeueAfter !== undefined) return 'answer requeueAfter(ms), which the framework exports';
  return 'answer done, requeueAfter(ms) or nothing, or throw';
}
