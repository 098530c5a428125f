// The gap of fixed width that an object's JSON keeps for its resourceVersion, so that a store can write the
// revision into ready bytes. The gap holds the whole member value: the digits in quotes, then JSON white space;
// so its width never shows in the meaning of the JSON and the digits have no padding.
import type { FieldSet } from '../../api/fieldset/field-set.ts';
import { fieldSetJson } from '../../api/fieldset/known-nodes.ts';
import type { LooseObject, ManagedFieldsEntry } from '../../api/meta/object.ts';
import { invariant } from '../../base/invariant.ts';
import type { NewValue, Stored } from './storage.ts';
import { keptBytes } from './value-slab.ts';

/** Bytes reserved for a revision: two quotes and up to sixteen digits. */
export const REVISION_WIDTH = 18;

const QUOTE = 0x22;
const SPACE = 0x20;
const MAX_REVISION = 10n ** BigInt(REVISION_WIDTH - 2) - 1n;
/** As JSON this is as wide as the gap. */
const PLACEHOLDER = '0'.repeat(REVISION_WIDTH - 2);
/** A quote within a text is escaped: this stands nowhere before. */
const BEFORE_PLACEHOLDER = '"metadata":{"resourceVersion":';
const EMPTY_GAP = Buffer.from(`""${' '.repeat(REVISION_WIDTH - 2)}`);

/** Writes `revision` into the gap at `at`, in place. */
export function fillRevision(bytes: Uint8Array, at: number, revision: bigint): void {
  invariant(revision >= 0n && revision <= MAX_REVISION, 'a revision fits its gap');
  invariant(at >= 0 && at + REVISION_WIDTH <= bytes.length, 'the revision gap lies in the value');
  const digits = String(revision);
  let position = at;
  bytes[position++] = QUOTE;
  for (let i = 0; i < digits.length; i++) bytes[position++] = digits.charCodeAt(i);
  bytes[position++] = QUOTE;
  while (position < at + REVISION_WIDTH) bytes[position++] = SPACE;
}

/** The revision inside the gap at `at`; 0 when the gap is empty. */
export function readRevision(bytes: Uint8Array, at: number): bigint {
  let digits = '';
  for (let i = at + 1; bytes[i] !== QUOTE && i < at + REVISION_WIDTH; i++)
    digits += String.fromCharCode(bytes[i] ?? QUOTE);
  return BigInt(digits);
}

/** A copy of `stored`'s bytes with another revision inside. */
export function withRevision(stored: Stored, revision: bigint): Uint8Array {
  const copy = Buffer.from(stored.bytes);
  fillRevision(copy, stored.revisionAt, revision);
  return copy;
}

/** The JSON of an object with an empty gap as `metadata.resourceVersion`; the object's own resourceVersion is left out. */
export function encodeObject(object: LooseObject): NewValue {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _replaced, managedFields, ...meta } = metadata;
  const head = JSON.stringify({
    kind,
    apiVersion,
    metadata: { resourceVersion: PLACEHOLDER, ...meta },
  });
  const owners = managedFields ? `,"managedFields":[${managedFields.map(entryJson).join()}]` : '';
  const tail = JSON.stringify(rest);
  const more = tail === '{}' ? '}' : `,${tail.slice(1)}`;
  const bytes = keptBytes(`${head.slice(0, -'}}'.length)}${owners}}${more}`);
  const before = head.indexOf(BEFORE_PLACEHOLDER) + BEFORE_PLACEHOLDER.length;
  const revisionAt = Buffer.byteLength(head.slice(0, before));
  bytes.set(EMPTY_GAP, revisionAt);
  return { bytes, revisionAt };
}

/** Field sets are half of most objects, and the same for all objects of a shape. */
function entryJson(entry: ManagedFieldsEntry): string {
  const { fieldsV1, ...rest } = entry;
  if (typeof fieldsV1 !== 'object' || fieldsV1 === null) return JSON.stringify(entry);
  const text = JSON.stringify(rest);
  const before = text === '{}' ? '{' : `${text.slice(0, -1)},`;
  return `${before}"fieldsV1":${fieldSetJson(fieldsV1 as FieldSet)}}`;
}
