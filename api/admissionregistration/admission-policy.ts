// ValidatingAdmissionPolicies and MutatingAdmissionPolicies: rules of writes as expressions.
// Invariant: an expression that is stored compiles, unless it was stored before.
import { ALL_VERBS, defineResource, type Column, WRITABLE_METADATA } from '../definition.ts';
import type {
  MutatingAdmissionPolicy,
  ParamKind,
  ValidatingAdmissionPolicy,
} from '../generated/types.ts';
import { MutatingAdmissionPolicies, ValidatingAdmissionPolicies } from '../kinds.ts';
import { ageColumn, count, nameColumn, text } from '../meta/columns.ts';
import { validatePolicyStatus } from './policy-status.ts';
import { validateMutatingPolicy, validateValidatingPolicy } from './policy-validation.ts';
import { defaultMatchResources } from './rule-validation.ts';

/** What ValidatingAdmissionPolicies are. */
export const validatingAdmissionPolicyDefinition = defineResource<ValidatingAdmissionPolicy>({
  ref: ValidatingAdmissionPolicies,
  singular: 'validatingadmissionpolicy',
  listKind: 'ValidatingAdmissionPolicyList',
  shortNames: [],
  categories: ['api-extensions'],
  schemaName: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy',
  verbs: ALL_VERBS,
  hasStatus: true,
  keptByStatus: WRITABLE_METADATA,
  hasGeneration: true,
  putNeedsVersion: true,
  subresources: [],
  columns: [
    nameColumn,
    count('Validations', 'How many rules it has.', ({ spec }) => spec?.validations?.length ?? 0),
    paramKindColumn(),
    ageColumn,
  ],
  selectableFields: {},
  defaults({ spec }) {
    if (!spec) return;
    spec.failurePolicy ??= 'Fail';
    defaultMatchResources(spec.matchConstraints);
  },
  prepareForCreate(policy) {
    policy.status = {};
  },
  validate: ({ spec }, old) => validateValidatingPolicy(spec ?? {}, old?.spec),
  validateStatus: ({ status }) => validatePolicyStatus(status ?? {}),
});

/** What MutatingAdmissionPolicies are. */
export const mutatingAdmissionPolicyDefinition = defineResource<MutatingAdmissionPolicy>({
  ref: MutatingAdmissionPolicies,
  singular: 'mutatingadmissionpolicy',
  listKind: 'MutatingAdmissionPolicyList',
  shortNames: [],
  categories: ['api-extensions'],
  schemaName: 'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: true,
  putNeedsVersion: true,
  subresources: [],
  columns: [
    nameColumn,
    count('Mutations', 'How many changes it makes.', ({ spec }) => spec?.mutations?.length ?? 0),
    paramKindColumn(),
    ageColumn,
  ],
  selectableFields: {},
  defaults({ spec }) {
    if (!spec) return;
    spec.failurePolicy ??= 'Fail';
    defaultMatchResources(spec.matchConstraints);
  },
  validate: ({ spec }, old) => validateMutatingPolicy(spec ?? {}, old?.spec),
});

interface WithParamKind {
  readonly spec?: { readonly paramKind?: ParamKind | undefined } | undefined;
}

function paramKindColumn(): Column<WithParamKind> {
  return text('ParamKind', 'The kind of its parameters.', ({ spec }) => {
    const { apiVersion = '', kind = '' } = spec?.paramKind ?? {};
    return spec?.paramKind === undefined ? '<unset>' : `${apiVersion}/${kind}`;
  });
}
