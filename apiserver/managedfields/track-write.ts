// Who owns what after a write that is no apply: the writer gets what it changed, everybody loses what is changed or gone.
// Invariant: pure; a write that changes nothing leaves the entries as they were, the very same list.
import type { ResourceDefinition } from '../../api/definition.ts';
import type { Comparison } from '../../api/fieldset/compare.ts';
import { FieldSetError } from '../../api/fieldset/field-set-error.ts';
import { difference, isEmptySet, union } from '../../api/fieldset/field-set.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import type { LooseObject, ManagedFieldsEntry } from '../../api/meta/object.ts';
import type { Scheme } from '../../api/scheme.ts';
import { withFewUpdaters } from './cap-updaters.ts';
import { compareObjects, viewIn, viewOf, type Written } from './object-views.ts';
import {
  entriesOf,
  isReset,
  isSameOwner,
  type Owner,
  type OwnerName,
  storedOwners,
  submittedOwners,
} from './owners.ts';

/** Who writes, what and when. */
export interface Writer {
  readonly scheme: Scheme;
  readonly definition: ResourceDefinition;
  readonly manager: string;
  readonly subresource: string;
  readonly written: Written;
  /** The time of the write, as entries have it. */
  readonly now: string;
}

/** A change in the stored form; without `before` the object is new. */
export interface WrittenObject {
  readonly before: LooseObject | undefined;
  readonly after: LooseObject;
  /** The entries that the writer sent along. */
  readonly submitted: readonly ManagedFieldsEntry[] | undefined;
}

/** The entries after the write; none for an object whose owners were never kept, or are to be forgotten. */
export function trackWrite(
  writer: Writer,
  { before, after, submitted }: WrittenObject,
): readonly ManagedFieldsEntry[] | undefined {
  const kept = before?.metadata.managedFields;
  const known = knownOwners(writer, kept, submitted);
  // Owners are kept from the creation on, or from the first apply.
  if (before && known.owners.length === 0) return undefined;
  try {
    const { owners, self } = afterChange(writer, { before, after, owners: known.owners });
    if (owners === known.owners && !self && known.asStored) return kept;
    return entriesOf(withFewUpdaters(self ? withSelf(writer, owners, self) : owners));
  } catch (error) {
    // An object that has no field set goes on without owners.
    if (error instanceof FieldSetError) return undefined;
    throw error;
  }
}

/** The owners that a write starts from: those it sent along, where they are any, else those that are stored. */
function knownOwners(
  { subresource }: Writer,
  kept: readonly ManagedFieldsEntry[] | undefined,
  submitted: readonly ManagedFieldsEntry[] | undefined,
): { owners: readonly Owner[]; asStored: boolean } {
  const stored = { owners: storedOwners(kept), asStored: true };
  if (subresource !== '' || submitted === undefined || submitted === kept) return stored;
  if (isReset(submitted)) return { owners: [], asStored: false };
  if (deepEqual(submitted, kept)) return stored;
  const owners = submittedOwners(submitted);
  return owners === undefined || owners.length === 0 ? stored : { owners, asStored: false };
}

/** The owners without what changed or is gone, the same list where nobody lost anything; and what is the writer's. */
function afterChange(
  writer: Writer,
  change: Omit<WrittenObject, 'submitted'> & { owners: readonly Owner[] },
): { owners: readonly Owner[]; self: Comparison['changed'] | undefined } {
  const compared = comparisonsOf(writer, change);
  const { owners } = change;
  const next = owners.flatMap((owner) => {
    const comparison = compared(owner.apiVersion);
    if (!comparison) return [];
    const left = difference(difference(owner.fields, comparison.changed), comparison.removed);
    if (left === owner.fields) return [owner];
    return isEmptySet(left) ? [] : [{ ...owner, fields: left }];
  });
  const same = next.length === owners.length && next.every((owner, i) => owner === owners[i]);
  const { changed } = compared(viewOf(writer.definition).apiVersion) as Comparison;
  return { owners: same ? owners : next, self: isEmptySet(changed) ? undefined : changed };
}

/** Compares in the version that is asked for, once for each; undefined for one that is not served. */
export function comparisonsOf(
  { scheme, definition, written }: Pick<Writer, 'scheme' | 'definition' | 'written'>,
  { before, after }: { before: LooseObject | undefined; after: LooseObject },
): (apiVersion: string) => Comparison | undefined {
  const made = new Map<string, Comparison | undefined>();
  return (apiVersion) => {
    if (!made.has(apiVersion)) {
      const own = viewOf(definition);
      const view = own.apiVersion === apiVersion ? own : viewIn(scheme, definition, apiVersion);
      made.set(
        apiVersion,
        view && compareObjects(view, { ...(before && { before }), after, written }),
      );
    }
    return made.get(apiVersion);
  };
}

function withSelf(
  { definition, manager, subresource, now }: Writer,
  owners: readonly Owner[],
  changed: Comparison['changed'],
): Owner[] {
  const { apiVersion } = viewOf(definition);
  const name: OwnerName = { manager, operation: 'Update', apiVersion, subresource };
  const before = owners.find((owner) => isSameOwner(owner, name));
  const fields = before ? union(before.fields, changed) : changed;
  return [...owners.filter((owner) => owner !== before), { ...name, time: now, fields }];
}
