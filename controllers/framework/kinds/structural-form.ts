// JSON Schema as a definition can say it: one type at each place, OpenAPI 3.0's keywords, references written out.
// Invariant: what cannot be said is a fault with what to write instead; nothing that holds values is dropped without a word.
import type { JSONSchemaProps } from '../../../api/generated/types.ts';
import type { JsonSchema } from './json-schema.ts';
import { fieldPath, type KindFault } from './kind-error.ts';
import { singleType } from './single-type.ts';

/** A schema for a definition, and what stands in its way; `path` is where the schema stands in the object. */
export function structuralForm(
  schema: JsonSchema,
  path: string,
): { readonly schema: JSONSchemaProps; readonly faults: readonly KindFault[] } {
  const former = new Former(schema);
  const made = former.place(schema, path);
  return { schema: made, faults: former.faults };
}

type Keywords = Record<string, unknown>;

/** Keywords that say the same here and there. */
const KEPT = [
  'default',
  'description',
  'enum',
  'example',
  'externalDocs',
  'format',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'multipleOf',
  'nullable',
  'pattern',
  'title',
  'type',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
] as const;
/** Keywords that are read in another way below. */
const READ = [
  '$defs',
  'additionalProperties',
  'allOf',
  'anyOf',
  'const',
  'definitions',
  'examples',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'items',
  'not',
  'oneOf',
  'properties',
  'required',
];
/** Keywords that hold no value to anything. */
const NOTES = [
  '$anchor',
  '$comment',
  '$id',
  '$schema',
  'contentEncoding',
  'contentMediaType',
  'deprecated',
  'id',
  'readOnly',
  'writeOnly',
];

const BY_RULE = 'a definition has no such keyword; say it as a CEL rule';
/** Keywords that a definition may not have, and what to write. */
const REFUSED: Readonly<Record<string, string>> = {
  contains: `${BY_RULE}: self.exists(item, …)`,
  dependentRequired: `${BY_RULE}: !has(self.a) || has(self.b)`,
  dependentSchemas: BY_RULE,
  dependencies: `${BY_RULE}: !has(self.a) || has(self.b)`,
  else: BY_RULE,
  if: `${BY_RULE}: self.a != 'x' || has(self.b)`,
  patternProperties:
    'all values of a map have one schema; use additionalProperties and a CEL rule on the keys: self.all(key, key.matches(…))',
  prefixItems: 'items of a list have one schema; use an object with a name for each place',
  propertyNames: `${BY_RULE} on the keys: self.all(key, key.matches(…))`,
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: BY_RULE,
  unevaluatedItems: BY_RULE,
  unevaluatedProperties: BY_RULE,
};
const ALL: ReadonlySet<string> = new Set([...KEPT, ...READ, ...NOTES, ...Object.keys(REFUSED)]);

