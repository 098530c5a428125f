// How bodies of a kind become objects, and how its writes are owned: by its generated schema, or by the custom resource's own.
// Invariant: pure; the one place that tells the two apart.
import type { CustomType } from './definition.ts';
import { type MergeType, mergeTypeOf } from './fieldset/merge-type.ts';
import { type Decoded, decodeObject } from './schema/decode.ts';
import type { GroupVersionKind } from './schema/schema.ts';

/** What tells how a body is to be read: a definition, or what is no kind of its own, such as a Scale. */
export interface KindOfBody {
  readonly ref: GroupVersionKind;
  readonly schemaName: string;
  readonly custom?: CustomType;
}

/** Decodes a body of the kind, in the definition's version; one that is given away may become the object. Throws BadRequest. */
export function decodeAsKind(definition: KindOfBody, value: unknown, given = false): Decoded {
  const { custom, schemaName, ref: gvk } = definition;
  return custom ? custom.decode(value, gvk) : decodeObject(schemaName, value, { gvk, given });
}

/** What the kind's objects are to server-side apply. */
export function mergeTypeOfKind({ custom, schemaName }: KindOfBody): MergeType {
  return custom?.mergeType ?? mergeTypeOf(schemaName);
}
