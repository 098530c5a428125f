// NetworkPolicies: which traffic pods take and send. Stored and shown; nothing holds traffic to them yet.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { NetworkPolicy, NetworkPolicySpec } from '../generated/types.ts';
import { NetworkPolicies } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { labelSelectorText } from '../meta/labels.ts';
import { validateNetworkPolicy } from './network-policy-validation.ts';

/** What NetworkPolicies are. */
export const networkPolicyDefinition = defineResource<NetworkPolicy>({
  ref: NetworkPolicies,
  singular: 'networkpolicy',
  listKind: 'NetworkPolicyList',
  shortNames: ['netpol'],
  categories: [],
  schemaName: 'io.k8s.api.networking.v1.NetworkPolicy',
  unattended: 'nothing in this cluster enforces NetworkPolicies yet: no traffic is held back',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: true,
  subresources: [],
  columns: [
    nameColumn,
    text(
      'Pod-Selector',
      'Which pods it is about.',
      ({ spec }) => labelSelectorText(spec?.podSelector) || '<none>',
    ),
    ageColumn,
  ],
  selectableFields: {},
  defaults(policy) {
    policy.spec ??= {};
    fillIn(policy.spec);
  },
  validate: ({ spec }) => validateNetworkPolicy(spec ?? {}),
});

function fillIn(spec: NetworkPolicySpec): void {
  spec.podSelector ??= {};
  const { ingress = [], egress = [] } = spec;
  if (!spec.policyTypes?.length) {
    spec.policyTypes = egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  }
  for (const port of [...ingress, ...egress].flatMap(({ ports = [] }) => ports)) {
    port.protocol ??= 'TCP';
  }
}
