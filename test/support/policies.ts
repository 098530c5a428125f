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

/** Stores a policy with one binding of the same name. */
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
