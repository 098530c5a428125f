// Secrets: bytes under keys, in base64, with a type that says which keys there must be.
// stringData is for writers only: it is folded into data and never stored.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, required } from '../field-error.ts';
import type { Secret } from '../generated/types.ts';
import { Secrets } from '../kinds.ts';
import { ageColumn, count, nameColumn, text } from '../meta/columns.ts';
import { sameMeaning } from '../meta/deep-equal.ts';
import { IMMUTABLE_DATA, validateKeys, validateSize } from './data-validation.ts';

/** Whose token a secret of that type holds. */
const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';

/** What Secrets are. */
export const secretDefinition = defineResource<Secret>({
  ref: Secrets,
  singular: 'secret',
  listKind: 'SecretList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.Secret',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  subresources: [],
  columns: [
    nameColumn,
    text('Type', 'What it is for.', (secret) => secret.type ?? ''),
    count('Data', 'How many keys it has.', (secret) => Object.keys(secret.data ?? {}).length),
    ageColumn,
  ],
  selectableFields: { type: (secret) => secret.type ?? '' },
  defaults(secret) {
    secret.type ||= 'Opaque';
    foldStringData(secret);
  },
  prepareForUpdate(secret, old) {
    if (!secret.type) secret.type = old.type;
  },
  validate: (secret, old) => [
    ...validateKeys(secret.data ?? {}, 'data'),
    ...validateSize({ base64: secret.data ?? {} }, 'data'),
    ...validateType(secret),
    ...(old ? validateUnchanged(secret, old) : []),
  ],
});

function foldStringData(secret: Secret): void {
  if (secret.stringData === undefined) return;
  secret.data = { ...secret.data };
  for (const [key, value] of Object.entries(secret.stringData)) {
    secret.data[key] = Buffer.from(value).toString('base64');
  }
  delete secret.stringData;
}

function validateType(secret: Secret): FieldError[] {
  const need = (...keys: string[]) =>
    keys.filter((key) => secret.data?.[key] === undefined).map((key) => required(`data[${key}]`));
  switch (secret.type) {
    case 'kubernetes.io/service-account-token':
      return secret.metadata.annotations?.[SERVICE_ACCOUNT_NAME]
        ? []
        : [required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`)];
    case 'kubernetes.io/tls':
      return need('tls.crt', 'tls.key');
    case 'kubernetes.io/ssh-auth':
      return need('ssh-privatekey');
    case 'kubernetes.io/basic-auth': {
      const missing = need('username', 'password');
      return missing.length === 2 ? missing : [];
    }
    case 'kubernetes.io/dockercfg':
      return [...need('.dockercfg'), ...json(secret, '.dockercfg')];
    case 'kubernetes.io/dockerconfigjson':
      return [...need('.dockerconfigjson'), ...json(secret, '.dockerconfigjson')];
    default:
      return [];
  }
}

function json(secret: Secret, key: string): FieldError[] {
  const value = secret.data?.[key];
  if (value === undefined) return [];
  try {
    JSON.parse(Buffer.from(value, 'base64').toString());
    return [];
  } catch {
    // The parser's own words would quote the secret.
    return [invalidValue(`data[${key}]`, '<secret contents redacted>', 'must be valid JSON')];
  }
}

function validateUnchanged(secret: Secret, old: Secret): FieldError[] {
  const errors: FieldError[] = [];
  if (secret.type !== old.type) {
    errors.push(invalidValue('type', secret.type, 'field is immutable'));
  }
  if (!old.immutable) return errors;
  if (!secret.immutable) errors.push(forbiddenField('immutable', IMMUTABLE_DATA));
  if (!sameMeaning(secret.data, old.data)) errors.push(forbiddenField('data', IMMUTABLE_DATA));
  return errors;
}
