// Functions: their signatures, what they do and what they cost.
// Invariant: an overload is run only with values that its parameters take; it is pure but for the meter.
import { table } from '../../base/table.ts';
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  opaque,
  STRING,
  TIMESTAMP,
  TYPE,
  UINT,
} from './cel-type.ts';
import type { Meter } from './meter.ts';
import type { CelValue } from './values.ts';

/** The least and the most that something can be. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** An argument as an estimate sees it. */
export interface SizedArgument {
  readonly size: Range;
  /** Of a list: the size of its items. */
  readonly items: Range | undefined;
}

/** What a call costs. Of all but plain sums, both must grow with every size. */
export interface CostModel {
  /** From the sizes of the arguments, receiver first. */
  readonly cost: (sizes: readonly number[]) => number;
  /** The size of what comes out, if it is a text, bytes, a list or a map. */
  readonly size?: (args: readonly SizedArgument[]) => Range;
  /** Where the size of a list's items counts too. */
  readonly estimate?: (args: readonly SizedArgument[]) => Range;
  /** Where this house does more than upstream counts: work that is counted beside the cost. */
  readonly work?: (args: readonly CelValue[]) => number;
}

/** One way in which a function can be called. */
export interface Overload {
  readonly name: string;
  readonly method: boolean;
  /** A method's receiver is the first. */
  readonly params: readonly CelType[];
  readonly result: CelType;
  readonly run: (args: readonly CelValue[], meter: Meter) => CelValue;
  readonly costs: CostModel;
}

/** Functions by name. */
export type Library = readonly Overload[];

/** A call of one unit. */
export const NOMINAL: CostModel = { cost: () => 1 };

/** The unit share of walking over one character or item. */
export const TRAVERSAL = 0.1;

type Run = Overload['run'];

/** A function: `overload('size(string): int', run)`. */
export function overload(signature: string, run: Run, costs: CostModel = NOMINAL): Overload {
  return { ...read(signature), method: false, run, costs };
}

/** A method; the receiver's type stands first: `method('size(string): int', run)`. */
export function method(signature: string, run: Run, costs: CostModel = NOMINAL): Overload {
  return { ...read(signature), method: true, run, costs };
}

function read(signature: string): Pick<Overload, 'name' | 'params' | 'result'> {
  const open = signature.indexOf('(');
  const close = signature.lastIndexOf('):');
  const list = signature.slice(open + 1, close);
  return {
    name: signature.slice(0, open),
    params: splitTypes(list).map(readType),
    result: readType(signature.slice(close + 2)),
  };
}

function splitTypes(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= list.length; i += 1) {
    const sign = list[i];
    if (sign === '(') depth += 1;
    else if (sign === ')') depth -= 1;
    else if ((sign === ',' && depth === 0) || sign === undefined) {
      parts.push(list.slice(start, i).trim());
      start = i + 1;
    }
  }
  return parts.filter((part) => part !== '');
}

const BY_NAME: Readonly<Record<string, CelType>> = table({
  bool: BOOL,
  bytes: BYTES,
  double: DOUBLE,
  duration: DURATION,
  dyn: DYN,
  int: INT,
  null: NULL,
  string: STRING,
  timestamp: TIMESTAMP,
  type: TYPE,
  uint: UINT,
});

/** The type of a text such as `map(string, list(A))`; single capital letters stand for any one type. */
export function readType(written: string): CelType {
  const text = written.trim();
  const known = BY_NAME[text];
  if (known !== undefined) return known;
  if (/^[A-Z]$/.test(text)) return { kind: 'param', name: text };
  const open = text.indexOf('(');
  if (open < 0) return opaque(text);
  const args = splitTypes(text.slice(open + 1, -1)).map(readType);
  const [first = DYN, second = DYN] = args;
  if (text.startsWith('list(')) return listOf(first);
  return text.startsWith('map(') ? mapOf(first, second) : opaque(text.slice(0, open), ...args);
}
