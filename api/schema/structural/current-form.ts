// Stored custom resources as their schema is now: it may have got defaults, or lost fields, since they were written.
// Invariant: pure; metadata, which is that of every object and was checked when it was written, is left alone.
import type { LooseObject } from '../../meta/object.ts';
import { fillDefaults } from './defaults.ts';
import { prunedStored } from './prune.ts';
import type { Structural } from './structural.ts';

/** The object without what the schema does not know; shares its metadata. */
export function withoutUnknown(
  { metadata, ...rest }: LooseObject,
  schema: Structural,
): LooseObject {
  return { ...prunedStored(rest, schema), metadata } as LooseObject;
}

/** The object without what the schema does not know and with its defaults; the same one where it is so already. */
export function currentForm(object: LooseObject, schema: Structural): LooseObject {
  const { metadata, ...before } = object;
  const after = prunedStored(before, schema);
  fillDefaults(after, schema);
  // Texts, as a null that goes counts, and fields that stay keep their order.
  return JSON.stringify(after) === JSON.stringify(before)
    ? object
    : ({ ...after, metadata } as LooseObject);
}
