// Who owns what after a write that is no apply: the writer gets what it changed, everybody loses what is changed or gone.
// Invariant: pure; a write that changes nothing leaves the entries as they were, the very same list.
import type { ResourceDefinition } from '../../api/definition.ts';
import type { Comparison } from '../../api/fieldset/compare.ts';
import { FieldSetError } from '../../api/fieldset/field-set-error.ts';
import {
  difference,
  EMPTY_SET,
  type FieldSet,
  isEmptySet,
  union,
} from '../../api/fieldset/field-set.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import type { LooseObject, ManagedFieldsEntry } from '../../api/meta/object.ts';
import type { Scheme } from '../../api/scheme.ts';
import { StatusError } from '../../api/status.ts';
import { withFewUpdaters } from './cap-updaters.ts';
import { compareObjects, viewIn, viewOf, withoutOwners, type Written } from './object-views.ts';
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

/** A change, in the form that hooks see; without `before` the object is new. */
export interface WrittenObject {
  readonly before: LooseObject | undefined;
  readonly after: LooseObject;
  /** The entries that the writer sent along. */
  readonly submitted: readonly ManagedFieldsEntry[] | undefined;
}

/** The entries after the write; none for an object whose owners were never kept, or are to be forgotten. */
export async function trackWrite(
  writer: Writer,
  { before, after, submitted }: WrittenObject,
): Promise<readonly ManagedFieldsEntry[] | undefined> {
  const kept = before?.metadata.managedFields;
  const known = knownOwners(writer, kept, submitted);
  // Owners are kept from the creation on, or from the first apply.
  if (before && known.owners.length === 0) return undefined;
  try {
    const owners = await afterChange(writer, { before, after, owners: known.owners });
    return owners === known.owners && known.asStored ? kept : entriesOf(withFewUpdaters(owners));
  } catch (error) {
    // An object that has no field set goes on without owners.
    if (error instanceof FieldSetError) return undefined;
    // Nobody can say now what the others own in their version: they keep it, as upstream.
    if (error instanceof StatusError) return kept;
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

/** The owners without what others changed or took out, and the writer with what it changed; the same list where that is nothing. */
async function afterChange(
  writer: Writer,
  change: Omit<WrittenObject, 'submitted'> & { owners: readonly Owner[] },
): Promise<readonly Owner[]> {
  const { definition, manager, subresource, now } = writer;
  const { apiVersion } = viewOf(definition);
  const versions = [apiVersion, ...change.owners.map((owner) => owner.apiVersion)];
  const compared = await comparisonsOf(writer, change, versions);
  const self: OwnerName = { manager, operation: 'Update', apiVersion, subresource };
  const { changed } = compared(apiVersion) as Comparison;
  const writes = !isEmptySet(changed);
  let same = true;
  let isKnown = false;
  const owners = change.owners.flatMap((owner) => {
    const comparison = compared(owner.apiVersion);
    const mine = writes && isSameOwner(owner, self);
    const left = comparison ? fieldsLeft(owner.fields, comparison, mine) : EMPTY_SET;
    if (!mine && left === owner.fields) return [owner];
    same = false;
    if (mine) isKnown = true;
    if (isEmptySet(left)) return [];
    return [{ ...owner, fields: left, time: mine ? now : owner.time }];
  });
  if (writes && !isKnown) return [...owners, { ...self, time: now, fields: changed }];
  return same ? change.owners : owners;
}

function fieldsLeft(fields: FieldSet, { changed, removed }: Comparison, mine: boolean): FieldSet {
  if (mine) return union(difference(fields, removed), changed);
  return difference(difference(fields, changed), removed);
}

type Objects = Pick<WrittenObject, 'after' | 'before'>;
type Compared = Comparison | undefined;

/** Comparisons in these versions, each made once; undefined for one that is not served. Throws what a conversion throws. */
export async function comparisonsOf(
  writer: Pick<Writer, 'scheme' | 'definition' | 'written'>,
  objects: Objects,
  apiVersions: readonly string[],
): Promise<(apiVersion: string) => Compared> {
  const made = new Map<string, Compared>();
  for (const apiVersion of apiVersions) {
    if (made.has(apiVersion)) continue;
    const one = comparisonIn(writer, objects, apiVersion);
    made.set(apiVersion, one instanceof Promise ? await one : one);
  }
  return (apiVersion) => made.get(apiVersion);
}

function comparisonIn(
  { scheme, definition, written }: Pick<Writer, 'scheme' | 'definition' | 'written'>,
  { before, after }: Objects,
  apiVersion: string,
): Compared | Promise<Compared> {
  const own = viewOf(definition);
  const view = own.apiVersion === apiVersion ? own : viewIn(scheme, definition, apiVersion);
  if (!view) return undefined;
  const compareShown = ([now, old]: readonly LooseObject[]) =>
    compareObjects(view, { ...(old && { before: old }), after: now as LooseObject, written });
  const both = before ? [after, before] : [after];
  if (view === own || !definition.form) return compareShown(both);
  const shown = definition.form.convert(both.map(withoutOwners), apiVersion);
  return shown instanceof Promise ? shown.then(compareShown) : compareShown(shown);
}
