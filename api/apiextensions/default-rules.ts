// Defaults in a definition's schemas: each must be what the schema itself would accept, whole and unpruned.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue } from '../field-error.ts';
import type { JSONSchemaProps } from '../generated/types.ts';
import { deepEqual } from '../meta/deep-equal.ts';
import { fillDefaults } from '../schema/structural/defaults.ts';
import { prunedPart } from '../schema/structural/prune.ts';
import { isSchema, structuralOf } from '../schema/structural/structural.ts';
import { schemaErrors } from '../schema/structural/validate.ts';

/** Errors of all defaults of a structural schema. */
export function defaultErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  if (schema.default !== undefined)
    return [forbiddenField(`${path}.default`, 'must not be set at the root')];
  return below(schema, path, true);
}

function below(schema: JSONSchemaProps, path: string, root: boolean): FieldError[] {
  const { properties = {}, items, additionalProperties: additional } = schema;
  const parts: [JSONSchemaProps, string][] = Object.entries(properties)
    .filter(([name]) => !(root && name === 'metadata'))
    .map(([name, part]) => [part, `${path}.properties[${name}]`]);
  if (isSchema(items)) parts.push([items, `${path}.items`]);
  if (isSchema(additional)) parts.push([additional, `${path}.additionalProperties`]);
  return parts.flatMap(([part, at]) => [...ownErrors(part, at), ...below(part, at, false)]);
}

function ownErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  const value = schema.default;
  if (value === undefined) return [];
  const at = `${path}.default`;
  const structural = structuralOf(schema);
  const whole = prunedPart(value, structural);
  if (!deepEqual(whole, value))
    return [invalidValue(at, value, 'must not have fields that the schema does not have')];
  fillDefaults(whole, structural);
  return schemaErrors(whole, structural).map(({ field, message }) =>
    invalidValue(field === '' ? at : `${at}.${field}`, value, message),
  );
}
