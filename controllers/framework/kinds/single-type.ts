// One type for each place: what JSON Schema says of several types, as far as a definition can say it.
// Invariant: pure; a schema that comes out without a fault allows the same values as the one that went in.
import type { JsonSchema } from './json-schema.ts';

/** The schema with one type, `nullable` for null, and what is wrong where that cannot be. */
export interface SingleType {
  readonly schema: JsonSchema;
  readonly faults: readonly string[];
}

const INT_OR_STRING = {
  anyOf: [{ type: 'integer' }, { type: 'string' }],
  'x-kubernetes-int-or-string': true,
} as const;

/** See SingleType. */
export function singleType(schema: JsonSchema): SingleType {
  if (Array.isArray(schema.type)) return ofTypes(schema, schema.type as readonly string[]);
  if (isNull(schema)) return { schema, faults: ['only null may stand there; leave the field out'] };
  const key = schema['anyOf'] ? 'anyOf' : 'oneOf';
  const parts = schema[key] as readonly JsonSchema[] | undefined;
  const narrows = schema.type !== undefined || schema['x-kubernetes-int-or-string'] === true;
  if (!Array.isArray(parts) || narrows || !parts.some(saysType)) return typed(schema);
  const { [key]: _, ...rest } = schema;
  return ofAlternatives(rest, parts as readonly JsonSchema[]);
}

const saysType = (part: JsonSchema): boolean =>
  part.type !== undefined || part['$ref'] !== undefined || part['anyOf'] !== undefined;

function ofTypes(schema: JsonSchema, types: readonly string[]): SingleType {
  const others = types.filter((type) => type !== 'null');
  const nullable = others.length < types.length ? { nullable: true } : {};
  const { type: _, ...rest } = schema;
  const [only] = others;
  if (others.length === 1 && only !== undefined)
    return { schema: { ...rest, ...nullable, type: only }, faults: [] };
  return ofAlternatives(
    { ...rest, ...nullable },
    others.map((type) => ({ type })),
  );
}

function ofAlternatives(rest: JsonSchema, parts: readonly JsonSchema[]): SingleType {
  const others = parts.filter((part) => !isNull(part));
  const nullable = others.length < parts.length || others.some((part) => part['nullable'] === true);
  const outer: JsonSchema = nullable ? { ...rest, nullable: true } : rest;
  const [first, ...more] = others;
  if (first === undefined) return { schema: outer, faults: ['only null may stand there'] };
  if (more.length === 0) return typed({ ...first, ...outer });
  const values = sharedEnum(others);
  if (values) return { schema: { ...outer, type: values.type, enum: values.enum }, faults: [] };
  if (isIntOrString(others)) return { schema: { ...outer, ...INT_OR_STRING }, faults: [] };
  const anything = { ...outer, 'x-kubernetes-preserve-unknown-fields': true };
  return { schema: anything, faults: [unionFault(others)] };
}

/** The values of alternatives that are all plain values of one type. */
function sharedEnum(
  parts: readonly JsonSchema[],
): { type: string; enum: readonly unknown[] } | undefined {
  const values = parts.flatMap((part) =>
    'const' in part ? [part['const']] : ((part['enum'] as readonly unknown[] | undefined) ?? []),
  );
  const types = new Set(values.map((value) => typeof value));
  const plain = parts.every((part) => 'const' in part || Array.isArray(part['enum']));
  const [type = ''] = types;
  if (!plain || types.size !== 1 || !['boolean', 'number', 'string'].includes(type))
    return undefined;
  return { type: type === 'number' ? numberType(values) : type, enum: [...new Set(values)] };
}

const numberType = (values: readonly unknown[]): string =>
  values.every(Number.isInteger) ? 'integer' : 'number';

/** An unbounded whole number or an unbounded text. */
function isIntOrString(parts: readonly JsonSchema[]): boolean {
  const bare = parts.every((part) =>
    Object.keys(part).every((key) => ['description', 'format', 'title', 'type'].includes(key)),
  );
  const has = (wanted: string) => parts.some(({ type }) => type === wanted);
  return bare && parts.length === 2 && has('integer') && has('string');
}

function unionFault(parts: readonly JsonSchema[]): string {
  if (parts.every(({ type, properties }) => type === 'object' || properties))
    return "a union of objects cannot be told in a definition; use one object with an optional field for each alternative, and a CEL rule that says which go together: has(self.a) != has(self.b), or self.type != 'a' || has(self.a)";
  const types = parts.map(({ type }) => (typeof type === 'string' ? type : 'something'));
  return `a field has one type in a definition, and this one has ${types.join(' or ')}; use intOrString() for whole numbers and texts without bounds, or a field for each type`;
}

/** Null alone, in JSON Schema's words or in zod's for OpenAPI 3.0. */
function isNull(schema: JsonSchema): boolean {
  const { type, enum: values } = schema;
  return type === 'null' || (Array.isArray(values) && values.length === 1 && values[0] === null);
}

/** The type of what says none but shows it; whole numbers of zod's literals are integers. */
function typed(schema: JsonSchema): SingleType {
  const values = 'const' in schema ? [schema['const']] : schema['enum'];
  if (!Array.isArray(values)) return { schema, faults: [] };
  if (schema.type === 'number' && values.every(Number.isInteger))
    return { schema: { ...schema, type: 'integer' }, faults: [] };
  if (schema.type !== undefined) return { schema, faults: [] };
  const shared = sharedEnum([{ enum: values }]);
  if (shared) return { schema: { ...schema, type: shared.type }, faults: [] };
  return { schema, faults: [unionFault(values.map((value) => ({ type: typeof value })))] };
}