class Former {
  readonly faults: KindFault[] = [];
  readonly #root: JsonSchema;
  /** References that are being written out. */
  readonly #open: string[] = [];

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  /** A place of an object. */
  place(given: JsonSchema, path: string): JSONSchemaProps {
    return this.#resolved(given, path, (resolved) => {
      const { schema, faults } = singleType(resolved);
      for (const message of faults) this.#fault(path, message);
      const made = this.#keywords(schema, path);
      if (made['default'] === null) {
        delete made['default'];
        this.#fault(path, 'a default of null fills in nothing; leave it out (in zod: .nullish())');
      }
      this.#list(schema, made, path);
      this.#fields(schema, made, path);
      this.#rules(schema, made, path);
      if (made['type'] === undefined && saysNothing(made))
        made['x-kubernetes-preserve-unknown-fields'] = true;
      return made as JSONSchemaProps;
    });
  }

  /** A schema under allOf, anyOf, oneOf or not: it narrows the place, whose type it need not say again. */
  #narrowing(given: JsonSchema, type: unknown, path: string): JSONSchemaProps {
    return this.#resolved(given, path, (schema) => {
      const { description: _, title: __, ...made } = this.#keywords(schema, path);
      if (made['type'] === type) delete made['type'];
      const { items, properties } = schema;
      if (properties)
        made['properties'] = Object.fromEntries(
          Object.entries(properties).map(([name, part]) => [
            name,
            this.#narrowing(part, part.type, fieldPath(path, name)),
          ]),
        );
      if (isSchema(items)) made['items'] = this.#narrowing(items, items.type, `${path}[]`);
      if (schema.required) made['required'] = [...schema.required];
      this.#rules(schema, made, path);
      return made as JSONSchemaProps;
    });
  }

  #fault(path: string, message: string): void {
    this.faults.push({ path, message });
  }

  #resolved<T>(schema: JsonSchema, path: string, use: (schema: JsonSchema) => T): T {
    const { $ref: said, ...own } = schema;
    if (said === undefined) return use(schema);
    const ref = typeof said === 'string' ? said : JSON.stringify(said);
    const known = this.#open.length;
    if (this.#open.includes(ref)) {
      const why = `${ref} refers to itself: a definition has no end then; use anything() or x-kubernetes-preserve-unknown-fields there`;
      this.#fault(path, why);
      return use({ 'x-kubernetes-preserve-unknown-fields': true });
    }
    const found = definitionAt(this.#root, ref);
    if (found === undefined)
      this.#fault(path, `$ref: nothing stands at ${ref}; use #/$defs/NAME of this schema`);
    this.#open.push(ref);
    const made = this.#resolved({ ...found, ...own }, path, use);
    this.#open.length = known;
    return made;
  }

  #keywords(schema: JsonSchema, path: string): Keywords {
    const made: Keywords = {};
    for (const [key, value] of Object.entries(schema)) {
      if (value === undefined) continue;
      if ((KEPT as readonly string[]).includes(key)) made[key] = value;
      else if (Object.hasOwn(REFUSED, key)) this.#fault(path, `${key}: ${REFUSED[key]}`);
      else if (!ALL.has(key) && key !== 'uniqueItems')
        this.#fault(path, `${key}: no keyword of a definition; is it misspelt?`);
    }
    if (schema['uniqueItems'] === true)
      this.#fault(path, "uniqueItems: use x-kubernetes-list-type: 'set' (in zod: listSet(…))");
    const { examples } = schema;
    if (Array.isArray(examples) && examples.length > 0) made['example'] ??= examples[0];
    if ('const' in schema) made['enum'] = [schema['const']];
    exclusiveBound(schema, made, { bound: 'minimum', exclusive: 'exclusiveMinimum' });
    exclusiveBound(schema, made, { bound: 'maximum', exclusive: 'exclusiveMaximum' });
    return made;
  }

  #list({ items, type }: JsonSchema, made: Keywords, path: string): void {
    if (Array.isArray(items)) this.#fault(path, `items: ${REFUSED['prefixItems'] ?? ''}`);
    else if (isSchema(items)) {
      made['type'] ??= 'array';
      made['items'] = this.place(items, `${path}[]`);
    } else if (type === 'array') made['items'] = { 'x-kubernetes-preserve-unknown-fields': true };
  }

  #fields(schema: JsonSchema, made: Keywords, path: string): void {
    const { additionalProperties: additional, properties, required } = schema;
    if (required && required.length > 0) made['required'] = [...required];
    if (properties) {
      made['type'] ??= 'object';
      made['properties'] = Object.fromEntries(
        Object.entries(properties).map(([name, part]) => [
          name,
          this.place(part, fieldPath(path, name)),
        ]),
      );
    }
    if (additional === undefined || additional === false) return;
    made['type'] ??= 'object';
    if (additional === true || Object.keys(additional).length === 0)
      made['x-kubernetes-preserve-unknown-fields'] = true;
    else if (properties && Object.keys(properties).length > 0)
      this.#fault(
        path,
        'an object has named fields or is a map (additionalProperties, catchall), not both; put the map into a field of its own',
      );
    else made['additionalProperties'] = this.place(additional, `${path}{}`);
  }

  #rules(schema: JsonSchema, made: Keywords, path: string): void {
    const intOrString = made['x-kubernetes-int-or-string'] === true;
    for (const key of ['allOf', 'anyOf', 'oneOf'] as const) {
      const parts = schema[key];
      if (!Array.isArray(parts) || parts.length === 0) continue;
      // The one form in which types may stand there.
      made[key] = intOrString
        ? parts
        : parts.map((part: JsonSchema) => this.#narrowing(part, made['type'], path));
    }
    if (isSchema(schema['not'])) made['not'] = this.#narrowing(schema['not'], made['type'], path);
  }
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON Schema's exclusive bounds are numbers, OpenAPI's are flags of the others. */
function exclusiveBound(
  schema: JsonSchema,
  made: Keywords,
  { bound, exclusive }: { bound: 'maximum' | 'minimum'; exclusive: string },
): void {
  const value = schema[exclusive];
  if (value === true) made[exclusive] = true;
  if (typeof value !== 'number') return;
  made[bound] = value;
  made[exclusive] = true;
}

/** Nothing is said of the value: anything may stand there. */
function saysNothing(made: Keywords): boolean {
  return !made['x-kubernetes-int-or-string'] && !made['enum'] && !made['allOf'] && !made['anyOf'];
}

function definitionAt(root: JsonSchema, ref: string): JsonSchema | undefined {
  if (!ref.startsWith('#/')) return undefined;
  let place: unknown = root;
  for (const step of ref.slice(2).split('/')) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isSchema(place) || !Object.hasOwn(place, name)) return undefined;
    place = place[name];
  }
  return isSchema(place) ? place : undefined;
}
