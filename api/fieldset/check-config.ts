// Does an applied configuration fit its schema? Upstream takes no unknown field, no other type of value and no
// duplicate item here, whatever fieldValidation says. The messages are those that its clients see.
// Invariant: pure; walks everything, atomic parts too; names at most MAX_MISFITS faults.
import { isObject, itemElement, type ItemListType, type JsonObject } from './list-items.ts';
import { FieldSetError } from './field-set-error.ts';
import type { MergeType, ScalarKind } from './merge-type.ts';
import { describeElement } from './path-element.ts';

/** Faults beyond this are not named. */
export const MAX_MISFITS = 100;

/** What does not fit, one line each, such as `.spec.foo: field not declared in schema`. */
export function misfitsOf(type: MergeType, value: unknown): string[] {
  const found: string[] = [];
  check(type, value, { path: '', found });
  return found.slice(0, MAX_MISFITS);
}

/** The lines as one message. */
export function misfitMessage(misfits: readonly string[]): string {
  return misfits.length === 1
    ? (misfits[0] ?? '')
    : ['errors:', ...misfits.map((misfit) => `  ${misfit}`)].join('\n');
}

interface At {
  readonly path: string;
  readonly found: string[];
}

const note = ({ path, found }: At, what: string): void => {
  if (found.length < MAX_MISFITS) found.push(path === '' ? what : `${path}: ${what}`);
};

function check(type: MergeType, value: unknown, at: At): void {
  if (value === null || value === undefined) return;
  switch (type.kind) {
    case 'scalar':
      if (!fits(type.of, value)) note(at, mismatch(type.of, value));
      return;
    case 'list':
      if (Array.isArray(value)) checkList(type, value as unknown[], at);
      else note(at, `expected list, got &{${goText(value)}}`);
      return;
    case 'any':
      return;
    default:
      if (isObject(value)) checkMap(type, value, at);
      else note(at, `expected map, got &{${goText(value)}}`);
  }
}

function checkMap(
  type: Extract<MergeType, { kind: 'map' | 'struct' }>,
  value: JsonObject,
  { path, found }: At,
): void {
  for (const key of Object.keys(value)) {
    const at = { path: `${path}.${key}`, found };
    const field =
      type.kind === 'struct' ? (type.field(key) ?? type.others?.(key))?.type : type.value;
    if (field) check(field, value[key], at);
    else note(at, 'field not declared in schema');
  }
}

function checkList(type: ItemListType, list: readonly unknown[], at: At): void {
  const seen = new Set<string>();
  for (const [i, item] of list.entries()) {
    const element = type.how === 'atomic' ? `i:${i}` : elementOrMisfit(type, { item, i }, at);
    if (element === undefined) continue;
    if (seen.has(element)) note(at, `duplicate entries for key ${describeElement(element)}`);
    seen.add(element);
    check(type.item, item, { path: at.path + describeElement(element), found: at.found });
  }
}

function elementOrMisfit(
  type: ItemListType,
  { item, i }: { item: unknown; i: number },
  at: At,
): string | undefined {
  try {
    return itemElement(type, item);
  } catch (error) {
    if (!(error instanceof FieldSetError)) throw error;
    note(at, `element ${i}: ${error.message}`);
    return undefined;
  }
}

function fits(kind: ScalarKind, value: unknown): boolean {
  if (kind === 'number' && typeof value === 'bigint') return true;
  return kind === 'any' ? typeof value !== 'object' : typeof value === kind;
}

function mismatch(kind: ScalarKind, value: unknown): string {
  switch (kind) {
    case 'number':
      return `expected numeric (int or float), got ${goType(value)}`;
    case 'string':
      return `expected string, got &value.valueUnstructured{Value:${goText(value, 'quoted')}}`;
    case 'boolean':
      return `expected boolean, got &{${goText(value)}}`;
    case 'any':
      return `expected any scalar, got &{${goText(value)}}`;
  }
}

function goType(value: unknown): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

/** A value as upstream's messages print it; long ones are cut. */
function goText(value: unknown, form: 'plain' | 'quoted' = 'plain'): string {
  const plain = typeof value === 'string' && form === 'plain';
  return (plain ? value : (JSON.stringify(value) ?? '')).slice(0, 200);
}
