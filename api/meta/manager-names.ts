// Names of field managers: how long, and of which characters. One rule for the fieldManager parameter and for managedFields.
import { gather } from '../../base/gather.ts';
import { type FieldError, invalidValue, tooLong } from '../field-error.ts';
import type { ManagedFieldsEntry } from './object.ts';

/** Length of a manager's name, in bytes. */
export const MAX_MANAGER_BYTES = 128;
/** Length of a subresource's name in managedFields, in bytes. */
export const MAX_SUBRESOURCE_BYTES = 256;

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Can the character be printed? */
export const isPrintable = (character: string): boolean => PRINTABLE.test(character);

/** What is wrong with a manager's name at that path. */
export function managerNameFaults(name: string, path: string): FieldError[] {
  const faults: FieldError[] = [];
  if (Buffer.byteLength(name) > MAX_MANAGER_BYTES) faults.push(tooLong(path, MAX_MANAGER_BYTES));
  let at = 0;
  for (const character of name) {
    if (!isPrintable(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      const what = `invalid character U+${code} (at position ${at})`;
      return [...faults, invalidValue(path, name, what)];
    }
    at += Buffer.byteLength(character);
  }
  return faults;
}

/** What is wrong with the names in a list of owners. */
export function managedFieldsFaults(
  entries: readonly ManagedFieldsEntry[] | undefined,
  path: string,
): FieldError[] {
  return gather(entries, ({ manager = '', subresource = '' }, i) => [
    ...(PLAIN.test(manager) ? [] : managerNameFaults(manager, `${path}[${i}].manager`)),
    ...(Buffer.byteLength(subresource) > MAX_SUBRESOURCE_BYTES
      ? [tooLong(`${path}[${i}].subresource`, MAX_SUBRESOURCE_BYTES)]
      : []),
  ]);
}

/** Nearly all names; the rule itself is slower. */
const PLAIN = /^[\w .:@-]{0,128}$/;
