// Parts of definitions that JSON has in several forms: a schema or a boolean, a schema or several. On the wire each is a
// message with a field for each form. Numbers were seen in bytes of a real client, as those of ./protobuf-fields.ts.
// Invariant: a field that is not known here is refused by the caller's `unknown`, never dropped.
import { table } from '../../base/table.ts';
import { readFields, type WireField } from './protobuf-reader.ts';

/** How the parts of such a message are read. */
export interface FormParts {
  /** A schema within. */
  schema(field: WireField): unknown;
  flag(field: WireField): boolean;
  text(field: WireField): string;
  /** Throws. */
  unknown(field: WireField): never;
}

/** Reads a message; undefined where nothing is set in it. */
export type FormReader = (bytes: Uint8Array, parts: FormParts) => unknown;

/** {allows, schema} */
const schemaOrBool: FormReader = (bytes, parts) => {
  let allows = false;
  let schema: unknown;
  for (const field of readFields(bytes)) {
    if (field.number === 1) allows = parts.flag(field);
    else if (field.number === 2) schema = parts.schema(field);
    else parts.unknown(field);
  }
  return schema ?? allows;
};

/** {schema, and several of something else} */
const schemaOrMany =
  (many: (field: WireField, parts: FormParts) => unknown): FormReader =>
  (bytes, parts) => {
    const list: unknown[] = [];
    let schema: unknown;
    for (const field of readFields(bytes)) {
      if (field.number === 1) schema = parts.schema(field);
      else if (field.number === 2) list.push(many(field, parts));
      else parts.unknown(field);
    }
    return list.length > 0 ? list : schema;
  };

/** A message that says something by being there. */
const presence: FormReader = (bytes, parts) => {
  for (const field of readFields(bytes)) parts.unknown(field);
  return {};
};

const schemaOrTexts = schemaOrMany((field, parts) => parts.text(field));

const FORMS: Readonly<Record<string, Readonly<Record<string, FormReader>>>> = table({
  'v1.JSONSchemaProps': {
    additionalItems: schemaOrBool,
    additionalProperties: schemaOrBool,
    // The values of a map.
    dependencies: schemaOrTexts,
    items: schemaOrMany((field, parts) => parts.schema(field)),
  },
  'v1.CustomResourceSubresources': { status: presence },
});

/** The reader of a field that has a form of its own; `typeName` is that of the message it stands in. */
export function formReader(typeName: string, field: string): FormReader | undefined {
  const forms = FORMS[typeName];
  return forms && Object.hasOwn(forms, field) ? forms[field] : undefined;
}
