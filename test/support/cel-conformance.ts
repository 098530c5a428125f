// Tables of expressions with their values, each held to by this house and by a second implementation.
// Invariant: what the second one sees otherwise is named with its reason, and must really differ, so that no reason outlives it.
import { isCelError, isCelList, isCelMap, isCelType, isCelUint, run } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { isReflectMessage } from '@bufbuild/protobuf/reflect';
import { describe, expect, it } from 'vitest';
import { DYN } from '../../api/cel/cel-type.ts';
import { compile, evaluate } from '../../api/cel/compile.ts';
import { estimate } from '../../api/cel/estimate.ts';
import { celValue } from '../../api/cel/json-values.ts';
import { costBudget } from '../../api/cel/meter.ts';
import { Duration, Timestamp } from '../../api/cel/values.ts';
import { optionalsText } from './cel-optionals.ts';
import { celText, doubleText } from './cel-text.ts';

/** An expression, what it comes to as celText writes it (or `error: …`, or `fault: …` of compiling), and why the other differs. */
export type Case = readonly [source: string, expected: string, differs?: string];

/** What `x` is in all expressions. */
const X = {
  a: { b: { c: 'deep' } },
  list: [3, 1, 2],
  text: 'héllo wörld',
  nothing: null,
  flag: true,
  float: 1.5,
  keys: { one: 1, two: 2 },
};

/** Both implementations are asked. */
export function conforms(section: string, cases: readonly Case[]): void {
  describe(section, () => {
    for (const [source, expected, differs] of cases)
      it(source, () => {
        expect(ours(source)).toBe(expected);
        // The other has no checker of its own.
        if (expected.startsWith('fault')) return;
        const other = theirs(source);
        const same = expected.startsWith('error') ? 'error' : expected;
        if (differs === undefined) expect(other).toBe(same);
        else expect(other, `no longer differs: ${differs}`).not.toBe(same);
      });
  });
}

/** The second implementation has none of this; a third is asked. */
export function conformsOptionally(section: string, cases: readonly Case[]): void {
  describe(section, () => {
    for (const [source, expected, differs] of cases)
      it(source, () => {
        expect(ours(source)).toBe(expected);
        const other = optionalsText(source, input(X, Object.fromEntries));
        const same = /^(error|fault)/.test(expected) ? 'error' : expected;
        if (differs === undefined) expect(other).toBe(same);
        else expect(other, `no longer differs: ${differs}`).not.toBe(same);
      });
  });
}

/** The other implementation has none of these functions: `why`. */
export function conformsAlone(section: string, why: string, cases: readonly Case[]): void {
  describe(`${section} (${why})`, () => {
    for (const [source, expected] of cases)
      it(source, () => {
        expect(ours(source)).toBe(expected);
      });
  });
}

function ours(source: string): string {
  const compiled = compile(source, { variables: { x: DYN } });
  if (compiled.kind === 'faulty') return `fault: ${firstFault(compiled.message)}`;
  const outcome = evaluate(compiled.program, { x: celValue(X) }, costBudget());
  const { max } = estimate(compiled.program);
  expect(outcome.cost, 'costs more than estimated').toBeLessThanOrEqual(max);
  if (outcome.kind === 'value') return celText(outcome.value);
  return outcome.kind === 'error' ? `error: ${outcome.message}` : outcome.kind;
}

/** Without its place. */
function firstFault(message: string): string {
  return message.split('\n')[0]?.replace(/^ERROR: <input>:\d+:\d+: /, '') ?? '';
}

function theirs(source: string): string {
  try {
    const result = run(
      source,
      { x: input(X, (entries) => new Map(entries)) as never },
      { funcs: strings },
    );
    return isCelError(result) ? 'error' : theirText(result);
  } catch {
    return 'error';
  }
}

type Entries = readonly (readonly [string, unknown])[];

/** Whole numbers are bigints to them. */
function input(value: unknown, map: (entries: Entries) => unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item) => input(item, map));
  if (typeof value !== 'object' || value === null) return value;
  return map(Object.entries(value).map(([key, part]) => [key, input(part, map)] as const));
}

function theirText(value: unknown): string {
  if (typeof value === 'number') return doubleText(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (isCelList(value)) return `[${[...value].map(theirText).join(', ')}]`;
  if (isCelMap(value)) {
    const entries = [...value].map(([key, part]) => `${theirText(key)}: ${theirText(part)}`);
    return `{${entries.sort().join(', ')}}`;
  }
  return theirLeaf(value);
}

interface Span {
  readonly seconds: bigint;
  readonly nanos: number;
}

function theirLeaf(value: object): string {
  if (isCelUint(value)) return `${value.value}u`;
  if (value instanceof Uint8Array) return `b"${Buffer.from(value).toString('hex')}"`;
  if (isCelType(value)) return `type(${value.name})`;
  if (!isReflectMessage(value)) return 'unknown';
  const { seconds, nanos } = value.message as unknown as Span;
  const all = seconds * 1_000_000_000n + BigInt(nanos);
  const isTime = value.desc.typeName.endsWith('Timestamp');
  return celText(isTime ? new Timestamp(all) : new Duration(all));
}
