// Rules of the schemas in a CustomResourceDefinition, keyword by keyword: what may not be said, and how lists and maps are told.
// Pure; wordings are those API clients know. Whether a schema is structural is structural-rules.ts's.
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, notSupported, required } from '../field-error.ts';
import type { JSONSchemaProps } from '../generated/types.ts';
import { repeats } from '../meta/repeats.ts';
import { isSchema, SAID, visitSaying } from '../schema/structural/sayings.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const LIST_TYPES = ['atomic', 'map', 'set'];
const MAP_TYPES = ['atomic', 'granular'];
const SCALARS = ['boolean', 'integer', 'number', 'string'];
/** Keywords of JSON Schema that no definition may use. */
const UNUSED = [
  'id',
  'additionalItems',
  'patternProperties',
  'definitions',
  'dependencies',
  '$ref',
] as const;

/** Errors of a schema and of all below it. */
export function schemaKeywordErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = [];
  // Thousands of schemas stand in one definition, nearly all of them plain: only those that are not are looked at.
  const whole = { place: schema, path };
  visitSaying(whole, SAID.remarkable, (at) => ownErrors(at.place, at.path, errors));
  return errors;
}

function ownErrors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  for (const key of UNUSED) {
    if (isSaid(schema[key]))
      errors.push(forbiddenField(`${path}.${key}`, `${key} is not supported`));
  }
  if (schema.type === 'null') {
    const why = 'type cannot be set to null, use nullable as an alternative';
    errors.push(forbiddenField(`${path}.type`, why));
  } else if (schema.type && !TYPES.includes(schema.type)) {
    errors.push(notSupported(`${path}.type`, schema.type, TYPES));
  }
  if (schema.uniqueItems) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(forbiddenField(`${path}.uniqueItems`, why));
  }
  if (Array.isArray(schema.items)) {
    const why = 'items must be a schema object and not an array';
    errors.push(forbiddenField(`${path}.items`, why));
  }
  if (schema.additionalProperties === false) {
    const why = 'additionalProperties cannot be set to false';
    errors.push(forbiddenField(`${path}.additionalProperties`, why));
  } else if (schema.additionalProperties && Object.keys(schema.properties ?? {}).length > 0) {
    const why = 'additionalProperties and properties are mutual exclusive';
    errors.push(forbiddenField(`${path}.additionalProperties`, why));
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    const at = `${path}.x-kubernetes-preserve-unknown-fields`;
    errors.push(invalidValue(at, false, 'must be true or undefined'));
  }
  mapErrors(schema, path, errors);
  listErrors(schema, path, errors);
}

function isSaid(value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== '' && value !== false;
}

function mapErrors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const mapType = schema['x-kubernetes-map-type'];
  if (mapType === undefined) return;
  if (schema.type !== 'object') {
    const why = 'must be object if x-kubernetes-map-type is specified';
    errors.push(typeError(schema.type, `${path}.type`, why));
  }
  if (!MAP_TYPES.includes(mapType))
    errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, MAP_TYPES));
}

function typeError(type: string | undefined, path: string, why: string): FieldError {
  return type ? invalidValue(path, type, why) : required(path, why);
}

function listErrors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (listType !== undefined) {
    if (schema.type !== 'array') {
      const why = 'must be array if x-kubernetes-list-type is set';
      errors.push(typeError(schema.type, `${path}.type`, why));
    }
    if (!LIST_TYPES.includes(listType))
      errors.push(notSupported(`${path}.x-kubernetes-list-type`, listType, LIST_TYPES));
  }
  if (keys.length > 0 && listType !== 'map') {
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(typeError(listType, `${path}.x-kubernetes-list-type`, why));
  }
  if (listType === 'map') errors.push(...keyedListErrors(schema, keys, path));
  if (listType === 'set') errors.push(...setErrors(schema, path));
}

function keyedListErrors(
  schema: JSONSchemaProps,
  keys: readonly string[],
  path: string,
): FieldError[] {
  const keysAt = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0)
    return [required(keysAt, 'must not be empty if x-kubernetes-list-type is map')];
  if (!isSchema(schema.items))
    return [required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map')];
  const { items } = schema;
  const errors: FieldError[] = [];
  if (items.type !== 'object') {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalidValue(`${path}.items.type`, items.type ?? '', why));
  }
  if (items.nullable) errors.push(notNullable('map', path));
  const repeated = repeats(keys);
  const needed = new Set(items.required);
  const errorsOf = (key: string, i: number) => {
    const keyAt = `${keysAt}[${i}]`;
    if (repeated.has(i)) return [invalidValue(keyAt, key, 'must be unique')];
    return keyErrors({ items, needed, key, keyAt }, path);
  };
  return [...errors, ...keys.flatMap(errorsOf)];
}

interface MapKey {
  readonly items: JSONSchemaProps;
  /** What items require. */
  readonly needed: ReadonlySet<string>;
  readonly key: string;
  readonly keyAt: string;
}

function keyErrors({ items, needed, key, keyAt }: MapKey, path: string): FieldError[] {
  const property = items.properties?.[key];
  const at = `${path}.items.properties[${key}]`;
  if (property === undefined)
    return [invalidValue(keyAt, key, 'entries must all be names of item properties')];
  const errors: FieldError[] = [];
  if (!SCALARS.includes(property.type ?? '')) {
    const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
    errors.push(invalidValue(`${at}.type`, property.type ?? '', why));
  }
  if (property.nullable) {
    const why = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable';
    errors.push(forbiddenField(`${at}.nullable`, why));
  }
  if (property.default === undefined && !needed.has(key)) {
    const why =
      'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
    errors.push(required(`${at}.default`, why));
  }
  return errors;
}

function notNullable(listType: string, path: string): FieldError {
  const why = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
  return forbiddenField(`${path}.items.nullable`, why);
}

function setErrors({ items }: JSONSchemaProps, path: string): FieldError[] {
  if (!isSchema(items))
    return [required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is set')];
  const errors: FieldError[] = items.nullable ? [notNullable('set', path)] : [];
  const how = items.type === 'object' ? 'x-kubernetes-map-type' : 'x-kubernetes-list-type';
  if ((items.type === 'object' || items.type === 'array') && items[how] !== 'atomic') {
    const why = 'must be atomic as item of a list with x-kubernetes-list-type=set';
    errors.push(typeError(items[how], `${path}.items.${how}`, why));
  }
  return errors;
}
