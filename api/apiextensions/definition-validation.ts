// Rules of CustomResourceDefinitions: names, scope, versions, conversion; what may change once the kind is served.
// Pure; wordings are those API clients know. Schemas, columns and subresources have files of their own.
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, required } from '../field-error.ts';
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from '../generated/types.ts';
import { isConditionTrue } from '../meta/conditions.ts';
import { deepEqual } from '../meta/deep-equal.ts';
import { unchanged } from '../meta/field-rules.ts';
import { dns1035Label, dnsSubdomain, type NameRule } from '../meta/names.ts';
import { requiredOneOf } from '../meta/numbers.ts';
import { validateWebhookClient } from '../admissionregistration/webhook-validation.ts';
import { patternSizeErrors } from './pattern-rules.ts';
import { definitionRuleErrors } from './rules/definition-rules.ts';
import { type Part, partErrors } from './version-validation.ts';

/** Groups that only the project itself may define kinds in, unless an annotation says who approved it. */
const PROTECTED_GROUP = /(?:^|\.)(?:k8s|kubernetes)\.io$/;
const APPROVAL = 'api-approved.kubernetes.io';
const REVIEW_VERSIONS = ['v1', 'v1beta1'];

/** Of one definition, this many broken rules are told. */
export const MAX_DEFINITION_ERRORS = 100;

/** Rules of a definition, on create and on update; at most MAX_DEFINITION_ERRORS of those that are broken. */
export function validateDefinition(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): FieldError[] {
  return allErrors(definition, old).slice(0, MAX_DEFINITION_ERRORS);
}

/** A stored definition may lack anything that is asked for now. */
function versionsIn(old: Partial<CustomResourceDefinition> | undefined) {
  return old?.spec?.versions ?? [];
}

function allErrors(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): FieldError[] {
  const { metadata, spec = {} } = definition as Partial<CustomResourceDefinition> &
    Pick<CustomResourceDefinition, 'metadata'>;
  const { group = '', names, versions = [] } = spec as Partial<CustomResourceDefinitionSpec>;
  const errors: FieldError[] = [];
  if (metadata.name !== `${names?.plural ?? ''}.${group}`) {
    const why = 'must be spec.names.plural+"."+spec.group';
    errors.push(invalidValue('metadata.name', metadata.name, why));
  }
  const tooLarge = patternSizeErrors(versions, versionsIn(old));
  const wrong = tooLarge.length > 0 ? tooLarge : specErrors(spec);
  // Types for expressions are made of schemas that are well.
  const rules = wrong.length > 0 ? [] : definitionRuleErrors(versions, versionsIn(old));
  errors.push(...wrong, ...rules);
  if (PROTECTED_GROUP.test(group) && old === undefined)
    errors.push(...approvalErrors(metadata.annotations?.[APPROVAL]));
  if (old === undefined) return errors;
  return [...errors, ...changeErrors(definition, old), ...validateDefinitionStatus(definition)];
}

/** Rules of a status: the names in it are names, and every version that objects may be stored in is still described. */
export function validateDefinitionStatus({ spec, status }: CustomResourceDefinition): FieldError[] {
  const { acceptedNames, storedVersions = [] } = status ?? {};
  return [
    ...(acceptedNames ? nameErrors(acceptedNames, 'status.acceptedNames') : []),
    ...validateStoredVersions(storedVersions, spec),
  ];
}

/** Every version that objects may be stored in is still described. */
function validateStoredVersions(
  stored: readonly string[],
  { versions = [] }: Partial<CustomResourceDefinitionSpec> = {},
): FieldError[] {
  const path = 'status.storedVersions';
  const known = new Set(versions.map(({ name }) => name));
  if (stored.length === 0)
    return [invalidValue(path, stored, 'must have at least one stored version')];
  return stored.flatMap((name, i) => {
    if (known.has(name)) return [];
    const why =
      `missing from spec.versions; ${name} was previously a storage version, and must remain in ` +
      'spec.versions until a storage migration ensures no data remains persisted in ' +
      `${name} and removes ${name} from status.storedVersions`;
    return [invalidValue(`${path}[${i}]`, name, why)];
  });
}

