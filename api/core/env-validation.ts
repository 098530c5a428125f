// Rules of environment variables: names, one source each, and what each source must say.
// Pure; wordings are those API clients know.
import { gather } from '../../base/gather.ts';
import type { FieldError } from '../field-error.ts';
import { invalidValue, notSupported, required } from '../field-error.ts';
import type { EnvFromSource, EnvVar, EnvVarSource } from '../generated/types.ts';
import { configKey, envVarName } from '../meta/names.ts';

const FIELD_PATHS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
const RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

/** Rules of `env`. */
export function validateEnv(env: readonly EnvVar[], path: string): FieldError[] {
  return gather(env, (variable, i) => {
    const at = `${path}[${i}]`;
    const why = envVarName(variable.name ?? '');
    const errors: FieldError[] = [];
    if (!variable.name) errors.push(required(`${at}.name`));
    else if (why !== undefined) errors.push(invalidValue(`${at}.name`, variable.name, why));
    if (variable.valueFrom === undefined) return errors;
    return [...errors, ...validateSource(variable, variable.valueFrom, `${at}.valueFrom`)];
  });
}

function validateSource(variable: EnvVar, source: EnvVarSource, path: string): FieldError[] {
  const count = Object.values(source).filter((value) => value !== undefined).length;
  if (count === 0) {
    const why =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, ' +
      '`secretKeyRef` or `fileKeyRef`';
    return [invalidValue(path, '', why)];
  }
  const errors: FieldError[] = [];
  if (variable.value) {
    errors.push(invalidValue(path, '', 'may not be specified when `value` is not empty'));
  } else if (count > 1) {
    errors.push(invalidValue(path, '', 'may not have more than one field specified at a time'));
  }
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = source;
  if (fieldRef) errors.push(...validateFieldPath(fieldRef.fieldPath, `${path}.fieldRef.fieldPath`));
  if (resourceFieldRef) {
    const at = `${path}.resourceFieldRef.resource`;
    const { resource } = resourceFieldRef;
    if (!resource) errors.push(required(at));
    else if (!RESOURCES.includes(resource) && !/\.hugepages-/.test(resource)) {
      errors.push(notSupported(at, resource, RESOURCES));
    }
  }
  if (configMapKeyRef) errors.push(...validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`));
  if (secretKeyRef) errors.push(...validateKeyRef(secretKeyRef, `${path}.secretKeyRef`));
  return errors;
}

function validateFieldPath(fieldPath: string | undefined, path: string): FieldError[] {
  if (!fieldPath) return [required(path)];
  if (/^metadata\.(labels|annotations)\['[^']+'\]$/.test(fieldPath)) return [];
  return FIELD_PATHS.includes(fieldPath) ? [] : [notSupported(path, fieldPath, FIELD_PATHS)];
}

function validateKeyRef(
  ref: { name?: string | undefined; key: string },
  path: string,
): FieldError[] {
  const errors = ref.name ? [] : [required(`${path}.name`)];
  if (!ref.key) return [...errors, required(`${path}.key`)];
  const why = configKey(ref.key);
  return why === undefined ? errors : [...errors, invalidValue(`${path}.key`, ref.key, why)];
}

/** Rules of `envFrom`. */
export function validateEnvFrom(sources: readonly EnvFromSource[], path: string): FieldError[] {
  return gather(sources, (source, i) => {
    const at = `${path}[${i}]`;
    const { configMapRef, secretRef, prefix } = source;
    const errors: FieldError[] = [];
    const why = prefix ? envVarName(prefix) : undefined;
    if (why !== undefined) errors.push(invalidValue(`${at}.prefix`, prefix, why));
    if (!configMapRef && !secretRef) {
      errors.push(invalidValue(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    }
    if (configMapRef && secretRef) {
      errors.push(invalidValue(at, '', 'may not have more than one field specified at a time'));
    }
    if (configMapRef && !configMapRef.name) errors.push(required(`${at}.configMapRef.name`));
    if (secretRef && !secretRef.name) errors.push(required(`${at}.secretRef.name`));
    return errors;
  });
}
