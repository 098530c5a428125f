// ServiceCIDRs: blocks from which Services may take addresses. `kubernetes` shows the
// server's own block, which is an option of its; further ones are stored and not taken from.
// Invariant: a block stays; one of the other family may join it.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { invalidValue, required } from '../field-error.ts';
import type { ServiceCIDR } from '../generated/types.ts';
import { ServiceCIDRs } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { obeys } from '../meta/field-rules.ts';
import { cidrBlock, ipFamily } from '../meta/ip.ts';

const MAX_BLOCKS = 2;
const IMMUTABLE = 'field is immutable';

/** What ServiceCIDRs are. */
export const serviceCidrDefinition = defineResource<ServiceCIDR>({
  ref: ServiceCIDRs,
  singular: 'servicecidr',
  listKind: 'ServiceCIDRList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.networking.v1.ServiceCIDR',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: false,
  subresources: [],
  columns: [
    nameColumn,
    text('CIDRs', 'Its blocks.', ({ spec }) => (spec?.cidrs ?? []).join(',')),
    ageColumn,
  ],
  selectableFields: {},
  prepareForCreate(cidr) {
    cidr.status = {};
  },
  validate: ({ spec }, old) =>
    old
      ? validateKept(spec?.cidrs ?? [], old.spec?.cidrs ?? [])
      : validateBlocks(spec?.cidrs ?? []),
});

function validateBlocks(blocks: readonly string[]): FieldError[] {
  const path = 'spec.cidrs';
  if (blocks.length === 0) return [required(path, 'at least one CIDR required')];
  if (blocks.length > MAX_BLOCKS) {
    return [invalidValue(path, blocks, `may only hold up to ${MAX_BLOCKS} values`)];
  }
  const errors = blocks.flatMap((block, i) => obeys(cidrBlock, block, `${path}[${i}]`));
  const families = new Set(blocks.map((block) => ipFamily(block.split('/')[0] ?? '')));
  if (errors.length === 0 && families.size < blocks.length) {
    const why =
      'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    errors.push(invalidValue(path, blocks, why));
  }
  return errors;
}

function validateKept(now: readonly string[], before: readonly string[]): FieldError[] {
  const joined = before.length === 1 && now.length === MAX_BLOCKS;
  if (now.length !== before.length && !joined) {
    return [invalidValue('spec.cidrs', now, IMMUTABLE)];
  }
  const errors = before.flatMap((block, i) =>
    now[i] === block ? [] : [invalidValue(`spec.cidrs[${i}]`, now[i], IMMUTABLE)],
  );
  return joined ? [...errors, ...validateBlocks(now)] : errors;
}
