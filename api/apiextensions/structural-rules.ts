// When a schema is structural: every field has one type outside of value rules, which then only narrow it.
// Pure; wordings are those API clients know. Source: kubernetes.io, "Specifying a structural schema".
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, required } from '../field-error.ts';
import type { JSONSchemaProps } from '../generated/types.ts';
import { deepEqual } from '../meta/deep-equal.ts';
import { isSchema, SAID, says } from '../schema/structural/sayings.ts';
import { patternOf } from '../schema/structural/structural.ts';

type Level = 'root' | 'items' | 'field';

const TYPE_MISSING: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  items: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};
/** The one form in which value rules may name types. */
const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }];
/** What value rules may not say, and how that is told. */
const NOT_IN_RULES: readonly (readonly [keyof JSONSchemaProps, string])[] = [
  ['type', 'empty'],
  ['title', 'empty'],
  ['description', 'empty'],
  ['default', 'undefined'],
  ['nullable', 'false'],
  ['externalDocs', 'undefined'],
  ['additionalProperties', 'undefined'],
  ['x-kubernetes-preserve-unknown-fields', 'false'],
  ['x-kubernetes-embedded-resource', 'false'],
  ['x-kubernetes-int-or-string', 'false'],
  ['x-kubernetes-list-map-keys', 'empty'],
  ['x-kubernetes-list-type', 'undefined'],
  ['x-kubernetes-map-type', 'undefined'],
  ['x-kubernetes-validations', 'empty'],
];

/** Why the schema is not structural. */
export function structuralErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = [];
  placeErrors({ root: schema, schema, path, level: 'root' }, errors);
  return errors;
}

interface Place {
  /** The schema of the whole. */
  readonly root: JSONSchemaProps;
  readonly schema: JSONSchemaProps;
  readonly path: string;
  readonly level: Level;
}

/** Thousands of places are in one definition, nearly all of them plain: only those that are not are looked at. */
function placeErrors({ root, schema, path, level }: Place, errors: FieldError[]): void {
  if (level !== 'root' && !says(root, schema, SAID.remarkable)) return;
  const { items, additionalProperties: additional, properties } = schema;
  if (schema.type === 'array' && !isSchema(items))
    errors.push(required(`${path}.items`, 'must be specified'));
  if (isSchema(items))
    placeErrors({ root, schema: items, path: `${path}.items`, level: 'items' }, errors);
  if (isSchema(additional)) {
    const at = `${path}.additionalProperties`;
    if (level === 'root') errors.push(forbiddenField(at, 'must not be used at the root'));
    placeErrors({ root, schema: additional, path: at, level: 'field' }, errors);
  }
  for (const name in properties) {
    const part = properties[name];
    if (part === undefined) continue;
    const at = `${path}.properties[${name}]`;
    placeErrors({ root, schema: part, path: at, level: 'field' }, errors);
  }
  errors.push(...typeErrors(schema, path, level));
  if (schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-embedded-resource'])
    errors.push(...extensionErrors(schema, path));
  if (level === 'root' || schema['x-kubernetes-embedded-resource'])
    errors.push(...wholeObjectErrors(schema, path, level));
  if (hasRules(schema)) errors.push(...ruleErrors(schema, schema, path));
}

function hasRules({ allOf, anyOf, oneOf, not, pattern }: JSONSchemaProps): boolean {
  return Boolean(allOf ?? anyOf ?? oneOf ?? not ?? pattern);
}

function typeErrors(schema: JSONSchemaProps, path: string, level: Level): readonly FieldError[] {
  const { type } = schema;
  const at = `${path}.type`;
  if (schema['x-kubernetes-embedded-resource'] && type !== 'object') {
    const why = 'must be object if x-kubernetes-embedded-resource is true';
    return [type ? invalidValue(at, type, why) : required(at, why)];
  }
  const free =
    schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields'];
  if (!type) return free && level !== 'root' ? [] : [required(at, TYPE_MISSING[level])];
  if (schema['x-kubernetes-int-or-string'])
    return [invalidValue(at, type, 'must be empty if x-kubernetes-int-or-string is true')];
  if (level === 'root' && type !== 'object')
    return [invalidValue(at, type, 'must be object at the root')];
  return [];
}

function extensionErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (schema['x-kubernetes-int-or-string']) {
    for (const other of [
      'x-kubernetes-preserve-unknown-fields',
      'x-kubernetes-embedded-resource',
    ] as const) {
      if (!schema[other]) continue;
      const why = 'must be false if x-kubernetes-int-or-string is true';
      errors.push(invalidValue(`${path}.${other}`, true, why));
    }
  }
  if (!schema['x-kubernetes-embedded-resource']) return errors;
  if (schema.additionalProperties !== undefined) {
    const why = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.push(forbiddenField(`${path}.additionalProperties`, why));
  }
  const bare = Object.keys(schema.properties ?? {}).length === 0;
  if (bare && !schema['x-kubernetes-preserve-unknown-fields']) {
    const why =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(required(`${path}.properties`, why));
  }
  return errors;
}

