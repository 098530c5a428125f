// Path elements as texts: how FieldsV1 writes them, and how messages show them.
// Invariant: equal elements are equal texts; the keys of a list item stand in the order of their names.
import { parseExactJson } from '../../base/exact-json.ts';
import { badFieldSet } from './field-set-error.ts';

/** A field of a struct, or a key of a map. */
export const fieldElement = (name: string): string => `f:${name}`;
/** A value of a list that is a set. */
export const valueElement = (value: unknown): string => `v:${JSON.stringify(value)}`;

/** An item of a list by its keys, which come sorted by name. */
export function keyElement(keys: readonly (readonly [name: string, value: unknown])[]): string {
  let text = 'k:{';
  for (const [name, value] of keys) {
    if (text.length > 3) text += ',';
    text += `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  return `${text}}`;
}

/** The element in its one form; undefined for a sort of element that is not known. Throws FieldSetError on a broken one. */
export function canonicalElement(element: string): string | undefined {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return element;
    case 'v:':
      return valueElement(parsed(element, rest));
    case 'k:': {
      const keys = parsed(element, rest);
      if (typeof keys !== 'object' || keys === null || Array.isArray(keys))
        throw badFieldSet(`the keys of ${JSON.stringify(element)} are no object`);
      return keyElement(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    case 'i:':
      if (!/^-?\d{1,15}$/.test(rest)) throw badFieldSet(`${JSON.stringify(element)} has no index`);
      return `i:${Number(rest)}`;
    default:
      return undefined;
  }
}

function parsed(element: string, json: string): unknown {
  try {
    return parseExactJson(json);
  } catch {
    throw badFieldSet(`${JSON.stringify(element)} holds no JSON`);
  }
}

/** A path as conflicts name it: `.spec.ports[port=80,protocol="TCP"].name`. */
export function describePath(path: readonly string[]): string {
  return path.map(describeElement).join('');
}

/** One element as paths show it. */
export function describeElement(element: string): string {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return `.${rest}`;
    case 'v:':
      return `[=${rest}]`;
    case 'k:': {
      const keys = Object.entries(parseExactJson(rest) as object);
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
    }
    default:
      return `[${rest}]`;
  }
}
