// IPAddresses: an address of a Service, and whose it is. Those of Services are made by a
// controller from the addresses that they took.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { required } from '../field-error.ts';
import type { IPAddress, ParentReference } from '../generated/types.ts';
import { IPAddresses } from '../kinds.ts';
import { nameColumn, text } from '../meta/columns.ts';
import { mustObey, obeys, unchanged } from '../meta/field-rules.ts';
import { canonicalAddress, ipAddress } from '../meta/ip.ts';
import { dnsSubdomain, pathSegmentName } from '../meta/names.ts';

/** What IPAddresses are. */
export const ipAddressDefinition = defineResource<IPAddress>({
  ref: IPAddresses,
  singular: 'ipaddress',
  listKind: 'IPAddressList',
  shortNames: ['ip'],
  categories: [],
  schemaName: 'io.k8s.api.networking.v1.IPAddress',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  subresources: [],
  columns: [
    nameColumn,
    text('ParentRef', 'Whose address it is.', ({ spec }) => parentText(spec?.parentRef)),
  ],
  selectableFields: {},
  validateName: addressName,
  validate: ({ spec }, old) => [
    ...validateParent(spec?.parentRef),
    ...(old ? unchanged(spec?.parentRef, old.spec?.parentRef, 'spec.parentRef') : []),
  ],
});

function addressName(name: string): string | undefined {
  const canonical = canonicalAddress(name);
  if (canonical === undefined) return ipAddress(name);
  return canonical === name ? undefined : `must be in canonical form ("${canonical}")`;
}

function parentText(parent: ParentReference | undefined): string {
  if (parent === undefined) return '<none>';
  const { group, resource, namespace, name } = parent;
  const kind = group ? `${resource}.${group}` : resource;
  return [kind.toLowerCase(), ...(namespace ? [namespace] : []), name].join('/');
}

function validateParent(parent: ParentReference | undefined): FieldError[] {
  const path = 'spec.parentRef';
  if (parent === undefined) return [required(path)];
  return [
    ...obeys(dnsSubdomain, parent.group || undefined, `${path}.group`),
    ...mustObey(pathSegmentName, parent.resource, `${path}.resource`),
    ...mustObey(pathSegmentName, parent.name, `${path}.name`),
    ...obeys(pathSegmentName, parent.namespace || undefined, `${path}.namespace`),
  ];
}
