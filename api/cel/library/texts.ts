// Texts: what they contain, and how they begin and end.
// Invariant: positions are code points; patterns run in time linear in the text (RE2).
import { CelError } from '../cel-error.ts';
import { MATCHES, SEARCHES, walks } from '../costs.ts';
import { type CostModel, type Library, method, overload } from '../overload.ts';
import { patternOf, type Pattern } from '../../schema/structural/structural.ts';
import type { CelValue } from '../values.ts';

/** The pattern of a text. Throws a CelError when it is none. */
export function pattern(text: string): Pattern {
  try {
    return patternOf(text);
  } catch (error) {
    throw new CelError(error instanceof Error ? error.message : String(error));
  }
}

/** States times characters that cost one unit: what the engine takes a tenth of a microsecond for. */
const STEPS_PER_UNIT = 10;

/** Upstream guesses a pattern's cost from its length; here its real number of states counts where that is more. */
export function patternWork([text, of]: readonly CelValue[]): number {
  return (pattern(of as string).states * (text as string).length) / STEPS_PER_UNIT;
}

const RUNS: CostModel = { ...MATCHES, work: patternWork };

const matches = ([text, of]: readonly CelValue[]): boolean =>
  pattern(of as string).test(text as string);

export const TEXTS: Library = [
  method('startsWith(string, string): bool', startsWith, walks(1)),
  method('endsWith(string, string): bool', endsWith, walks(1)),
  method('contains(string, string): bool', contains, SEARCHES),
  method('matches(string, string): bool', matches, RUNS),
  overload('matches(string, string): bool', matches, RUNS),
];

function startsWith([text, part]: readonly CelValue[]): boolean {
  return (text as string).startsWith(part as string);
}

function endsWith([text, part]: readonly CelValue[]): boolean {
  return (text as string).endsWith(part as string);
}

function contains([text, part]: readonly CelValue[]): boolean {
  return (text as string).includes(part as string);
}
