// What literals are, and calls of literals that can only fail: `duration('soon')`.
// Invariant: pure; as upstream, such faults are told when a rule is stored, not when it is used.
import type { Call, Fault } from './ast.ts';
import { BOOL, BYTES, type CelType, DOUBLE, INT, NULL, STRING, UINT } from './cel-type.ts';
import { patternOf } from '../schema/structural/structural.ts';
import { readDuration, readTimestamp } from './time-values.ts';
import { type CelValue, Uint } from './values.ts';

/** The type of a literal; texts and bytes are as long as they are. */
export function literalType(value: CelValue): CelType {
  if (value === null) return NULL;
  if (typeof value === 'string') return { ...STRING, max: value.length } as CelType;
  if (value instanceof Uint8Array) return { ...BYTES, max: value.length } as CelType;
  if (value instanceof Uint) return UINT;
  if (typeof value === 'bigint') return INT;
  return typeof value === 'number' ? DOUBLE : BOOL;
}

/** Calls whose text, the last argument, must be one of a kind. */
const CHECKS: Readonly<Record<string, (text: string) => boolean>> = {
  duration: (text) => readDuration(text) !== undefined,
  timestamp: (text) => readTimestamp(text) !== undefined,
  matches: isPattern,
};

/** What is wrong with a call of a literal, if it can only fail. */
export function literalFault(call: Call): Fault | undefined {
  const last = call.args.at(-1);
  if (last?.kind !== 'literal' || typeof last.value !== 'string') return undefined;
  const fine = Object.hasOwn(CHECKS, call.name) ? CHECKS[call.name] : undefined;
  if (fine === undefined || fine(last.value)) return undefined;
  return { at: last.at, message: `invalid ${call.name} argument` };
}

function isPattern(text: string): boolean {
  try {
    patternOf(text);
    return true;
  } catch {
    return false;
  }
}
