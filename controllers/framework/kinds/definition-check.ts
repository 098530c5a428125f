// Holds a definition that is made here to the server's own rules, so that mistakes show in the author's test, without a server.
// Invariant: what passes here a server takes; places are told in the author's terms, with what to write instead.
import { customResourceDefinitionDefinition as rules } from '../../../api/apiextensions/custom-resource-definition.ts';
import { validateDefinition } from '../../../api/apiextensions/definition-validation.ts';
import type { FieldError } from '../../../api/field-error.ts';
import type { CustomResourceDefinition } from '../../../api/generated/types.ts';
import type { KindFault } from './kind-error.ts';

/** The definition as a server would store it; changes nothing of what is given. */
export function asStored(crd: CustomResourceDefinition): CustomResourceDefinition {
  const stored = structuredClone(crd);
  rules.defaults?.(stored);
  rules.prepareForCreate?.(stored);
  return stored;
}

/** What a server would refuse about the definition. */
export function definitionFaults(crd: CustomResourceDefinition): KindFault[] {
  const stored = asStored(crd);
  return validateDefinition(stored, undefined).map((error) => faultOf(error, stored));
}

/** What a server that has the one would refuse about the other. */
export function changeFaults(
  old: CustomResourceDefinition,
  next: CustomResourceDefinition,
): KindFault[] {
  const changed = structuredClone(next);
  changed.metadata = { ...old.metadata, ...changed.metadata };
  changed.status = structuredClone(old.status);
  rules.defaults?.(changed);
  rules.prepareForUpdate?.(changed, old);
  return validateDefinition(changed, old).map((error) => faultOf(error, changed));
}

function faultOf({ field, message }: FieldError, crd: CustomResourceDefinition): KindFault {
  const hint = HINTS.find(([pattern]) => pattern.test(message))?.[1];
  return {
    path: authorsPath(field, crd),
    message: hint === undefined ? message : `${message} (${hint})`,
  };
}

/** What to write instead, where the server's words do not say it. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /must be a valid regular expression/,
    'patterns are RE2: no look-ahead, no look-behind, no back-references; say it as a CEL rule',
  ],
  [/must have a default or be a required property/, 'make the key required, or give it a default'],
  [/must not be empty for specified/, 'say its type'],
  [
    /estimated rule cost/,
    'in zod: .max(…) on lists and texts; a map is bounded by .meta({ maxProperties: … })',
  ],
  [/should be a domain with at least one dot/, "such as 'backups.example.com'"],
  [/exactly one version marked as storage/, 'storageVersion names this version or one of versions'],
  [/must have approval annotation/, 'use a domain of your own as the group'],
];

const SCHEMA = /^spec\.(?:validation|versions\[(\d+)\]\.schema)\.openAPIV3Schema\.?/;

/** `properties[spec].properties[targets].items` is `spec.targets[]`. */
export function schemaPath(path: string): string {
  return path
    .replaceAll(/\.?properties\[([^\]]*)\]/g, '.$1')
    .replaceAll(/(?:^|\.)items\b/g, '[]')
    .replaceAll(/(?:^|\.)additionalProperties\b/g, '{}')
    .replace(/^\./, '');
}

/** `spec.versions[1].schema.openAPIV3Schema.properties[spec].items` is `v1alpha1 spec[]`. */
function authorsPath(field: string, { spec }: CustomResourceDefinition): string {
  const schema = SCHEMA.exec(field);
  if (schema) {
    const path = schemaPath(field.slice(schema[0].length));
    const version = schema[1] === undefined ? undefined : spec.versions[Number(schema[1])]?.name;
    return version === undefined ? path : `${version} ${path}`;
  }
  const version = /^spec\.versions\[(\d+)\]\./.exec(field);
  const name = version && spec.versions[Number(version[1])]?.name;
  if (version && name) return `${name} ${optionOf(field.slice(version[0].length))}`;
  return optionOf(field.replace(/^spec\./, ''));
}

/** What the author calls it. */
function optionOf(field: string): string {
  return field
    .replace(/^names\./, '')
    .replace(/^subresources\.scale/, 'scale')
    .replace(/^additionalPrinterColumns/, 'columns');
}
