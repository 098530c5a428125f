// JSON values on their way into and out of handlers: frozen on the way in, looked through on the way out.
// Invariant: no value is walked deeper than MAX_DEPTH, so that no body exhausts the stack of whoever walks it.
import { WebhookFault } from './webhook-fault.ts';

/** Levels of nesting in an object; the API server's own objects have far fewer. */
export const MAX_DEPTH = 500;

/** The value, frozen with everything in it. Throws WebhookFault (400) where it is nested too deeply. */
export function frozen<T>(value: T, depth = 0): T {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH)
    throw new WebhookFault(400, `the review is nested deeper than ${MAX_DEPTH} levels`);
  for (const part of Object.values(value)) frozen(part, depth + 1);
  return Object.freeze(value);
}

/**
 * Where, and why, a value would not survive as JSON; undefined for one that does. What is frozen (it came in as JSON) is not
 * looked into.
 */
export function notJson(value: unknown, path = '', depth = 0): string | undefined {
  if (typeof value !== 'object' || value === null) return notPlain(value, path);
  if (Object.isFrozen(value)) return undefined;
  if (depth > MAX_DEPTH) return `${at(path)} is nested deeper than ${MAX_DEPTH} levels`;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const found =
        item === undefined
          ? `${at(`${path}[${index}]`)} is undefined, which lists cannot hold: leave the item out`
          : notJson(item, `${path}[${index}]`, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const odd = notPlainObject(value, path);
  if (odd !== undefined) return odd;
  for (const [key, field] of Object.entries(value)) {
    const found = notJson(field, path === '' ? key : `${path}.${key}`, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

const at = (path: string): string => (path === '' ? 'it' : path);

function notPlain(value: unknown, path: string): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol')
    return `${at(path)} is a ${typeof value}, which JSON cannot hold`;
  if (typeof value === 'number' && !Number.isFinite(value))
    return `${at(path)} is ${value}, which JSON cannot hold: give a finite number or leave the field out`;
  return undefined;
}

function notPlainObject(value: object, path: string): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return undefined;
  if (value instanceof Date) return `${at(path)} is a Date: write it as text, by toISOString()`;
  if (value instanceof Promise) return `${at(path)} is a promise: await it`;
  const name = value.constructor?.name || 'class';
  return `${at(path)} is a ${name}, no plain object: write it as JSON has it`;
}
