// Whole objects within custom resources (`x-kubernetes-embedded-resource`): each says what it is, and has metadata as any.
// Pure; wordings are those API users know.
import type { FieldError } from '../field-error.ts';
import { invalidValue, required } from '../field-error.ts';
import { dns1035Label, pathSegmentName } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateMetaOnCreate } from '../meta/validate-meta.ts';
import { type Path, textOf } from '../schema/structural/place.ts';
import type { Structural } from '../schema/structural/structural.ts';

/** Errors of all embedded objects of a value. */
export function embeddedErrors(value: unknown, schema: Structural, at?: Path): FieldError[] {
  if (!schema.hasEmbedded || typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return [];
    return value.flatMap((item, key) => embeddedErrors(item, items, { parent: at, key }));
  }
  const own = schema.embedded ? wholeObjectErrors(value as Fields, at) : [];
  const { properties, additional } = schema;
  const below = Object.entries(value).flatMap(([key, part]) => {
    const of = properties.get(key) ?? (additional === 'any' ? undefined : additional);
    return of ? embeddedErrors(part, of, { parent: at, key }) : [];
  });
  return [...own, ...below];
}

type Fields = Readonly<Record<string, unknown>>;

function wholeObjectErrors({ apiVersion, kind, metadata }: Fields, at: Path | undefined) {
  const place = (key: string) => textOf({ parent: at, key });
  return [
    ...nameErrors(apiVersion, place('apiVersion'), wrongApiVersion),
    ...nameErrors(kind, place('kind'), wrongKind),
    ...metadataErrors(metadata, place('metadata')),
  ];
}

function nameErrors(value: unknown, field: string, rule: (value: string) => string | undefined) {
  if (value === undefined) return [required(field)];
  if (typeof value !== 'string') return [invalidValue(field, value, 'must be a string')];
  const why = value === '' ? 'must not be empty' : rule(value);
  return why === undefined ? [] : [invalidValue(field, value, why)];
}

function wrongApiVersion(value: string): string | undefined {
  return value.split('/').length > 2 ? `unexpected GroupVersion string: ${value}` : undefined;
}

function wrongKind(value: string): string | undefined {
  const why = dns1035Label(value.toLowerCase());
  return why && `may have mixed case, but should otherwise match: ${why}`;
}

/** Whoever makes an object of it may still name it. */
const UNNAMED = 'unnamed';

function metadataErrors(value: unknown, field: string): FieldError[] {
  if (value === undefined) return [];
  // Decoded as all metadata is, so its types are well.
  const metadata = value as ObjectMeta;
  const rules = { namespaced: Boolean(metadata.namespace), validateName: pathSegmentName };
  const named = { ...metadata, name: metadata.name || UNNAMED };
  return validateMetaOnCreate(named, rules).map((error) => ({
    ...error,
    field: error.field.replace(/^metadata/, field),
  }));
}
