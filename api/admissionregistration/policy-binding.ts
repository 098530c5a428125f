// ValidatingAdmissionPolicyBindings and MutatingAdmissionPolicyBindings: where a policy holds, and with which parameters.
// Invariant: pure; a binding may name a policy that is not there, and holds nobody to anything until it is.
import { ALL_VERBS, defineResource, type Column } from '../definition.ts';
import type {
  MutatingAdmissionPolicyBinding,
  ParamRef,
  ValidatingAdmissionPolicyBinding,
} from '../generated/types.ts';
import { MutatingAdmissionPolicyBindings, ValidatingAdmissionPolicyBindings } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { labelSelectorText } from '../meta/labels.ts';
import { validateActions, validateBinding, validateMutatingBinding } from './policy-validation.ts';
import { defaultMatchResources } from './rule-validation.ts';

/** What ValidatingAdmissionPolicyBindings are. */
export const validatingAdmissionPolicyBindingDefinition =
  defineResource<ValidatingAdmissionPolicyBinding>({
    ref: ValidatingAdmissionPolicyBindings,
    singular: 'validatingadmissionpolicybinding',
    listKind: 'ValidatingAdmissionPolicyBindingList',
    shortNames: [],
    categories: ['api-extensions'],
    schemaName: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding',
    verbs: ALL_VERBS,
    hasStatus: false,
    hasGeneration: true,
    putNeedsVersion: true,
    subresources: [],
    columns: [nameColumn, ...bindingColumns(), ageColumn],
    selectableFields: {},
    defaults: ({ spec }) => defaultMatchResources(spec?.matchResources),
    validate: ({ spec }) => [...validateBinding(spec ?? {}), ...validateActions(spec ?? {})],
  });

/** What MutatingAdmissionPolicyBindings are. */
export const mutatingAdmissionPolicyBindingDefinition =
  defineResource<MutatingAdmissionPolicyBinding>({
    ref: MutatingAdmissionPolicyBindings,
    singular: 'mutatingadmissionpolicybinding',
    listKind: 'MutatingAdmissionPolicyBindingList',
    shortNames: [],
    categories: ['api-extensions'],
    schemaName: 'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding',
    verbs: ALL_VERBS,
    hasStatus: false,
    hasGeneration: true,
    putNeedsVersion: true,
    subresources: [],
    columns: [nameColumn, ...bindingColumns(), ageColumn],
    selectableFields: {},
    defaults: ({ spec }) => defaultMatchResources(spec?.matchResources),
    validate: ({ spec }) => validateMutatingBinding(spec ?? {}),
  });

interface BindingSpec {
  readonly policyName?: string | undefined;
  readonly paramRef?: ParamRef | undefined;
}

function bindingColumns(): Column<{ readonly spec?: BindingSpec | undefined }>[] {
  return [
    text('PolicyName', 'The policy.', ({ spec }) => spec?.policyName ?? ''),
    text('ParamRef', 'Its parameters.', ({ spec }) => paramText(spec?.paramRef)),
  ];
}

/** Whether parameters have a namespace cannot be told from here, so one that is not given is a star. */
function paramText(ref: ParamRef | undefined): string {
  if (ref?.name) return `${ref.namespace || '*'}/${ref.name}`;
  return ref?.selector ? labelSelectorText(ref.selector) : '<unset>';
}
