// ResourceClaims: devices that a pod needs. Stored and shown; nothing allocates devices yet.
// Invariant: what is asked for never changes; what was allocated, and for whom, is status.
import { ALL_VERBS, defineResource, WRITABLE_METADATA } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { duplicate, forbiddenField, required } from '../field-error.ts';
import type {
  ResourceClaimConsumerReference,
  ResourceResourceClaim as ResourceClaim,
} from '../generated/types.ts';
import { ResourceClaims } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { unchanged } from '../meta/field-rules.ts';
import { repeats } from '../meta/repeats.ts';
import { defaultDeviceClaim, limited, validateDeviceClaim } from './claim-validation.ts';

const MAX_CONSUMERS = 256;

/** What ResourceClaims are. */
export const resourceClaimDefinition = defineResource<ResourceClaim>({
  ref: ResourceClaims,
  singular: 'resourceclaim',
  listKind: 'ResourceClaimList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.resource.v1.ResourceClaim',
  verbs: ALL_VERBS,
  hasStatus: true,
  keptByStatus: WRITABLE_METADATA,
  hasGeneration: false,
  returnsDeleted: true,
  subresources: [],
  columns: [nameColumn, text('State', 'How far it has come.', stateText), ageColumn],
  selectableFields: {},
  defaults(claim: Partial<ResourceClaim>) {
    claim.spec ??= {};
    defaultDeviceClaim(claim.spec.devices ?? {});
  },
  prepareForCreate(claim) {
    claim.status = {};
  },
  validate: ({ spec }, old) => [
    ...validateDeviceClaim(spec?.devices ?? {}, 'spec.devices'),
    ...(old === undefined ? [] : unchanged(spec, old.spec, 'spec')),
  ],
  validateStatus,
});

function stateText({ metadata, status }: ResourceClaim): string {
  const deleted = metadata.deletionTimestamp !== undefined;
  if (status?.allocation === undefined) return deleted ? 'deleted' : 'pending';
  const states = [...(deleted ? ['deleted'] : []), 'allocated'];
  return [...states, ...(status.reservedFor?.length ? ['reserved'] : [])].join(',');
}

function validateStatus({ status = {} }: ResourceClaim, old: ResourceClaim): FieldError[] {
  const { allocation, reservedFor = [] } = status;
  const path = 'status.reservedFor';
  const before = old.status?.allocation;
  const errors = limited(reservedFor, MAX_CONSUMERS, path);
  const repeated = repeats(reservedFor.map(({ uid }) => uid));
  reservedFor.forEach((consumer: Partial<ResourceClaimConsumerReference>, i) => {
    for (const field of ['resource', 'name', 'uid'] as const) {
      if (!consumer[field]) errors.push(required(`${path}[${i}].${field}`));
    }
    if (repeated.has(i)) {
      errors.push(duplicate(`${path}[${i}].uid`, consumer.uid));
    }
  });
  if (reservedFor.length > 0 && allocation === undefined) {
    errors.push(forbiddenField(path, 'may not be specified when `allocated` is not set'));
  }
  return before === undefined || allocation === undefined
    ? errors
    : [...errors, ...unchanged(allocation, before, 'status.allocation')];
}
