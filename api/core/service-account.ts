// ServiceAccounts: who a pod is towards the API server.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { ServiceAccount } from '../generated/types.ts';
import { ServiceAccounts } from '../kinds.ts';
import { ageColumn, count, nameColumn } from '../meta/columns.ts';

const ENFORCED = 'kubernetes.io/enforce-mountable-secrets';

/** What ServiceAccounts are. */
export const serviceAccountDefinition = defineResource<ServiceAccount>({
  ref: ServiceAccounts,
  singular: 'serviceaccount',
  listKind: 'ServiceAccountList',
  shortNames: ['sa'],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.ServiceAccount',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  returnsDeleted: true,
  subresources: [
    {
      name: 'token',
      kind: 'TokenRequest',
      group: 'authentication.k8s.io',
      version: 'v1',
      verbs: ['create'],
    },
  ],
  columns: [
    nameColumn,
    count('Secrets', 'How many secrets it lists.', (account) => (account.secrets ?? []).length),
    ageColumn,
  ],
  selectableFields: {},
  warnings: ({ metadata }) =>
    metadata.annotations?.[ENFORCED] === undefined
      ? []
      : [
          `metadata.annotations[${ENFORCED}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
        ],
});
