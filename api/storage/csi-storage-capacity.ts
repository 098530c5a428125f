// CSIStorageCapacities: how much a driver can still make, and for which nodes. Stored and shown; the scheduler does not look yet.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { CSIStorageCapacity } from '../generated/types.ts';
import { CSIStorageCapacities } from '../kinds.ts';
import { nameColumn, text } from '../meta/columns.ts';
import { allUnchanged, obeys } from '../meta/field-rules.ts';
import { dnsSubdomain } from '../meta/names.ts';
import { quantityNotNegative } from '../meta/numbers.ts';
import { canonicalQuantity } from '../meta/quantity.ts';
import { validateLabelSelector } from '../meta/validate-labels.ts';

const AMOUNTS = ['capacity', 'maximumVolumeSize'] as const;

/** What CSIStorageCapacities are. */
export const csiStorageCapacityDefinition = defineResource<CSIStorageCapacity>({
  ref: CSIStorageCapacities,
  singular: 'csistoragecapacity',
  listKind: 'CSIStorageCapacityList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.storage.v1.CSIStorageCapacity',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  putNeedsVersion: true,
  subresources: [],
  columns: [
    nameColumn,
    text('StorageClassName', 'Of which class.', (one) => one.storageClassName ?? ''),
    text('Capacity', 'How much there is.', (one) => one.capacity ?? '<unset>'),
  ],
  selectableFields: {},
  defaults(one) {
    for (const field of AMOUNTS) {
      const amount = one[field];
      if (amount !== undefined) one[field] = canonicalQuantity(amount);
    }
  },
  validate: (one, old) => [
    ...obeys(dnsSubdomain, one.storageClassName ?? '', 'storageClassName'),
    ...AMOUNTS.flatMap((field) => quantityNotNegative(one[field], field)),
    ...validateLabelSelector(one.nodeTopology, 'nodeTopology'),
    ...(old === undefined
      ? []
      : allUnchanged({ now: one, before: old }, ['nodeTopology', 'storageClassName'])),
  ],
});
