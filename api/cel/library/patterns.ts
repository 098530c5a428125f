// Patterns of expressions: RE2's, compiled with the expression where they stand in it, else while it is evaluated.
// Invariant: neither compiling nor running one takes longer than what is counted as work, within a small factor; what is made
// while evaluating is kept for that evaluation only.
import { compilePattern, patternOf, type Pattern } from '../../schema/structural/structural.ts';
import { CelError } from '../cel-error.ts';
import { MAX_PATTERN_SIZE } from '../limits.ts';
import type { Meter } from '../meter.ts';
import { patternSize } from './pattern-size.ts';

/** Compiling one state takes about two microseconds. */
const COMPILE_COST = 20;
/** Running takes up to 5 ns for each character and state, and several times that when texts are long. */
const RUN_COST = 0.05;
const LONG_TEXT = 1000;
const LONG_RUN_COST = 0.2;
/** Looking for where matches lie keeps account of every state. */
const FIND_COST = 0.05;

/** Why the text is no pattern for expressions, or undefined. Compiles it: what is fine is at hand afterwards. */
export function patternFault(text: string): string | undefined {
  const size = sizeFault(text);
  if (size !== undefined) return size;
  try {
    patternOf(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Why it is too large to be compiled, or undefined. */
export function sizeFault(text: string): string | undefined {
  const size = patternSize(text);
  if (size <= MAX_PATTERN_SIZE) return undefined;
  return `pattern is too large: ${size} parts with its repetitions; at most ${MAX_PATTERN_SIZE} are allowed`;
}

/** The pattern of a text. Throws a CelError when it is none. */
export function pattern(text: string, meter: Meter): Pattern {
  if (meter.literals.has(text)) return patternOf(text);
  return meter.patterns.get(text) ?? made(text, meter);
}

function made(text: string, meter: Meter): Pattern {
  const fault = sizeFault(text);
  if (fault !== undefined) throw new CelError(fault);
  let compiled: Pattern;
  try {
    compiled = compilePattern(text);
  } catch (error) {
    // What is wrong is found by reading it all.
    meter.work(text.length * COMPILE_COST);
    throw new CelError(error instanceof Error ? error.message : String(error));
  }
  meter.work(compiled.states * COMPILE_COST);
  meter.patterns.set(text, compiled);
  return compiled;
}

/** Does the pattern match some part of the text? */
export function matches(text: string, of: Pattern, meter: Meter): boolean {
  const perState = text.length > LONG_TEXT ? LONG_RUN_COST : RUN_COST;
  meter.work(text.length * (1 + of.states * perState));
  return of.test(text);
}

/** The parts that match, at most so many. */
export function findings(text: string, of: Pattern, { limit, meter }: Wanted): string[] {
  return of.find(text, limit, (left) => meter.work(1 + left * of.states * FIND_COST));
}

interface Wanted {
  readonly limit: number;
  readonly meter: Meter;
}
