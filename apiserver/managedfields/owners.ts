// Owners of fields: the entries of metadata.managedFields as values, and back.
// Invariant: entries come in upstream's order (operation, time, manager, version, subresource); no owner owns nothing.
import { FieldSetError } from '../../api/fieldset/field-set-error.ts';
import { type FieldSet, isEmptySet } from '../../api/fieldset/field-set.ts';
import { parseFieldSet } from '../../api/fieldset/parse-field-set.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import type { ManagedFieldsEntry } from '../../api/meta/object.ts';

/** Who owns fields: a manager, by a sort of write, in a version, through a subresource ('' for the object itself). */
export interface OwnerName {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
}

/** An owner, and what it owns. */
export interface Owner extends OwnerName {
  /** The last write that changed what it owns; an apply that changed nothing has none. */
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** Are both one owner? An applier is one whatever version it applies in. */
export function isSameOwner(a: OwnerName, b: OwnerName): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === 'Apply' || a.apiVersion === b.apiVersion)
  );
}

/** The owners that this server wrote down. */
export function storedOwners(entries: readonly ManagedFieldsEntry[] = []): Owner[] {
  return entries.map(ownerOf);
}

function ownerOf(entry: ManagedFieldsEntry): Owner {
  const { manager = '', operation = 'Update', apiVersion = '', subresource = '', time } = entry;
  const fields = (entry.fieldsV1 ?? {}) as FieldSet;
  return { manager, operation, apiVersion, subresource, time, fields };
}

/** The owners that a client wrote down; undefined where an entry is none. */
export function submittedOwners(entries: readonly ManagedFieldsEntry[]): Owner[] | undefined {
  const owners: Owner[] = [];
  for (const entry of entries) {
    const { operation, apiVersion, fieldsType, fieldsV1 = {} } = entry;
    if (operation !== 'Apply' && operation !== 'Update') return undefined;
    if (!apiVersion || fieldsType !== 'FieldsV1') return undefined;
    try {
      const owner = { ...ownerOf(entry), fields: parseFieldSet(fieldsV1) };
      const twice = owners.findIndex((other) => isSameOwner(other, owner));
      if (twice < 0) owners.push(owner);
      else owners[twice] = owner;
    } catch (error) {
      if (error instanceof FieldSetError) return undefined;
      throw error;
    }
  }
  return owners;
}

/** Does a writer ask to forget all owners: by an empty list, or one empty entry? */
export function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (entries === undefined || entries.length === 0) return entries !== undefined;
  return entries.length === 1 && deepEqual(entries[0], {});
}

/** The owners as entries; undefined when there is none. */
export function entriesOf(owners: readonly Owner[]): ManagedFieldsEntry[] | undefined {
  const entries = owners
    .filter(({ fields }) => !isEmptySet(fields))
    .sort(inOrder)
    .map(entryOf);
  return entries.length === 0 ? undefined : entries;
}

function entryOf({ manager, operation, apiVersion, subresource, time, fields }: Owner) {
  const entry: ManagedFieldsEntry = { manager, operation, apiVersion };
  if (time !== undefined) entry.time = time;
  entry.fieldsType = 'FieldsV1';
  entry.fieldsV1 = fields;
  if (subresource !== '') entry.subresource = subresource;
  return entry;
}

function inOrder(a: Owner, b: Owner): number {
  return (
    order(a.operation, b.operation) ||
    order(a.time ?? '', b.time ?? '') ||
    order(a.manager, b.manager) ||
    order(a.apiVersion, b.apiVersion) ||
    order(a.subresource, b.subresource)
  );
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Do both lists say the same, whenever it was? */
export function sameEntries(
  a: readonly ManagedFieldsEntry[] = [],
  b: readonly ManagedFieldsEntry[] = [],
): boolean {
  if (a === b) return true;
  const timeless = (entry: ManagedFieldsEntry) => ({ ...entry, time: undefined });
  return deepEqual(a.map(timeless), b.map(timeless));
}
