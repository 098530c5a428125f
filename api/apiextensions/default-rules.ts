// Defaults in a definition's schemas: each must be what the schema itself would accept, whole and unpruned.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue } from '../field-error.ts';
import type { JSONSchemaProps } from '../generated/types.ts';
import { deepEqual } from '../meta/deep-equal.ts';
import { DecodeError } from '../schema/decode-place.ts';
import { fillDefaults } from '../schema/structural/defaults.ts';
import { prunedPart } from '../schema/structural/prune.ts';
import { isSchema } from '../schema/structural/sayings.ts';
import { type Structural, structuralOf } from '../schema/structural/structural.ts';
import { schemaErrors } from '../schema/structural/validate.ts';
import { embeddedErrors } from './embedded-objects.ts';
import { brokenRules, WHOLE } from './rules/broken-rules.ts';

/** Errors of all defaults of a structural schema. */
export function defaultErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  if (schema.default !== undefined)
    return [forbiddenField(`${path}.default`, 'must not be set at the root')];
  // One tree for all: the parts of a schema are the parts of its tree.
  return below({ schema, tree: structuralOf(schema), path }, true, ownErrors);
}

interface At {
  readonly schema: JSONSchemaProps;
  readonly tree: Structural;
  readonly path: string;
}

type Check = (part: At) => FieldError[];

function below({ schema, tree, path }: At, root: boolean, check: Check): FieldError[] {
  if (!tree.hasDefaults) return [];
  const { properties = {}, items, additionalProperties: additional } = schema;
  const parts: At[] = Object.entries(properties).flatMap(([name, part]) => {
    const found = root && name === 'metadata' ? undefined : tree.properties.get(name);
    return found ? [{ schema: part, tree: found, path: `${path}.properties[${name}]` }] : [];
  });
  if (isSchema(items) && tree.items)
    parts.push({ schema: items, tree: tree.items, path: `${path}.items` });
  if (isSchema(additional) && tree.additional !== undefined && tree.additional !== 'any')
    parts.push({ schema: additional, tree: tree.additional, path: `${path}.additionalProperties` });
  return parts.flatMap((part) => [...check(part), ...below(part, false, check)]);
}

function ownErrors({ schema, tree, path }: At): FieldError[] {
  const value = schema.default;
  // Null is no default.
  if (value === undefined || value === null) return [];
  const at = `${path}.default`;
  const whole = wholeDefault(value, tree);
  if (whole instanceof DecodeError) return [invalidValue(at, value, whole.message)];
  if (!deepEqual(whole, value)) return [invalidValue(at, value, 'must not have unknown fields')];
  fillDefaults(whole, tree);
  return within(at, [...schemaErrors(whole, tree), ...embeddedErrors(whole, tree)]);
}

/** The default as it would be stored; or why metadata in it is none. */
function wholeDefault(value: unknown, tree: Structural): unknown {
  try {
    return prunedPart(value, tree);
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

/** The errors of a default, at their place in the definition. */
function within(at: string, errors: readonly FieldError[]): FieldError[] {
  return errors.map((error) => ({
    ...error,
    field: error.field === '' || error.field === WHOLE ? at : `${at}.${error.field}`,
  }));
}

/** Errors of defaults that break validation rules, of a schema whose defaults and rules are well by themselves. */
export function defaultRuleErrors(schema: JSONSchemaProps, tree: Structural, path: string) {
  return below({ schema, tree, path }, true, (part) => {
    const { default: value } = part.schema;
    if (value === undefined || value === null || !part.tree.hasValidations) return [];
    const whole = prunedPart(value, part.tree);
    fillDefaults(whole, part.tree);
    const { embedded: root } = part.tree;
    const asked = { value: whole, old: undefined, schema: part.tree, root };
    return within(`${part.path}.default`, brokenRules(asked));
  });
}