/** apiVersion, kind and metadata are the server's: schemas of whole objects may only narrow names. */
function wholeObjectErrors(schema: JSONSchemaProps, path: string, level: Level): FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, type] of [
    ['kind', 'string'],
    ['apiVersion', 'string'],
    ['metadata', 'object'],
  ] as const) {
    const part = schema.properties?.[name];
    if (part === undefined || part.type === type) continue;
    errors.push(
      invalidValue(`${path}.properties[${name}].type`, part.type ?? '', `must be ${type}`),
    );
  }
  const metadata = schema.properties?.['metadata'];
  if (level === 'root' && metadata !== undefined && !narrowsNamesOnly(metadata)) {
    const why =
      'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(forbiddenField(`${path}.properties[metadata]`, why));
  }
  if (level === 'root' && schema.nullable)
    errors.push(forbiddenField(`${path}.nullable`, 'nullable cannot be true at the root'));
  return errors;
}

function narrowsNamesOnly(metadata: JSONSchemaProps): boolean {
  const names = Object.keys(metadata.properties ?? {});
  const said = Object.keys(metadata).filter((key) => !UNREMARKABLE.includes(key));
  return said.length === 0 && names.every((key) => key === 'name' || key === 'generateName');
}
const UNREMARKABLE = ['type', 'description', 'properties'];

/** `rules` narrows what `place` says; at first they are the same schema. */
function ruleErrors(rules: JSONSchemaProps, place: JSONSchemaProps, path: string): FieldError[] {
  const intOrString = place['x-kubernetes-int-or-string'] ?? false;
  const errors = (['anyOf', 'allOf', 'oneOf'] as const).flatMap((key) => {
    const parts = rules[key] ?? [];
    if (key === 'anyOf' && intOrString && deepEqual(parts, INT_OR_STRING)) return [];
    return parts.flatMap((part, i) => nestedErrors(part, place, `${path}.${key}[${i}]`));
  });
  if (rules.not) errors.push(...nestedErrors(rules.not, place, `${path}.not`));
  if (rules.pattern) errors.push(...patternErrors(rules.pattern, `${path}.pattern`));
  return errors;
}

function patternErrors(pattern: string, path: string): FieldError[] {
  try {
    patternOf(pattern);
    return [];
  } catch (error) {
    const why = `must be a valid regular expression, but isn't: ${(error as Error).message}`;
    return [invalidValue(path, pattern, why)];
  }
}

/** A schema under allOf, anyOf, oneOf or not; `place` is undefined where nothing is known of the field. */
function nestedErrors(
  rules: JSONSchemaProps,
  place: JSONSchemaProps | undefined,
  path: string,
): FieldError[] {
  if (place?.['x-kubernetes-int-or-string'] && deepEqual(rules.anyOf, INT_OR_STRING))
    return nestedErrors({ ...rules, anyOf: undefined }, place, path);
  const errors: FieldError[] = NOT_IN_RULES.filter(([key]) => isSaid(rules[key])).map(([key, be]) =>
    forbiddenField(`${path}.${key}`, `must be ${be} to be structural`),
  );
  for (const [name, part] of Object.entries(rules.properties ?? {})) {
    const at = `${path}.properties[${name}]`;
    if (name === 'metadata')
      errors.push(forbiddenField(at, 'must not be specified in a nested context'));
    const known = partOf(place, name);
    if (place !== undefined && known === undefined) errors.push(unspecified(path, name));
    errors.push(...nestedErrors(part, known, at));
  }
  if (isSchema(rules.items)) {
    const known = isSchema(place?.items) ? place.items : undefined;
    if (place !== undefined && known === undefined)
      errors.push(
        required(`${structureOf(path)}.items`, 'because it is defined in ' + `${path}.items`),
      );
    errors.push(...nestedErrors(rules.items, known, `${path}.items`));
  }
  return [...errors, ...ruleErrors(rules, place ?? {}, path)];
}

function partOf(place: JSONSchemaProps | undefined, name: string): JSONSchemaProps | undefined {
  return place?.properties?.[name];
}

function unspecified(path: string, name: string): FieldError {
  const field = `properties[${name}]`;
  return required(`${structureOf(path)}.${field}`, `because it is defined in ${path}.${field}`);
}

/** The path outside of value rules. */
function structureOf(path: string): string {
  return path.replaceAll(/\.(?:allOf|anyOf|oneOf)\[\d+\]|\.not(?=\.|$)/g, '');
}

function isSaid(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== '' && value !== false;
}
