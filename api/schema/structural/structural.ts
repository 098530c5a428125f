// The schema of a custom resource made ready for use: structure (types, fields, defaults) and rules of values, in one tree.
// Invariant: pure; a tree is made once for each stored definition, shared, and never changed afterwards.
import { RE2JS } from 're2js';
import type { JSONSchemaProps } from '../../generated/types.ts';

/** JSON types that a schema may name. */
export type SchemaType = 'array' | 'boolean' | 'integer' | 'number' | 'object' | 'string';

/** Rules of a value that say nothing of its structure. */
export interface ValueRules {
  readonly enum: readonly unknown[] | undefined;
  /** The plain values of `enum`, to be looked up. */
  readonly enumPlain: ReadonlySet<unknown>;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  readonly exclusiveMinimum: boolean;
  readonly exclusiveMaximum: boolean;
  readonly multipleOf: number | undefined;
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  readonly minItems: number | undefined;
  readonly maxItems: number | undefined;
  readonly minProperties: number | undefined;
  readonly maxProperties: number | undefined;
  readonly required: readonly string[];
  readonly format: string | undefined;
  readonly pattern: Pattern | undefined;
  readonly allOf: readonly Structural[];
  readonly anyOf: readonly Structural[];
  readonly oneOf: readonly Structural[];
  readonly not: Structural | undefined;
}

/** A regular expression, run in time linear in the text (RE2): states times characters at most. */
export interface Pattern {
  readonly text: string;
  /** How many states the text may be in. */
  readonly states: number;
  test(value: string): boolean;
}

/** One place of the tree. */
export interface Structural {
  /** Undefined inside value rules, and where anything may stand. */
  readonly type: SchemaType | undefined;
  readonly nullable: boolean;
  readonly intOrString: boolean;
  readonly preserveUnknownFields: boolean;
  /** A whole object with apiVersion, kind and metadata. */
  readonly embedded: boolean;
  readonly properties: ReadonlyMap<string, Structural>;
  /** Of a map's values; `any` where nothing is said of them. */
  readonly additional: Structural | 'any' | undefined;
  readonly items: Structural | undefined;
  /** Undefined where there is none. Never changed: copied wherever it is filled in. */
  readonly default: unknown;
  /** Is there a default here or below? Most trees have few, and are left alone elsewhere. */
  readonly hasDefaults: boolean;
  readonly listType: 'atomic' | 'map' | 'set' | undefined;
  readonly listMapKeys: readonly string[];
  readonly mapType: 'atomic' | 'granular' | undefined;
  readonly rules: ValueRules;
}

/** The tree of a schema. Throws an Error when a pattern is none: definitions are checked before they are stored. */
export function structuralOf(schema: JSONSchemaProps): Structural {
  const properties = new Map(
    Object.entries(schema.properties ?? {}).map(([name, part]) => [name, structuralOf(part)]),
  );
  const items = isSchema(schema.items) ? structuralOf(schema.items) : undefined;
  const additional = additionalOf(schema.additionalProperties);
  const below = [...properties.values(), items, additional === 'any' ? undefined : additional];
  return {
    type: schema.type === '' ? undefined : (schema.type as SchemaType | undefined),
    nullable: schema.nullable ?? false,
    intOrString: schema['x-kubernetes-int-or-string'] ?? false,
    preserveUnknownFields: schema['x-kubernetes-preserve-unknown-fields'] ?? false,
    embedded: schema['x-kubernetes-embedded-resource'] ?? false,
    properties,
    additional,
    items,
    default: schema.default,
    hasDefaults: schema.default !== undefined || below.some((part) => part?.hasDefaults),
    listType: schema['x-kubernetes-list-type'] as Structural['listType'],
    listMapKeys: schema['x-kubernetes-list-map-keys'] ?? [],
    mapType: schema['x-kubernetes-map-type'] as Structural['mapType'],
    rules: rulesOf(schema),
  };
}

/** Is it a schema, and not a boolean or a list of schemas? */
export function isSchema(value: unknown): value is JSONSchemaProps {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function additionalOf(value: unknown): Structural['additional'] {
  if (isSchema(value)) return structuralOf(value);
  return value === true ? 'any' : undefined;
}

function rulesOf(schema: JSONSchemaProps): ValueRules {
  return {
    enum: schema.enum,
    enumPlain: new Set(schema.enum?.filter((one) => typeof one !== 'object')),
    minimum: schema.minimum,
    maximum: schema.maximum,
    exclusiveMinimum: schema.exclusiveMinimum ?? false,
    exclusiveMaximum: schema.exclusiveMaximum ?? false,
    multipleOf: schema.multipleOf,
    minLength: schema.minLength,
    maxLength: schema.maxLength,
    minItems: schema.minItems,
    maxItems: schema.maxItems,
    minProperties: schema.minProperties,
    maxProperties: schema.maxProperties,
    required: schema.required ?? [],
    format: schema.format,
    pattern: schema.pattern ? patternOf(schema.pattern) : undefined,
    allOf: (schema.allOf ?? []).map(structuralOf),
    anyOf: (schema.anyOf ?? []).map(structuralOf),
    oneOf: (schema.oneOf ?? []).map(structuralOf),
    not: schema.not === undefined ? undefined : structuralOf(schema.not),
  };
}

/** Compiles a pattern. Throws an Error that says what is wrong with it. */
export function patternOf(text: string): Pattern {
  const known = patterns.get(text);
  if (known) return known;
  const compiled = RE2JS.compile(text);
  const pattern: Pattern = {
    text,
    states: compiled.programSize(),
    test: (value) => compiled.matcher(value).find(),
  };
  if (patterns.size >= MAX_KEPT_PATTERNS) patterns.clear();
  patterns.set(text, pattern);
  return pattern;
}

/** Compiled patterns that are kept: the same few stand at many places of a definition. */
const MAX_KEPT_PATTERNS = 1000;
const patterns = new Map<string, Pattern>();
