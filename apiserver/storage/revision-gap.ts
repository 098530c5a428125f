// The gap of fixed width that an object's JSON keeps for its resourceVersion, so that a store can write the
// revision into ready bytes. The gap holds the whole member value: the digits in quotes, then JSON white space;
// so its width never shows in the meaning of the JSON and the digits have no padding.
import type { LooseObject } from '../../api/meta/object.ts';
import { invariant } from '../../base/invariant.ts';
import type { NewValue, Stored } from './storage.ts';

/** Bytes reserved for a revision: two quotes and up to sixteen digits. */
export const REVISION_WIDTH = 18;

const QUOTE = 0x22;
const SPACE = 0x20;
const MAX_REVISION = 10n ** BigInt(REVISION_WIDTH - 2) - 1n;
const EMPTY_GAP = `""${' '.repeat(REVISION_WIDTH - 2)}`;

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
  const { resourceVersion: _replaced, ...meta } = metadata;
  const head =
    '{' +
    (kind === undefined ? '' : `"kind":${JSON.stringify(kind)},`) +
    (apiVersion === undefined ? '' : `"apiVersion":${JSON.stringify(apiVersion)},`) +
    '"metadata":{"resourceVersion":';
  const tail = `${members(meta)}}${members(rest)}}`;
  return { bytes: Buffer.from(head + EMPTY_GAP + tail), revisionAt: Buffer.byteLength(head) };
}

/** The members of an object as JSON, each with a comma before it. */
function members(object: object): string {
  const text = JSON.stringify(object);
  return text === '{}' ? '' : `,${text.slice(1, -1)}`;
}
