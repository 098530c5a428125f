// The types of objects for expressions, from the schemas of custom resources and of built-in kinds.
// Invariant: pure; what upstream does not show to expressions has no type: fields of which the schema says nothing.
import { table } from '../../base/table.ts';
import { refName, resolve, type Schema, schemaOf } from '../schema/schema.ts';
import type { Structural } from '../schema/structural/structural.ts';
import {
  BOOL,
  type CelField,
  type CelType,
  DOUBLE,
  DYN,
  INT,
  listOf,
  mapOf,
  type ObjectType,
  objectOf,
  STRING,
} from './cel-type.ts';
import { escapedName } from './escape.ts';
import { REQUEST_BYTES } from './limits.ts';

/** What a text may be at most where nothing is said: a request but for its quotes. */
const MAX_TEXT = REQUEST_BYTES - 2;
/** The longest durations and times, as JSON writes them. */
const MAX_TIME_TEXT = 32;
const DATE_TEXT = 12;

/** A type, and the least that a value takes as JSON: it bounds how many fit into a request. */
interface Sized {
  readonly type: CelType;
  readonly bytes: number;
}

/** The type of what a custom resource's schema describes; undefined where expressions may not look. */
export function celTypeOf(
  schema: Structural,
  options: { readonly name?: string; readonly root?: boolean } = {},
): CelType | undefined {
  const { name = 'object', root = schema.embedded } = options;
  return sized(schema, name, root)?.type;
}

/** The fewest bytes that a value takes as JSON: it bounds how many fit into a request. */
export function leastBytes(schema: Structural): number {
  return sized(schema, 'object', schema.embedded)?.bytes ?? 1;
}

function sized(schema: Structural, name: string, root: boolean): Sized | undefined {
  if (schema.intOrString) return { type: { ...DYN, max: textMax(schema) } as CelType, bytes: 1 };
  switch (schema.type) {
    case 'array':
      return list(schema, name);
    case 'object':
      return object(schema, name, root);
    case 'string':
      return text(schema);
    case 'boolean':
      return { type: BOOL, bytes: 4 };
    case 'number':
      return { type: DOUBLE, bytes: 1 };
    case 'integer':
      return { type: INT, bytes: 1 };
    case undefined:
      return undefined;
  }
}

/** Of a code point there are four bytes at most. */
function textMax({ rules }: Structural): number {
  return rules.maxLength === undefined ? MAX_TEXT : rules.maxLength * 4;
}

function text(schema: Structural): Sized {
  const { format, maxLength, enum: known } = schema.rules;
  const as = (kind: 'bytes' | 'duration' | 'timestamp', max: number, bytes: number): Sized => ({
    type: { kind, max },
    bytes,
  });
  if (format === 'byte') return as('bytes', maxLength ?? MAX_TEXT, 2);
  if (format === 'duration') return as('duration', MAX_TIME_TEXT, 3);
  if (format === 'date') return as('timestamp', DATE_TEXT, DATE_TEXT);
  if (format === 'date-time' || format === 'datetime') return as('timestamp', MAX_TIME_TEXT, 21);
  const longest =
    maxLength === undefined && known !== undefined ? longestOf(known) : textMax(schema);
  return { type: { kind: 'string', max: longest }, bytes: 2 };
}

function longestOf(known: readonly unknown[]): number {
  const lengths = known.map((one) => (typeof one === 'string' ? Buffer.byteLength(one) : 0));
  return lengths.reduce((most, length) => Math.max(most, length), 0);
}

function list(schema: Structural, name: string): Sized | undefined {
  const items = schema.items && sized(schema.items, `${name}.@items`, schema.items.embedded);
  if (items === undefined) return undefined;
  const max = schema.rules.maxItems ?? Math.floor((REQUEST_BYTES - 2) / (items.bytes + 1));
  const plain = { ...listOf(items.type), max };
  if (schema.listType !== 'set' && schema.listType !== 'map') return { type: plain, bytes: 2 };
  const keys = schema.listMapKeys.map((key) => escapedName(key) ?? key);
  return { type: { ...plain, listType: schema.listType, keys }, bytes: 2 };
}

