// EndpointSlices: addresses and ports behind a Service, up to 1000 in one object.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { duplicate, invalidValue, required, tooMany } from '../field-error.ts';
import type { DiscoveryEndpointPort, Endpoint, EndpointSlice } from '../generated/types.ts';
import { EndpointSlices } from '../kinds.ts';
import { ageColumn, firstOf, nameColumn, text } from '../meta/columns.ts';
import { ipAddress, ipFamily } from '../meta/ip.ts';
import { dnsLabel, dnsSubdomain, portNumber } from '../meta/names.ts';
import { requiredOneOf } from '../meta/numbers.ts';

const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20_000;
const SHOWN = 3;

/** What EndpointSlices are. */
export const endpointSliceDefinition = defineResource<EndpointSlice>({
  ref: EndpointSlices,
  singular: 'endpointslice',
  listKind: 'EndpointSliceList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.discovery.v1.EndpointSlice',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: true,
  subresources: [],
  columns: [
    nameColumn,
    text('AddressType', 'What its addresses are.', (slice) => slice.addressType ?? ''),
    text('Ports', 'Its ports.', ({ ports = [] }) =>
      firstOf(
        ports.map(({ port }) => (port === undefined ? '*' : String(port))),
        SHOWN,
        '<unset>',
      ),
    ),
    text('Endpoints', 'Its addresses.', ({ endpoints = [] }) =>
      firstOf(
        (endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []),
        SHOWN,
        '<unset>',
      ),
    ),
    ageColumn,
  ],
  selectableFields: {},
  defaults(slice) {
    for (const port of slice.ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  validate: (slice, old) => [
    ...requiredOneOf(slice.addressType, ['FQDN', 'IPv4', 'IPv6'], 'addressType'),
    ...validateEndpoints(slice),
    ...validatePorts(slice.ports ?? []),
    ...(old && old.addressType !== slice.addressType
      ? [invalidValue('addressType', slice.addressType, 'field is immutable')]
      : []),
  ],
});

function validateEndpoints({ endpoints = [], addressType }: EndpointSlice): FieldError[] {
  if (endpoints.length > MAX_ENDPOINTS) {
    return [tooMany('endpoints', endpoints.length, MAX_ENDPOINTS)];
  }
  return endpoints.flatMap((endpoint, i) =>
    validateEndpoint(endpoint, addressType, `endpoints[${i}]`),
  );
}

function validateEndpoint(endpoint: Endpoint, addressType: string, path: string): FieldError[] {
  const addresses = endpoint.addresses ?? [];
  const errors: FieldError[] = [];
  if (addresses.length === 0) {
    errors.push(required(`${path}.addresses`, 'must contain at least 1 address'));
  } else if (addresses.length > MAX_ADDRESSES) {
    errors.push(tooMany(`${path}.addresses`, addresses.length, MAX_ADDRESSES));
  }
  addresses.forEach((address, i) => {
    const why = addressRule(address, addressType);
    if (why !== undefined) errors.push(invalidValue(`${path}.addresses[${i}]`, address, why));
  });
  for (const [field, rule] of [
    ['hostname', dnsLabel],
    ['nodeName', dnsSubdomain],
  ] as const) {
    const value = endpoint[field];
    const why = value ? rule(value) : undefined;
    if (why !== undefined) errors.push(invalidValue(`${path}.${field}`, value, why));
  }
  return errors;
}

function addressRule(address: string, addressType: string | undefined): string | undefined {
  // That the type is missing is said elsewhere.
  if (!addressType) return undefined;
  if (addressType === 'FQDN') return dnsSubdomain(address);
  if (ipFamily(address) === undefined) return ipAddress(address);
  return ipFamily(address) === addressType ? undefined : `must be an ${addressType} address`;
}

function validatePorts(ports: readonly DiscoveryEndpointPort[]): FieldError[] {
  if (ports.length > MAX_PORTS) return [tooMany('ports', ports.length, MAX_PORTS)];
  const names = new Set<string>();
  return ports.flatMap((port, i) => {
    const path = `ports[${i}]`;
    const errors: FieldError[] = [];
    const { name = '' } = port;
    const badName = name === '' ? undefined : dnsLabel(name);
    if (badName !== undefined) errors.push(invalidValue(`${path}.name`, name, badName));
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
    const badPort = port.port === undefined ? undefined : portNumber(port.port);
    if (badPort !== undefined) errors.push(invalidValue(`${path}.port`, port.port, badPort));
    return [...errors, ...requiredOneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `${path}.protocol`)];
  });
}
