// What literals are, and calls of literals that can only fail: `duration('soon')`.
// Invariant: pure; as upstream, such faults are told when a rule is stored, not when it is used.
import { table } from '../../base/table.ts';
import type { Call, Fault } from './ast.ts';
import { BOOL, BYTES, type CelType, DOUBLE, INT, NULL, STRING, UINT } from './cel-type.ts';
import { patternFault, sizeFault } from './library/patterns.ts';
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
const CHECKS: Readonly<Record<string, (text: string) => boolean>> = table({
  duration: (text) => readDuration(text) !== undefined,
  timestamp: (text) => readTimestamp(text) !== undefined,
  matches: isPattern,
  find: isPattern,
  findAll: isPattern,
});

function isPattern(text: string): boolean {
  return patternFault(text) === undefined;
}

/** What is wrong with a call of a literal, if it can only fail. */
export function literalFault(call: Call): Fault | undefined {
  const fine = Object.hasOwn(CHECKS, call.name) ? CHECKS[call.name] : undefined;
  const text = call.args[call.target === undefined && call.args.length > 1 ? 1 : 0];
  if (fine === undefined || text?.kind !== 'literal' || typeof text.value !== 'string')
    return undefined;
  if (fine(text.value)) return undefined;
  const reason = literalPattern(call) === undefined ? undefined : sizeFault(text.value);
  const why = reason === undefined ? '' : `: ${reason}`;
  return { at: text.at, message: `invalid ${call.name} argument${why}` };
}

/** The pattern of a call, where it stands in the source. */
export function literalPattern(call: Call): string | undefined {
  if (!PATTERNS.has(call.name)) return undefined;
  const text = call.args[call.target === undefined ? 1 : 0];
  return text?.kind === 'literal' && typeof text.value === 'string' ? text.value : undefined;
}

const PATTERNS = new Set(['find', 'findAll', 'matches']);
