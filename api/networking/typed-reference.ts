// References to an object of any kind, as Ingress backends and class parameters hold them.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { required } from '../field-error.ts';
import { obeys } from '../meta/field-rules.ts';
import { dnsSubdomain, pathSegmentName } from '../meta/names.ts';

/** A group, a kind and a name. */
export interface TypedReference {
  readonly apiGroup?: string | undefined;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
}

/** Kind and name are there and fit into a path; a group, if one is given, is a domain. */
export function validateTypedReference(
  { apiGroup, kind, name }: TypedReference,
  path: string,
): FieldError[] {
  return [
    ...obeys(dnsSubdomain, apiGroup, `${path}.apiGroup`),
    ...segment(kind, `${path}.kind`, 'kind is required'),
    ...segment(name, `${path}.name`, 'name is required'),
  ];
}

function segment(value: string | undefined, path: string, missing: string): FieldError[] {
  return value ? obeys(pathSegmentName, value, path) : [required(path, missing)];
}
