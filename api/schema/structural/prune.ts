// Decodes custom resources: what the schema does not know is left out, and nulls that it neither allows nor replaces by a
// default; all else is copied as it is.
// Invariant: the input is never changed nor shared; metadata is decoded as that of every object; the depth is bounded.
import { DecodeError } from '../decode-place.ts';
import { type Decoded, decodeMetadata, MAX_DEPTH, MAX_UNKNOWN_FIELDS, setOwn } from '../decode.ts';
import type { LooseObject } from '../../meta/object.ts';
import { type Path, textOf } from './place.ts';
import type { Structural } from './structural.ts';

/** Fields that every object has beside those of its schema. */
const TYPE_FIELDS = ['apiVersion', 'kind'] as const;

/** The object without unknown fields, and which they were. Throws DecodeError for what is too deep or has bad metadata. */
export function pruned(value: Readonly<Record<string, unknown>>, schema: Structural): Decoded {
  const pruner = new Pruner();
  const object = pruner.object(value, schema, undefined);
  return { object: object as LooseObject, unknownFields: pruner.unknownFields };
}

/** As pruned, of what is stored: embedded metadata that is none goes too, as the schema may have come later. */
export function prunedStored(
  value: Readonly<Record<string, unknown>>,
  schema: Structural,
): Record<string, unknown> {
  return new Pruner({ dropInvalid: true }).object(value, schema, undefined);
}

/** A part of an object without what its schema does not know. */
export function prunedPart(value: unknown, schema: Structural): unknown {
  return new Pruner().value(value, schema, { parent: undefined, key: '' });
}

class Pruner {
  readonly unknownFields: string[] = [];
  readonly #dropInvalid: boolean;
  #depth = 0;

  constructor({ dropInvalid = false } = {}) {
    this.#dropInvalid = dropInvalid;
  }

  object(
    value: Readonly<Record<string, unknown>>,
    schema: Structural,
    at: Path | undefined,
  ): Record<string, unknown> {
    const whole = at === undefined || schema.embedded;
    const kept: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      const part = value[key];
      if (part === undefined) continue;
      const here = { parent: at, key };
      if (whole && (TYPE_FIELDS as readonly string[]).includes(key)) kept[key] = part;
      else if (whole && key === 'metadata') kept[key] = this.#metadata(part, here);
      else this.#field(kept, { key, part, schema, here });
    }
    return kept;
  }

  #field(
    kept: Record<string, unknown>,
    { key, part, schema, here }: { key: string; part: unknown; schema: Structural; here: Path },
  ): void {
    const known = schema.properties.get(key) ?? schema.additional;
    if (known !== undefined && known !== 'any' && part === null && isUnset(known)) return;
    if (known !== undefined && known !== 'any') setOwn(kept, key, this.value(part, known, here));
    else if (known === 'any' || schema.preserveUnknownFields)
      setOwn(kept, key, this.value(part, undefined, here));
    else if (this.unknownFields.length < MAX_UNKNOWN_FIELDS) this.unknownFields.push(textOf(here));
  }

  #metadata(value: unknown, at: Path): unknown {
    const { metadata, unknownFields } = this.#decoded(value);
    const before = at.parent === undefined ? '' : `${textOf(at.parent)}.`;
    this.unknownFields.push(...unknownFields.map((field) => `${before}${field}`));
    return metadata;
  }

  #decoded(value: unknown): ReturnType<typeof decodeMetadata> {
    try {
      return decodeMetadata(value);
    } catch (error) {
      if (!this.#dropInvalid || !(error instanceof DecodeError)) throw error;
      return { metadata: {}, unknownFields: [] };
    }
  }

  /** Without a schema all is kept. */
  value(value: unknown, schema: Structural | undefined, at: Path): unknown {
    if (typeof value !== 'object' || value === null) return value;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new DecodeError('json: exceeded max depth');
    const copy = Array.isArray(value)
      ? value.map((item: unknown, key) => this.value(item, schema?.items, { parent: at, key }))
      : this.object(value as Record<string, unknown>, schema ?? ANYTHING, at);
    this.#depth -= 1;
    return copy;
  }
}

/** Does null mean that the field is not there? Where there is a default, that takes its place. */
const isUnset = (schema: Structural): boolean => !schema.nullable && schema.default === undefined;

/** Keeps everything: below fields of which nothing is said. Its other rules are never asked. */
const ANYTHING = {
  preserveUnknownFields: true,
  embedded: false,
  properties: new Map(),
  additional: undefined,
  items: undefined,
} as unknown as Structural;