/** Around each entry of a map stand quotes, a colon and a comma, and its key is not empty. */
const ENTRY_BYTES = 6;

function object(schema: Structural, name: string, root: boolean): Sized | undefined {
  const { additional, rules } = schema;
  if (additional !== undefined) {
    if (additional === 'any') return undefined;
    const values = sized(additional, `${name}.@values`, additional.embedded);
    if (values === undefined) return undefined;
    const max =
      rules.maxProperties ?? Math.floor((REQUEST_BYTES - 2) / (values.bytes + ENTRY_BYTES));
    return { type: { ...mapOf({ kind: 'string', max: MAX_TEXT }, values.type), max }, bytes: 2 };
  }
  const fields = new Map<string, CelField>();
  let bytes = 2;
  for (const [field, part] of schema.properties) {
    const of = sized(part, `${name}.${field}`, part.embedded);
    if (of === undefined) continue;
    const escaped = escapedName(field);
    if (escaped !== undefined) fields.set(escaped, { name: field, type: of.type });
    const needed = rules.required.includes(field) && part.default === undefined;
    if (needed) bytes += field.length + of.bytes + 4;
  }
  if (root) addTypeAndMeta(fields, name);
  return { type: { kind: 'object', name, fields }, bytes };
}

const META_TEXT: CelType = { kind: 'string', max: MAX_TEXT };

/** Of a whole object, expressions see these, whatever its schema says; of its metadata only the names. */
function addTypeAndMeta(fields: Map<string, CelField>, name: string): void {
  for (const field of ['apiVersion', 'kind'])
    if (!fields.has(field)) fields.set(field, { name: field, type: META_TEXT });
  const meta = objectOf(`${name}.metadata`, { name: META_TEXT, generateName: META_TEXT });
  const own = fields.get('metadata')?.type;
  const declared = own?.kind === 'object' ? own.fields : new Map<string, CelField>();
  const all = new Map([...declared, ...meta.fields]);
  fields.set('metadata', { name: 'metadata', type: { ...meta, fields: all } });
}

/** Types of built-in kinds, by the names of their schemas. */
const builtIn = new Map<string, ObjectType>();

/** The type of a built-in kind such as `io.k8s.api.core.v1.Pod`. Its parts are worked out when they are asked for. */
export function celTypeOfKind(schemaName: string): ObjectType {
  let type = builtIn.get(schemaName);
  if (type === undefined) {
    type = new BuiltInType(schemaName);
    builtIn.set(schemaName, type);
  }
  return type;
}

class BuiltInType implements ObjectType {
  readonly kind = 'object';
  readonly name: string;
  #fields: ReadonlyMap<string, CelField> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get fields(): ReadonlyMap<string, CelField> {
    this.#fields ??= new Map(
      Object.entries(schemaOf(this.name).properties ?? {}).flatMap(([name, schema]) => {
        const escaped = escapedName(name);
        return escaped === undefined
          ? []
          : [[escaped, { name, type: builtInType(schema) }] as const];
      }),
    );
    return this.#fields;
  }
}

function builtInType(schema: Schema): CelType {
  const name = refName(schema);
  const { type, format, items, additionalProperties, properties } = resolve(schema);
  switch (type) {
    case 'array':
      return listOf(items === undefined ? DYN : builtInType(items));
    case 'object':
      if (additionalProperties) return mapOf(STRING, builtInType(additionalProperties));
      return name === undefined || properties === undefined ? DYN : celTypeOfKind(name);
    case 'string':
      return BUILT_IN_TEXTS[format ?? ''] ?? STRING;
    case 'boolean':
      return BOOL;
    case 'integer':
      return INT;
    case 'number':
      return DOUBLE;
    default:
      return DYN;
  }
}

const BUILT_IN_TEXTS: Readonly<Record<string, CelType>> = table({
  byte: { kind: 'bytes' },
  'date-time': { kind: 'timestamp' },
  'int-or-string': DYN,
});
