// Rules of APIServices: the name says group and version, priorities have bounds, and another server is trusted one way.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, required } from '../field-error.ts';
import type { APIService, APIServiceSpec } from '../generated/types.ts';
import { mustObey, obeys } from '../meta/field-rules.ts';
import { dns1035Label, dnsSubdomain, portNumber } from '../meta/names.ts';

const MAX_GROUP_PRIORITY = 20_000;
const MAX_VERSION_PRIORITY = 1000;

/** Rules of an APIService, on create and on update. */
export function validateApiService({ metadata, spec }: APIService): FieldError[] {
  const { name = '' } = metadata;
  const { group = '', version = '' } = spec ?? {};
  const wanted = `${version}.${group}`;
  const errors: FieldError[] = [];
  if (name !== wanted) {
    const why = `must be \`spec.version+"."+spec.group\`: "${wanted}"`;
    errors.push(invalidValue('metadata.name', name, why));
  }
  return [...errors, ...validateSpec(spec ?? {})];
}

function validateSpec(spec: Partial<APIServiceSpec>): FieldError[] {
  const { group = '', version, groupPriorityMinimum = 0, versionPriority = 0 } = spec;
  return [
    ...validateGroup(group, version),
    ...mustObey(dns1035Label, version, 'spec.version'),
    ...priority(groupPriorityMinimum, MAX_GROUP_PRIORITY, 'spec.groupPriorityMinimum'),
    ...priority(versionPriority, MAX_VERSION_PRIORITY, 'spec.versionPriority'),
    ...(spec.service ? validateRemote(spec) : validateLocal(spec)),
  ];
}

function validateGroup(group: string, version: string | undefined): FieldError[] {
  if (group !== '') return obeys(dnsSubdomain, group, 'spec.group');
  return version === 'v1' ? [] : [required('spec.group', 'only v1 may have an empty group')];
}

function priority(value: number, max: number, path: string): FieldError[] {
  if (value > 0 && value <= max) return [];
  return [invalidValue(path, value, `must be positive and less than ${max}`)];
}

function validateLocal({ caBundle, insecureSkipTLSVerify }: Partial<APIServiceSpec>): FieldError[] {
  const errors: FieldError[] = [];
  if (caBundle) {
    const why = 'local APIServices may not have a caBundle';
    errors.push(invalidValue('spec.caBundle', `${caBundle.length} characters`, why));
  }
  if (insecureSkipTLSVerify) {
    const why = 'local APIServices may not have insecureSkipTLSVerify';
    errors.push(invalidValue('spec.insecureSkipTLSVerify', insecureSkipTLSVerify, why));
  }
  return errors;
}

function validateRemote(spec: Partial<APIServiceSpec>): FieldError[] {
  const { name, namespace, port } = spec.service ?? {};
  const errors: FieldError[] = [];
  if (!namespace) errors.push(required('spec.service.namespace'));
  if (!name) errors.push(required('spec.service.name'));
  const badPort = port === undefined ? undefined : portNumber(port);
  if (badPort !== undefined) {
    errors.push(invalidValue('spec.service.port', port, `port is not valid: ${badPort}`));
  }
  if (spec.insecureSkipTLSVerify && spec.caBundle) {
    errors.push(
      forbiddenField('spec.insecureSkipTLSVerify', 'may not be true if caBundle is present'),
    );
  }
  return errors;
}
