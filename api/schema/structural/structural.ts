// The schema of a custom resource made ready for use: structure (types, fields, defaults) and rules of values, in one tree.
// Invariant: pure; a tree is made once for each stored definition and shared, and says the same whenever it is asked.
import { RE2JS } from 're2js';
import type { JSONSchemaProps, ValidationRule } from '../../generated/types.ts';
import { isSchema, SAID, says } from './sayings.ts';

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
  /** The parts that match, one after the other. `step` hears how much is left before each search, and may throw. */
  find(value: string, limit: number, step: (left: number) => void): string[];
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
  /** What expressions say of the value (`x-kubernetes-validations`). */
  readonly validations: readonly ValidationRule[];
  /** Is there one here or below? */
  readonly hasValidations: boolean;
  /** Is there a whole object here or below? */
  readonly hasEmbedded: boolean;
}

/** The tree of a schema, each place of it made when it is come to: objects use few of thousands. Patterns were checked before. */
export function structuralOf(schema: JSONSchemaProps): Structural {
  return new SchemaPlace(schema, schema);
}

class SchemaPlace implements Structural {
  readonly type: SchemaType | undefined;
  readonly nullable: boolean;
  readonly intOrString: boolean;
  readonly preserveUnknownFields: boolean;
  readonly embedded: boolean;
  readonly default: unknown;
  readonly #schema: JSONSchemaProps;
  #properties: ReadonlyMap<string, Structural> | undefined;
  #additional: Structural['additional'];
  #items: Structural | undefined;
  readonly #root: JSONSchemaProps;
  #rules: ValueRules | undefined;

  constructor(schema: JSONSchemaProps, root: JSONSchemaProps) {
    this.#root = root;
    this.type = schema.type === '' ? undefined : (schema.type as SchemaType | undefined);
    this.nullable = schema.nullable ?? false;
    this.intOrString = schema['x-kubernetes-int-or-string'] ?? false;
    this.preserveUnknownFields = schema['x-kubernetes-preserve-unknown-fields'] ?? false;
    this.embedded = schema['x-kubernetes-embedded-resource'] ?? false;
    // Null is no default.
    this.default = schema.default ?? undefined;
    this.#schema = schema;
  }

  get properties(): ReadonlyMap<string, Structural> {
    this.#properties ??= propertiesOf(this.#schema, this.#root);
    return this.#properties;
  }

  get additional(): Structural['additional'] {
    const { additionalProperties: value } = this.#schema;
    if (isSchema(value)) this.#additional ??= new SchemaPlace(value, this.#root);
    else if (value === true) return 'any';
    return this.#additional;
  }

  get items(): Structural | undefined {
    const { items } = this.#schema;
    if (isSchema(items)) this.#items ??= new SchemaPlace(items, this.#root);
    return this.#items;
  }

  get hasDefaults(): boolean {
    return this.#says(SAID.default);
  }

  get validations(): readonly ValidationRule[] {
    return this.#schema['x-kubernetes-validations'] ?? [];
  }

  get hasValidations(): boolean {
    return this.#says(SAID.validations);
  }

  get hasEmbedded(): boolean {
    return this.#says(SAID.embedded);
  }

  #says(what: number): boolean {
    return says(this.#root, this.#schema, what);
  }

  get listType(): Structural['listType'] {
    return this.#schema['x-kubernetes-list-type'] as Structural['listType'];
  }

  get listMapKeys(): readonly string[] {
    return this.#schema['x-kubernetes-list-map-keys'] ?? [];
  }

  get mapType(): Structural['mapType'] {
    return this.#schema['x-kubernetes-map-type'] as Structural['mapType'];
  }

  get rules(): ValueRules {
    this.#rules ??= rulesOf(this.#schema);
    return this.#rules;
  }
}

const NO_FIELDS: ReadonlyMap<string, Structural> = new Map();

function propertiesOf(
  { properties }: JSONSchemaProps,
  root: JSONSchemaProps,
): ReadonlyMap<string, Structural> {
  if (properties === undefined) return NO_FIELDS;
  const parts = Object.entries(properties);
  return new Map(parts.map(([name, part]) => [name, new SchemaPlace(part, root)]));
}

const NONE: ReadonlySet<unknown> = new Set();

function rulesOf(schema: JSONSchemaProps): ValueRules {
  return {
    enum: schema.enum,
    enumPlain: schema.enum ? new Set(schema.enum.filter((one) => typeof one !== 'object')) : NONE,
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

/** The compiled pattern, kept for the next who asks. Throws an Error that says what is wrong with it. */
export function patternOf(text: string): Pattern {
  const known = patterns.get(text);
  if (known) return known;
  const pattern = compilePattern(text);
  if (patterns.size >= MAX_KEPT_PATTERNS) patterns.clear();
  patterns.set(text, pattern);
  return pattern;
}

/** Compiles a pattern that nobody asks for again. Throws an Error that says what is wrong with it. */
export function compilePattern(text: string): Pattern {
  const compiled = RE2JS.compile(text);
  return {
    text,
    states: compiled.programSize(),
    // Only this runs as a state machine; looking for where a match lies takes up to thirty times as long.
    test: (value) => compiled.test(value),
    find: (value, limit, step) => {
      const matcher = compiled.matcher(value);
      const found: string[] = [];
      for (let end = 0; found.length < limit; end = matcher.end()) {
        step(value.length - end);
        if (!matcher.find()) break;
        found.push(matcher.group() ?? '');
      }
      return found;
    },
  };
}

/** Compiled patterns that are kept: the same few stand at many places of a definition. */
const MAX_KEPT_PATTERNS = 1000;
const patterns = new Map<string, Pattern>();