function approvalErrors(approval: string | undefined): FieldError[] {
  const at = `metadata.annotations[${APPROVAL}]`;
  if (approval === undefined)
    return [
      required(
        at,
        'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ),
    ];
  if (approval.startsWith('unapproved') || URL.canParse(approval)) return [];
  const why =
    'protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111';
  return [invalidValue(at, approval, why)];
}

function specErrors(spec: Partial<CustomResourceDefinitionSpec>): FieldError[] {
  const { group, scope, names, versions = [], conversion } = spec;
  const errors: FieldError[] = [];
  if (!group) errors.push(required('spec.group'));
  else errors.push(...groupErrors(group));
  errors.push(...requiredOneOf(scope, ['Cluster', 'Namespaced'], 'spec.scope'));
  for (const name of ['plural', 'singular', 'kind', 'listKind'] as const)
    if (!names?.[name]) errors.push(required(`spec.names.${name}`));
  if (names) errors.push(...nameErrors(names, 'spec.names'));
  if (spec.preserveUnknownFields) {
    const why =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(invalidValue('spec.preserveUnknownFields', true, why));
  }
  return [...errors, ...versionErrors(versions), ...conversionErrors(conversion)];
}

function groupErrors(group: string): FieldError[] {
  const bad = dnsSubdomain(group);
  if (bad !== undefined) return [invalidValue('spec.group', group, bad)];
  if (group.includes('.')) return [];
  return [invalidValue('spec.group', group, 'should be a domain with at least one dot')];
}

/** Rules of names, in spec and in status. */
function nameErrors(names: CustomResourceDefinitionNames, path: string): FieldError[] {
  const { plural, singular, kind, listKind, shortNames = [], categories = [] } = names;
  const mixedCase: NameRule = (value) => {
    const bad = dns1035Label(value.toLowerCase());
    return bad && `may have mixed case, but should otherwise match: ${bad}`;
  };
  const checked: [string | undefined, string, NameRule][] = [
    [plural, 'plural', dns1035Label],
    [singular, 'singular', dns1035Label],
    [kind, 'kind', mixedCase],
    [listKind, 'listKind', mixedCase],
    ...shortNames.map((name, i): [string, string, NameRule] => [
      name,
      `shortNames[${i}]`,
      dns1035Label,
    ]),
    ...categories.map((name, i): [string, string, NameRule] => [
      name,
      `categories[${i}]`,
      dns1035Label,
    ]),
  ];
  const errors = checked.flatMap(([value, field, rule]) => {
    const bad = value ? rule(value) : undefined;
    return bad === undefined ? [] : [invalidValue(`${path}.${field}`, value, bad)];
  });
  if (kind && kind === listKind) {
    const why = 'kind and listKind may not be the same';
    errors.push(invalidValue(`${path}.listKind`, listKind, why));
  }
  return errors;
}

function versionErrors(versions: readonly CustomResourceDefinitionVersion[]): FieldError[] {
  const names = versions.map(({ name }) => name);
  const errors = names.flatMap((name, i) => {
    const bad = dns1035Label(name ?? '');
    return bad === undefined ? [] : [invalidValue(`spec.versions[${i}].name`, name ?? '', bad)];
  });
  if (new Set(names).size < names.length)
    errors.push(invalidValue('spec.versions', names, 'must contain unique version names'));
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const why = 'must have exactly one version marked as storage version';
    errors.push(invalidValue('spec.versions', names, why));
  }
  versions.forEach(({ deprecated, deprecationWarning }, i) => {
    if (deprecationWarning === undefined) return;
    const at = `spec.versions[${i}].deprecationWarning`;
    if (!deprecated)
      errors.push(invalidValue(at, deprecationWarning, 'can only be set for deprecated versions'));
    if (deprecationWarning.length > 256 || /[^\x20-\x7e]/.test(deprecationWarning)) {
      const why = 'must be at most 256 printable characters';
      errors.push(invalidValue(at, deprecationWarning, why));
    }
  });
  for (const part of [
    'schema',
    'subresources',
    'additionalPrinterColumns',
    'selectableFields',
  ] as const)
    errors.push(...everywhere(versions, part));
  return errors;
}

/** Upstream tells of what all versions have in common once, at the place where it stood before there were versions. */
function everywhere(
  versions: readonly CustomResourceDefinitionVersion[],
  part: Part,
): FieldError[] {
  const [first] = versions;
  const same = versions.every((version) => deepEqual(version[part], first?.[part]));
  if (same && first) return partErrors(first, part, 'spec');
  return versions.flatMap((version, i) => partErrors(version, part, `spec.versions[${i}]`));
}

function conversionErrors(conversion: CustomResourceConversion | undefined): FieldError[] {
  const errors = requiredOneOf(
    conversion?.strategy,
    ['None', 'Webhook'],
    'spec.conversion.strategy',
  );
  const { webhook, strategy } = conversion ?? {};
  const path = 'spec.conversion.webhook';
  if (strategy !== 'Webhook') {
    if (webhook !== undefined) {
      const why = 'should not be set when strategy is not set to Webhook';
      errors.push(forbiddenField(path, why));
    }
    return errors;
  }
  if (webhook?.clientConfig === undefined) {
    const why = 'required when strategy is set to Webhook';
    errors.push(required('spec.conversion.webhookClientConfig', why));
  } else errors.push(...validateWebhookClient(webhook.clientConfig, `${path}.clientConfig`));
  const reviews = webhook?.conversionReviewVersions ?? [];
  if (reviews.length === 0) errors.push(required(`${path}.conversionReviewVersions`));
  else if (!reviews.some((version) => REVIEW_VERSIONS.includes(version))) {
    const why = `must include at least one of ${REVIEW_VERSIONS.join(', ')}`;
    errors.push(invalidValue(`${path}.conversionReviewVersions`, reviews, why));
  }
  return errors;
}

function changeErrors(
  { spec }: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  const errors = [
    ...unchanged(spec?.group, old.spec?.group, 'spec.group'),
    ...unchanged(spec?.names?.plural, old.spec?.names?.plural, 'spec.names.plural'),
  ];
  if (!isConditionTrue(old.status?.conditions, 'Established')) return errors;
  return [
    ...errors,
    ...unchanged(spec.scope, old.spec.scope, 'spec.scope'),
    ...unchanged(spec.names?.kind, old.spec.names?.kind, 'spec.names.kind'),
  ];
}
