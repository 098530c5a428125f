// Rules of ResourceQuotas: known resources, scopes that fit them and each other.
// Invariant: the scopes of a quota stay as they were made.
import { table } from '../../base/table.ts';
import type { FieldError } from '../field-error.ts';
import { invalidValue, required } from '../field-error.ts';
import type {
  ResourceQuota,
  ResourceQuotaSpec,
  ScopedResourceSelectorRequirement,
} from '../generated/types.ts';
import {
  isQuotaResource,
  validateQuotaResourceName,
  validateResourceAmount,
} from './resource-names.ts';

const PODS = new Set(['pods']);
const POD_RESOURCES = new Set([
  'pods',
  ...['', 'requests.', 'limits.'].flatMap((prefix) => [`${prefix}cpu`, `${prefix}memory`]),
]);
const CLAIM_RESOURCES = new Set(['persistentvolumeclaims', 'requests.storage']);

/** The resources that each scope can stand beside. */
const SCOPES: Readonly<Record<string, ReadonlySet<string>>> = table({
  BestEffort: PODS,
  NotBestEffort: POD_RESOURCES,
  Terminating: POD_RESOURCES,
  NotTerminating: POD_RESOURCES,
  PriorityClass: POD_RESOURCES,
  CrossNamespacePodAffinity: POD_RESOURCES,
  VolumeAttributesClass: CLAIM_RESOURCES,
});
/** Scopes that are or are not, without values. */
const PLAIN = new Set([
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
]);
const OPPOSITES = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

/** Rules of a quota, new or changed. */
export function validateQuota(quota: ResourceQuota, old: ResourceQuota | undefined): FieldError[] {
  const { spec = {} } = quota;
  const scopes = spec.scopes ?? [];
  const before = old?.spec?.scopes ?? [];
  const kept = new Set([...scopes, ...before]).size === new Set(before).size;
  const same = old === undefined || (kept && new Set(scopes).size === new Set(before).size);
  return [
    ...validateAmounts(spec.hard, 'spec.hard'),
    ...validateScopes(spec),
    ...(spec.scopeSelector?.matchExpressions ?? []).flatMap((requirement) =>
      validateRequirement(requirement, spec),
    ),
    ...validateOpposites(
      (spec.scopeSelector?.matchExpressions ?? []).map(({ scopeName }) => scopeName),
      spec,
      'spec.scopeSelector.matchExpressions',
    ),
    ...(same ? [] : [invalidValue('spec.scopes', scopes, 'field is immutable')]),
  ];
}

/** Rules of a quota's status. */
export function validateQuotaStatus({ status }: ResourceQuota): FieldError[] {
  return [
    ...validateAmounts(status?.hard, 'status.hard'),
    ...validateAmounts(status?.used, 'status.used'),
  ];
}

function validateAmounts(
  amounts: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, amount]) => [
    ...validateQuotaResourceName(name, `${path}[${name}]`),
    ...validateResourceAmount(name, amount, `${path}[${name}]`),
  ]);
}

/** Resources of the quota that the scope says nothing of. */
function unfit(scope: string, { hard }: ResourceQuotaSpec): string[] {
  const fits = SCOPES[scope];
  if (fits === undefined) return [];
  return Object.keys(hard ?? {}).filter((name) => isQuotaResource(name) && !fits.has(name));
}

function validateScopes(spec: ResourceQuotaSpec): FieldError[] {
  const { scopes = [] } = spec;
  const path = 'spec.scopes';
  return [
    ...scopes.flatMap((scope) => [
      ...(scope in SCOPES ? [] : [invalidValue(path, scopes, 'unsupported scope')]),
      ...unfit(scope, spec).map(() =>
        invalidValue(path, scopes, 'unsupported scope applied to resource'),
      ),
    ]),
    ...validateOpposites(scopes, spec, path),
  ];
}

function validateOpposites(
  scopes: readonly string[],
  spec: ResourceQuotaSpec,
  path: string,
): FieldError[] {
  return OPPOSITES.filter((pair) => pair.every((scope) => scopes.includes(scope))).map(() =>
    invalidValue(path, spec.scopes ?? null, 'conflicting scopes'),
  );
}

function validateRequirement(
  { scopeName, operator, values = [] }: ScopedResourceSelectorRequirement,
  spec: ResourceQuotaSpec,
): FieldError[] {
  const path = 'spec.scopeSelector.matchExpressions';
  const errors = unfit(scopeName, spec).map(() =>
    invalidValue(path, spec.scopeSelector, 'unsupported scope applied to resource'),
  );
  if (!(scopeName in SCOPES)) {
    errors.push(invalidValue(`${path}.scopeName`, scopeName, 'unsupported scope'));
  }
  if (PLAIN.has(scopeName) && operator !== 'Exists') {
    const why =
      "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, " +
      'ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ' +
      'ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity';
    errors.push(invalidValue(`${path}.operator`, operator, why));
  }
  return [...errors, ...validateValues(operator, values, path)];
}

function validateValues(operator: string, values: readonly string[], path: string): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn': {
      const why =
        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      return values.length > 0 ? [] : [required(`${path}.values`, why)];
    }
    case 'Exists':
    case 'DoesNotExist': {
      const why =
        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      return values.length === 0 ? [] : [invalidValue(`${path}.values`, values, why)];
    }
    default:
      return [invalidValue(`${path}.operator`, operator, 'not a valid selector operator')];
  }
}
