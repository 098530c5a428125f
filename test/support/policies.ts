// Admission policies and bindings as tests write them: what is not said is what most of them say.
// Invariant: each call makes objects of its own; a policy is about ConfigMaps unless it says otherwise.
import type { ApiCaller, Called } from './api-caller.ts';

/** Where they are served. */
export const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

/** Rules about ConfigMaps. */
export const CONFIG_MAPS = {
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['configmaps'],
};

/** A ValidatingAdmissionPolicy; `spec` in place of, or beside, what is usual. */
export function aValidatingPolicy(name: string, spec: object): object {
  return {
    metadata: { name },
    spec: { matchConstraints: { resourceRules: [CONFIG_MAPS] }, ...spec },
  };
}

/** A binding of the policy of the same name that denies, or says otherwise. */
export function aValidatingBinding(policy: string, more: object = {}, name = policy): object {
  return { metadata: { name }, spec: { policyName: policy, validationActions: ['Deny'], ...more } };
}

/** A MutatingAdmissionPolicy. */
export function aMutatingPolicy(name: string, spec: object): object {
  const reinvocationPolicy = 'Never';
  const matchConstraints = { resourceRules: [CONFIG_MAPS] };
  return { metadata: { name }, spec: { matchConstraints, reinvocationPolicy, ...spec } };
}

/** A mutation by an apply configuration. */
export const applying = (expression: string) => ({
  patchType: 'ApplyConfiguration',
  applyConfiguration: { expression },
});

/** A mutation by a JSON patch. */
export const patching = (expression: string) => ({
  patchType: 'JSONPatch',
  jsonPatch: { expression },
});

/** Stores a MutatingAdmissionPolicy with one binding of the same name. */
export async function mutateBy(
  api: ApiCaller,
  name: string,
  { policy, binding = {} }: { policy: object; binding?: object },
): Promise<void> {
  const bound = { metadata: { name }, spec: { policyName: name, ...binding } };
  const made = [
    await post(api, 'mutatingadmissionpolicies', aMutatingPolicy(name, policy)),
    await post(api, 'mutatingadmissionpolicybindings', bound),
  ];
  const refused = made.find(({ status }) => status !== 201);
  if (refused) throw new Error(refused.text);
}

/** Stores a ValidatingAdmissionPolicy with one binding of the same name. */
export async function holdTo(
  api: ApiCaller,
  name: string,
  { policy, binding = {} }: { policy: object; binding?: object },
): Promise<void> {
  const made = [
    await post(api, 'validatingadmissionpolicies', aValidatingPolicy(name, policy)),
    await post(api, 'validatingadmissionpolicybindings', aValidatingBinding(name, binding)),
  ];
  const refused = made.find(({ status }) => status !== 201);
  if (refused) throw new Error(refused.text);
}

/** Stores an object of admissionregistration.k8s.io. */
export function post(api: ApiCaller, plural: string, body: object): Promise<Called> {
  return api.call('POST', `${ADMISSION}/${plural}`, { body });
}

/** Takes every policy and binding away. */
export async function letGo(api: ApiCaller): Promise<void> {
  for (const sort of ['validatingadmissionpolic', 'mutatingadmissionpolic'])
    for (const plural of ['ybindings', 'ies'])
      await api.call('DELETE', `${ADMISSION}/${sort}${plural}`);
}
