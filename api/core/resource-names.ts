// Names of resources that limits and quotas speak of: which are known, which are counted in whole units.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { invalidValue } from '../field-error.ts';
import { obeys } from '../meta/field-rules.ts';
import { qualifiedName } from '../meta/names.ts';
import { quantityNotNegative } from '../meta/numbers.ts';
import { tryParseQuantity } from '../meta/quantity.ts';

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const OBJECTS = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const QUOTA = new Set([
  ...COMPUTE,
  ...COMPUTE.map((name) => `requests.${name}`),
  ...COMPUTE.map((name) => `limits.${name}`),
  'requests.storage',
  ...OBJECTS,
]);
const STANDARD = new Set([...QUOTA, 'storage']);
const HUGE_PAGES = /^hugepages-/;
const HUGE_PAGES_QUOTA = /^(requests\.)?hugepages-/;
const ONE = 1_000_000_000n;

/** A resource's name, which is known or has a domain. */
export function validateResourceName(name: string, path: string): FieldError[] {
  const errors = obeys(qualifiedName, name, path);
  if (errors.length > 0 || name.includes('/') || STANDARD.has(name)) return errors;
  if (HUGE_PAGES_QUOTA.test(name)) return errors;
  return [invalidValue(path, name, 'must be a standard resource type or fully qualified')];
}

/** The name of a resource that containers can have. */
export function validateContainerResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (!name.includes('/')) {
    return COMPUTE.includes(name) || HUGE_PAGES.test(name)
      ? errors
      : [...errors, invalidValue(path, name, 'must be a standard resource for containers')];
  }
  return isNative(name) || isExtended(name)
    ? errors
    : [...errors, invalidValue(path, name, "doesn't follow extended resource name standard")];
}

/** The name of a resource that a quota can bound. */
export function validateQuotaResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  return name.includes('/') || isQuotaResource(name)
    ? errors
    : [...errors, invalidValue(path, name, 'must be a standard resource for quota')];
}

/** An amount that is not below zero, and whole where the resource is counted. */
export function validateResourceAmount(name: string, amount: string, path: string): FieldError[] {
  const errors = quantityNotNegative(amount, path);
  const quantity = tryParseQuantity(amount);
  const counted = OBJECTS.includes(name) || isExtended(name);
  if (!counted || quantity === undefined || quantity.nanos % ONE === 0n) return errors;
  return [...errors, invalidValue(path, amount, 'must be an integer')];
}

/** Does the quota system know the name by itself? */
export function isQuotaResource(name: string): boolean {
  return QUOTA.has(name) || HUGE_PAGES_QUOTA.test(name);
}

/** May more of it be limited than is asked for? */
export function isOvercommitAllowed(name: string): boolean {
  return isNative(name) && !HUGE_PAGES.test(name);
}

/** One of ours: without a domain, or with that of Kubernetes. */
function isNative(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

/** Somebody else's, and still a name when a quota puts `requests.` before it. */
function isExtended(name: string): boolean {
  if (isNative(name) || name.startsWith('requests.')) return false;
  return qualifiedName(`requests.${name}`) === undefined;
}
