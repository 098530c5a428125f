// Leases: who holds something and until when. Leader election and node heartbeats use them.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { Lease } from '../generated/types.ts';
import { Leases } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { notNegative, positive } from '../meta/numbers.ts';

/** What Leases are. */
export const leaseDefinition = defineResource<Lease>({
  ref: Leases,
  singular: 'lease',
  listKind: 'LeaseList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.coordination.v1.Lease',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  createdByPut: true,
  putNeedsVersion: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Holder', 'Who holds it.', (lease) => lease.spec?.holderIdentity ?? ''),
    ageColumn,
  ],
  selectableFields: {},
  validate: ({ spec }) => [
    ...positive(spec?.leaseDurationSeconds, 'spec.leaseDurationSeconds'),
    ...notNegative(spec?.leaseTransitions, 'spec.leaseTransitions'),
  ],
});
