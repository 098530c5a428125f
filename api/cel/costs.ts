// What calls cost, as upstream counts: by the characters walked over, the items compared, the states of a pattern.
// Invariant: pure figures; a cost grows with every size, so that the largest sizes give the worst case.
import { type CostModel, type Range, type SizedArgument, TRAVERSAL } from './overload.ts';

/** What walking over so much costs. */
export function traversal(size: number, factor = 1): number {
  return Math.ceil(size * factor * TRAVERSAL);
}

const sizeOfArgument = (args: readonly SizedArgument[], index: number): Range =>
  args[index]?.size ?? { min: 0, max: 0 };

/** Walks over one argument, `times` over. */
export function walks(index: number, times = 1): CostModel {
  return { cost: (sizes) => traversal(sizes[index] ?? 0, times) };
}

/** As walks; what comes out is at most as large as the argument. */
export function walksAndKeeps(index: number, times = 1): CostModel {
  return { ...walks(index, times), size: (args) => sizeOfArgument(args, index) };
}

/** Joins two texts or bytes. */
export const JOINS: CostModel = {
  cost: ([left = 0, right = 0]) => traversal(left + right),
  size: ([left, right]) => sum(left?.size, right?.size),
};

/** Compares two values, as far as the shorter goes. */
export const COMPARES: CostModel = {
  cost: ([left = 0, right = 0]) => traversal(Math.min(left, right)),
  estimate: ([left, right]) => {
    const max = Math.min(left?.size.max ?? 0, right?.size.max ?? 0);
    return { min: max > 0 ? 1 : 0, max: traversal(max) };
  },
};

/** Looks for a text in a text. */
export const SEARCHES: CostModel = {
  cost: ([text = 0, part = 0]) => times(traversal(text), traversal(part)),
};

/** The unit share of one character of a pattern. */
const PATTERN = 0.25;

/** Runs a pattern over a text. */
export const MATCHES: CostModel = {
  cost: ([text = 0, pattern = 0]) => times(traversal(text + 1), Math.ceil(pattern * PATTERN)),
};

/** Looks at every item of a list, and at every character of an item that is a text. */
export const LOOKS_AT_ALL: CostModel = {
  cost: ([list = 0]) => list,
  estimate: ([list]) => {
    const { min, max } = list?.size ?? { min: 0, max: 0 };
    return { min, max: times(max, 1 + traversal(list?.items?.max ?? 0)) };
  },
};

/** The sum of two ranges. */
export function sum(a: Range = ZERO, b: Range = ZERO): Range {
  return { min: a.min + b.min, max: a.max + b.max };
}

/** The product of two ranges. */
export function product(a: Range = ZERO, b: Range = ZERO): Range {
  return { min: times(a.min, b.min), max: times(a.max, b.max) };
}

/** Nothing times something unbounded is nothing. */
export function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

/** What covers both. */
export function union(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

/** Nothing. */
export const ZERO: Range = { min: 0, max: 0 };

/** Exactly so much. */
export function exactly(size: number): Range {
  return { min: size, max: size };
}
