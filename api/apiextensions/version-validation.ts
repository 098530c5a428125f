// Rules of what a version of a custom resource has: its schema, columns, subresources and selectable fields.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { duplicate, invalidValue, notSupported, required } from '../field-error.ts';
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresourceScale,
  JSONSchemaProps,
} from '../generated/types.ts';
import { requiredOneOf } from '../meta/numbers.ts';
import { parseJsonPath } from '../meta/json-path.ts';
import { repeats } from '../meta/repeats.ts';
import { defaultErrors } from './default-rules.ts';
import { schemaKeywordErrors } from './schema-rules.ts';
import { structuralErrors } from './structural-rules.ts';

/** The parts of a version that several versions may share. */
export type Part = 'additionalPrinterColumns' | 'schema' | 'selectableFields' | 'subresources';

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = [
  'int32',
  'int64',
  'float',
  'double',
  'byte',
  'date',
  'date-time',
  'password',
];
/** Fields that one definition may make selectable. */
const MAX_SELECTABLE = 8;
/** A path of plain names, as scale and selectable fields have it. */
const PLAIN_PATH = /^(?:\.[A-Za-z_][-A-Za-z0-9_]*)+$/;

/** Errors of one part; `path` is that of the version, or `spec` where all versions share it. */
export function partErrors(
  version: CustomResourceDefinitionVersion,
  part: Part,
  path: string,
): FieldError[] {
  switch (part) {
    case 'schema':
      return schemaErrorsOf(version.schema?.openAPIV3Schema, path);
    case 'subresources':
      return scaleErrors(version.subresources?.scale, `${path}.subresources.scale`);
    case 'additionalPrinterColumns':
      return (version.additionalPrinterColumns ?? []).flatMap((column, i) =>
        columnErrors(column, `${path}.additionalPrinterColumns[${i}]`),
      );
    case 'selectableFields':
      return selectableErrors(version, `${path}.selectableFields`);
  }
}

function schemaErrorsOf(schema: JSONSchemaProps | undefined, path: string): FieldError[] {
  const at = `${path}.${path === 'spec' ? 'validation' : 'schema'}.openAPIV3Schema`;
  if (schema === undefined) {
    const where = path === 'spec' ? 'spec.versions[0].schema.openAPIV3Schema' : at;
    return [required(where, 'schemas are required')];
  }
  const errors = [...schemaKeywordErrors(schema, at), ...structuralErrors(schema, at)];
  return errors.length > 0 ? errors : defaultErrors(schema, at);
}

function scaleErrors(
  scale: CustomResourceSubresourceScale | undefined,
  path: string,
): FieldError[] {
  if (scale === undefined) return [];
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale;
  return [
    ...replicaPathErrors(specReplicasPath, ['spec'], `${path}.specReplicasPath`),
    ...replicaPathErrors(statusReplicasPath, ['status'], `${path}.statusReplicasPath`),
    ...(labelSelectorPath
      ? replicaPathErrors(labelSelectorPath, ['status', 'spec'], `${path}.labelSelectorPath`)
      : []),
  ];
}

function replicaPathErrors(
  value: string | undefined,
  roots: readonly string[],
  path: string,
): FieldError[] {
  if (!value) return [required(path)];
  if (!PLAIN_PATH.test(value))
    return [invalidValue(path, value, 'must be a simple json path starting with .')];
  if (roots.some((root) => value.startsWith(`.${root}.`))) return [];
  const under = roots
    .toReversed()
    .map((root) => `.${root}`)
    .join(' or ');
  return [invalidValue(path, value, `should be a json path under ${under}`)];
}

function columnErrors(column: Partial<CustomResourceColumnDefinition>, path: string): FieldError[] {
  const { name, type, format, jsonPath } = column;
  const errors: FieldError[] = [];
  if (!name) errors.push(required(`${path}.name`));
  errors.push(...requiredOneOf(type, COLUMN_TYPES, `${path}.type`));
  if (format && !COLUMN_FORMATS.includes(format))
    errors.push(notSupported(`${path}.format`, format, COLUMN_FORMATS));
  if (!jsonPath) return [...errors, required(`${path}.JSONPath`)];
  return [...errors, ...jsonPathErrors(jsonPath, `${path}.jsonPath`)];
}

function jsonPathErrors(text: string, path: string): FieldError[] {
  if (!text.startsWith('.'))
    return [invalidValue(path, text, 'must be a simple json path starting with .')];
  try {
    parseJsonPath(text);
    return [];
  } catch (error) {
    return [invalidValue(path, text, `illegal JSONPath: ${(error as Error).message}`)];
  }
}

function selectableErrors(
  { selectableFields = [], schema }: CustomResourceDefinitionVersion,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (selectableFields.length > MAX_SELECTABLE)
    errors.push(
      invalidValue(path, selectableFields.length, `must have at most ${MAX_SELECTABLE} items`),
    );
  const repeated = repeats(selectableFields.map(({ jsonPath }) => jsonPath));
  selectableFields.forEach(({ jsonPath }, i) => {
    const at = `${path}[${i}].jsonPath`;
    if (!jsonPath) errors.push(required(at));
    else if (repeated.has(i)) errors.push(duplicate(at, jsonPath));
    else if (!PLAIN_PATH.test(jsonPath))
      errors.push(invalidValue(at, jsonPath, 'is an invalid path: must be a simple json path'));
    else if (jsonPath.startsWith('.metadata.'))
      errors.push(invalidValue(at, jsonPath, 'must not point to fields in metadata'));
    else errors.push(...selectedTypeErrors(schema?.openAPIV3Schema, jsonPath, at));
  });
  return errors;
}

function selectedTypeErrors(
  schema: JSONSchemaProps | undefined,
  jsonPath: string,
  path: string,
): FieldError[] {
  let place = schema;
  for (const name of jsonPath.slice(1).split('.')) place = place?.properties?.[name];
  if (place === undefined)
    return [invalidValue(path, jsonPath, 'is an invalid path: does not refer to a valid field')];
  if (['boolean', 'integer', 'string'].includes(place.type ?? '')) return [];
  return [
    invalidValue(
      path,
      jsonPath,
      'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed',
    ),
  ];
}
