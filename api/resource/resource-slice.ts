// ResourceSlices: the devices that a driver has on a node, or for many. Stored and shown; nothing allocates them yet.
// Invariant: whose slice it is, and for which nodes, never changes.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { invalidValue, required, tooLong } from '../field-error.ts';
import type {
  Device,
  DeviceAttribute,
  ResourcePool,
  ResourceSlice,
  ResourceSliceSpec,
} from '../generated/types.ts';
import { ResourceSlices } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { obeys, unchanged } from '../meta/field-rules.ts';
import { DNS_SUBDOMAIN_MAX, dnsSubdomain } from '../meta/names.ts';
import { quantityNotNegative } from '../meta/numbers.ts';
import { validateDriver } from '../storage/storage-rules.ts';
import { limited, MAX_ENTRIES, uniqueNames } from './claim-validation.ts';

const MAX_DEVICES = 128;
const MAX_VALUE = 64;
const PLACES = ['nodeName', 'nodeSelector', 'allNodes', 'perDeviceNodeSelection'] as const;
const VALUES = ['bool', 'int', 'string', 'version'] as const;
const ONE_PLACE = `exactly one of ${PLACES.map((place) => `\`${place}\``).join(', ')} is required`;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/;

/** What ResourceSlices are. */
export const resourceSliceDefinition = defineResource<ResourceSlice>({
  ref: ResourceSlices,
  singular: 'resourceslice',
  listKind: 'ResourceSliceList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.resource.v1.ResourceSlice',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: true,
  returnsDeleted: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Node', 'The node that has the devices.', (slice) => specOf(slice).nodeName ?? ''),
    text('Driver', 'Whose they are.', (slice) => specOf(slice).driver ?? ''),
    text('Pool', 'The pool that they are part of.', (slice) => specOf(slice).pool?.name ?? ''),
    ageColumn,
  ],
  selectableFields: {
    'spec.nodeName': (slice) => specOf(slice).nodeName ?? '',
    'spec.driver': (slice) => specOf(slice).driver ?? '',
  },
  validate: (slice, old) => {
    const spec = specOf(slice);
    return [
      ...validateDriver(spec.driver, 'spec.driver'),
      ...validatePool(spec.pool ?? {}),
      ...validatePlace(spec),
      ...limited(spec.devices ?? [], MAX_DEVICES, 'spec.devices'),
      ...uniqueNames(spec.devices ?? [], 'spec.devices'),
      ...(spec.devices ?? []).flatMap((one, i) => validateDevice(one, `spec.devices[${i}]`)),
      ...(old === undefined ? [] : validateKept(spec, specOf(old))),
    ];
  },
});

function specOf({ spec }: Partial<ResourceSlice>): Partial<ResourceSliceSpec> {
  return spec ?? {};
}

function validatePool({
  name = '',
  resourceSliceCount: slices = 0,
  generation = 0,
}: Partial<ResourcePool>) {
  const path = 'spec.pool';
  const errors: FieldError[] = [];
  if (name === '') errors.push(required(`${path}.name`));
  else if (name.length > DNS_SUBDOMAIN_MAX) errors.push(tooLong(`${path}.name`, DNS_SUBDOMAIN_MAX));
  else
    for (const part of name.split('/')) errors.push(...obeys(dnsSubdomain, part, `${path}.name`));
  if (slices <= 0) {
    const why = 'must be greater than zero';
    errors.push(invalidValue(`${path}.resourceSliceCount`, slices, why));
  }
  if (generation < 0) {
    const why = 'must be greater than or equal to zero';
    errors.push(invalidValue(`${path}.generation`, generation, why));
  }
  return errors;
}

function validatePlace(spec: Partial<ResourceSliceSpec>): FieldError[] {
  const given = PLACES.filter((place) => Boolean(spec[place]));
  const errors = obeys(dnsSubdomain, spec.nodeName || undefined, 'spec.nodeName');
  if (given.length === 0) return [...errors, required('spec', ONE_PLACE)];
  if (given.length === 1) return errors;
  const shown = `{${given.map((place) => `\`${place}\``).join(', ')}}`;
  return [...errors, invalidValue('spec', shown, `${ONE_PLACE}, but multiple fields are set`)];
}

function validateDevice({ attributes = {}, capacity = {} }: Device, path: string): FieldError[] {
  const total = Object.keys(attributes).length + Object.keys(capacity).length;
  const errors: FieldError[] = [];
  if (total > MAX_ENTRIES) {
    const why = `the total number of attributes and capacities must not exceed ${MAX_ENTRIES}`;
    errors.push(invalidValue(path, total, why));
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    const at = `${path}.attributes[${name}]`;
    errors.push(
      ...obeys(deviceFieldName, name, `${path}.attributes`),
      ...validateValue(attribute, at),
    );
  }
  for (const [name, amount] of Object.entries(capacity)) {
    const { value }: { value?: string } = { ...amount };
    errors.push(...obeys(deviceFieldName, name, `${path}.capacity`));
    errors.push(...quantityNotNegative(value, `${path}.capacity[${name}].value`));
  }
  return errors;
}

/** An identifier, behind a domain where it is not the driver's own. */
function deviceFieldName(name: string): string | undefined {
  const slash = name.indexOf('/');
  const domain = slash < 0 ? undefined : dnsSubdomain(name.slice(0, slash));
  if (domain !== undefined) return domain;
  return IDENTIFIER.test(name.slice(slash + 1)) ? undefined : 'a valid C identifier must be used';
}

function validateValue(attribute: DeviceAttribute, path: string): FieldError[] {
  const lists = VALUES.map((kind) => `${kind}s` as const);
  const given = [...VALUES, ...lists].filter((kind) => attribute[kind] !== undefined);
  if (given.length === 0) return [required(path, 'exactly one value must be specified')];
  if (given.length > 1) {
    return [invalidValue(path, attribute, 'exactly one value must be specified')];
  }
  return (['string', 'version'] as const)
    .filter((kind) => (attribute[kind]?.length ?? 0) > MAX_VALUE)
    .map((kind) => tooLong(`${path}.${kind}`, MAX_VALUE));
}

function validateKept(
  now: Partial<ResourceSliceSpec>,
  before: Partial<ResourceSliceSpec>,
): FieldError[] {
  return [
    ...unchanged(now.nodeName, before.nodeName, 'spec.nodeName'),
    ...unchanged(now.driver, before.driver, 'spec.driver'),
    ...unchanged(now.pool?.name, before.pool?.name, 'spec.pool.name'),
    ...unchanged(now.nodeSelector, before.nodeSelector, 'spec.nodeSelector'),
    ...unchanged(now.allNodes, before.allNodes, 'spec.allNodes'),
  ];
}
