// Field sets that clients send (they may write managedFields themselves) brought into their one form.
// Invariant: what comes out is canonical and within the limits; sorts of elements that are not known are dropped.
import { badFieldSet } from './field-set-error.ts';
import { EMPTY_SET, type FieldSet, Gathered, SELF } from './field-set.ts';
import { canonicalElement } from './path-element.ts';

/** Nesting beyond this is refused; it is that of objects. */
export const MAX_FIELD_SET_DEPTH = 500;
/** Path elements in one set beyond this are refused: a body of 3 MiB has no more fields than that to own. */
export const MAX_FIELD_SET_ELEMENTS = 250_000;

/** The set that the value stands for. Throws FieldSetError. */
export function parseFieldSet(value: unknown): FieldSet {
  return parsedNode(value, { left: MAX_FIELD_SET_ELEMENTS }, 0) ?? EMPTY_SET;
}

function parsedNode(value: unknown, budget: { left: number }, depth: number): FieldSet | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badFieldSet('a field set consists of objects');
  if (depth > MAX_FIELD_SET_DEPTH)
    throw badFieldSet(`a field set is nested deeper than ${MAX_FIELD_SET_DEPTH} levels`);
  const nodes = new Map<string, FieldSet>();
  const entries = Object.entries(value);
  budget.left -= entries.length;
  if (budget.left < 0)
    throw badFieldSet(`a field set has more than ${MAX_FIELD_SET_ELEMENTS} elements`);
  for (const [key, below] of entries) {
    const element = key === SELF ? undefined : canonicalElement(key);
    const node = element === undefined ? undefined : parsedNode(below, budget, depth + 1);
    if (element === undefined || node === undefined) continue;
    nodes.set(element, node);
  }
  const gathered = new Gathered();
  for (const [element, node] of nodes) gathered.add(element, node);
  return gathered.node(depth > 0 && (entries.length === 0 || SELF in value));
}
