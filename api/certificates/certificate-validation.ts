// Rules of CertificateSigningRequests: what is asked, of whom, and what may be decided.
// Pure; wordings are those API clients know. The request's form is looked at; its signature is not proven.
import type { FieldError } from '../field-error.ts';
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../field-error.ts';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
  CertificateSigningRequestSpec,
} from '../generated/types.ts';
import { deepEqual } from '../meta/deep-equal.ts';
import { dnsLabel, dnsSubdomain } from '../meta/names.ts';
import { repeats } from '../meta/repeats.ts';
import { pemFault } from './pem.ts';

const MIN_SECONDS = 600;
const MAX_SIGNER = 571;
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown';
const DECISIONS = ['Approved', 'Denied'];
const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

/** Rules of a new request's spec. */
export function validateRequestSpec(spec: Partial<CertificateSigningRequestSpec>): FieldError[] {
  const { request = '', usages = [], signerName = '', expirationSeconds } = spec;
  const errors: FieldError[] = [];
  const fault = pemFault(request, 'CERTIFICATE REQUEST');
  if (fault !== undefined) errors.push(invalidValue('spec.request', request, fault));
  if (usages.length === 0) errors.push(required('spec.usages'));
  const repeated = repeats(usages);
  usages.forEach((usage, i) => {
    const path = `spec.usages[${i}]`;
    if (!USAGES.includes(usage)) errors.push(notSupported(path, usage, USAGES));
    if (repeated.has(i)) errors.push(duplicate(path, usage));
  });
  if (signerName === LEGACY_SIGNER) {
    const why = 'the legacy signerName is not allowed via this API version';
    errors.push(invalidValue('spec.signerName', signerName, why));
  } else errors.push(...validateSigner(signerName));
  if (expirationSeconds !== undefined && expirationSeconds < MIN_SECONDS) {
    const why = `may not specify a duration less than ${MIN_SECONDS} seconds (10 minutes)`;
    errors.push(invalidValue('spec.expirationSeconds', expirationSeconds, why));
  }
  return errors;
}

function validateSigner(name: string): FieldError[] {
  const path = 'spec.signerName';
  if (name === '') return [required(path)];
  const slash = name.indexOf('/');
  const [domain, rest] = [name.slice(0, slash), name.slice(slash + 1)];
  if (slash <= 0 || rest === '') {
    const why = 'must be a fully qualified domain and path of the form "example.com/signer-name"';
    return [invalidValue(path, name, why)];
  }
  const errors: FieldError[] = [];
  if (name.length > MAX_SIGNER) errors.push(tooLong(path, MAX_SIGNER));
  const badDomain = dnsSubdomain(domain);
  if (badDomain !== undefined) {
    errors.push(invalidValue(path, domain, `validating domain segment: ${badDomain}`));
  } else if (!domain.includes('.')) {
    const why = 'should be a domain with at least two segments separated by dots';
    errors.push(invalidValue(path, domain, why));
  }
  for (const label of rest.split('.')) {
    const bad = dnsLabel(label);
    if (bad !== undefined)
      errors.push(invalidValue(path, rest, `validating label "${label}": ${bad}`));
  }
  return errors;
}

/** Rules of a status, whichever way it is written. */
export function validateRequestStatus(
  { status = {} }: CertificateSigningRequest,
  old: CertificateSigningRequest,
): FieldError[] {
  const { conditions = [], certificate = '' } = status;
  const before = old.status ?? {};
  const errors = conditions.flatMap((condition, i) =>
    validateCondition(condition, { conditions, path: `status.conditions[${i}]` }),
  );
  errors.push(...validateDecisionsKept(conditions, before.conditions ?? []));
  if (before.certificate && certificate !== before.certificate) {
    const why = 'updates may not modify existing certificate content';
    errors.push(forbiddenField('status.certificate', why));
  } else if (certificate !== '') {
    const fault = pemFault(certificate, 'CERTIFICATE');
    if (fault !== undefined) errors.push(invalidValue('status.certificate', certificate, fault));
  }
  return errors;
}

function validateCondition(
  { type, status }: CertificateSigningRequestCondition,
  at: { conditions: readonly CertificateSigningRequestCondition[]; path: string },
): FieldError[] {
  const { conditions, path } = at;
  if (!type) return [required(`${path}.type`)];
  const errors: FieldError[] = [];
  const known = [...DECISIONS, 'Failed'].includes(type) ? ['True'] : ['True', 'False', 'Unknown'];
  if (!status) errors.push(required(`${path}.status`));
  else if (!known.includes(status)) errors.push(notSupported(`${path}.status`, status, known));
  const first = conditions.findIndex((other) => other.type === type);
  if (conditions[first]?.type === type && path !== `status.conditions[${first}]`) {
    errors.push(duplicate(`${path}.type`, type));
  }
  if (type === 'Denied' && conditions.some((other) => other.type === 'Approved')) {
    const why = 'Approved and Denied conditions are mutually exclusive';
    errors.push(invalidValue(`${path}.type`, type, why));
  }
  return errors;
}

/** A decision, or a failure, once written, stays as it is. */
function validateDecisionsKept(
  now: readonly CertificateSigningRequestCondition[],
  before: readonly CertificateSigningRequestCondition[],
): FieldError[] {
  return before
    .filter(({ type }) => [...DECISIONS, 'Failed'].includes(type))
    .flatMap((condition) => {
      const kept = now.find(({ type }) => type === condition.type);
      if (kept !== undefined && deepEqual(kept, condition)) return [];
      const change = kept === undefined ? 'remove' : 'modify';
      const why = `updates may not ${change} a condition of type "${condition.type}"`;
      return [forbiddenField('status.conditions', why)];
    });
}
