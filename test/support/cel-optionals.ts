// A third CEL, asked about what the second one lacks: optionals and bindings.
// Invariant: as in cel-conformance.ts: what it sees otherwise is named with its reason, and must really differ.
import { Environment, Optional } from '@marcbachmann/cel-js';
import { doubleText } from './cel-text.ts';

const environment = new Environment({
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  unlistedVariablesAreDyn: true,
});

/** What it makes of an expression, as celText writes it, or `error`. */
export function optionalsText(source: string, x: unknown): string {
  try {
    return textOf(environment.evaluate(source, { x }) as unknown);
  } catch {
    return 'error';
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'number') return doubleText(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Optional)
    return value.hasValue() ? `some(${textOf(value.value())})` : 'none';
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return `{${entries
    .map(([key, part]) => `${textOf(key)}: ${textOf(part)}`)
    .sort()
    .join(', ')}}`;
}
