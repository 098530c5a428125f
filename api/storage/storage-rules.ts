// Rules that kinds of storage.k8s.io share: names of drivers, parameters.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { invalidValue, required, tooLong } from '../field-error.ts';
import { mustObey, obeys } from '../meta/field-rules.ts';
import { DNS_LABEL_MAX, dnsSubdomain, qualifiedName } from '../meta/names.ts';

const MAX_PARAMETERS = 512;
const MAX_PARAMETERS_BYTES = 256 * 1024;

/** Name of a CSI driver: a subdomain of at most 63 characters in letters of either case. */
export function driverName(name: string): string | undefined {
  if (name.length > DNS_LABEL_MAX) return `must be no more than ${DNS_LABEL_MAX} characters`;
  return dnsSubdomain(name.toLowerCase());
}

/** A field that names a CSI driver. */
export function validateDriver(name: string | undefined, path: string): FieldError[] {
  if (name && name.length > DNS_LABEL_MAX) return [tooLong(path, DNS_LABEL_MAX)];
  return mustObey(driverName, name, path);
}

/** A field that names what makes volumes. */
export function validateProvisioner(name: string | undefined, path: string): FieldError[] {
  return name ? obeys((text) => qualifiedName(text.toLowerCase()), name, path) : [required(path)];
}

/** Parameters are so many and so long at most, and each has a name. */
export function validateParameters(
  parameters: Readonly<Record<string, string>>,
  path: string,
): FieldError[] {
  const entries = Object.entries(parameters);
  const errors: FieldError[] = [];
  if (entries.length > MAX_PARAMETERS) errors.push(tooLong(path, MAX_PARAMETERS));
  if (Object.hasOwn(parameters, '')) errors.push(invalidValue(path, '', 'field can not be empty.'));
  const bytes = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (bytes > MAX_PARAMETERS_BYTES) errors.push(tooLong(path, MAX_PARAMETERS_BYTES));
  return errors;
}
