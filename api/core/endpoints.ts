// Endpoints: the old form of EndpointSlices, one object for all addresses of a Service.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { invalidValue, required } from '../field-error.ts';
import type {
  EndpointAddress,
  EndpointPort,
  Endpoints,
  EndpointSubset,
} from '../generated/types.ts';
import { Endpoints as EndpointsKind } from '../kinds.ts';
import { ageColumn, firstOf, nameColumn, text } from '../meta/columns.ts';
import { ipAddress } from '../meta/ip.ts';
import { dnsLabel, portNumber } from '../meta/names.ts';
import { requiredOneOf } from '../meta/numbers.ts';

const SHOWN = 3;

/** What Endpoints are. */
export const endpointsDefinition = defineResource<Endpoints>({
  ref: EndpointsKind,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  singular: 'endpoints',
  listKind: 'EndpointsList',
  shortNames: ['ep'],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.Endpoints',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  createdByPut: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Endpoints', 'Ready addresses with their ports.', (object) =>
      firstOf((object.subsets ?? []).flatMap(addressTexts), SHOWN, '<none>'),
    ),
    ageColumn,
  ],
  selectableFields: {},
  defaults(object) {
    for (const subset of object.subsets ?? []) {
      for (const port of subset.ports ?? []) port.protocol ||= 'TCP';
    }
  },
  validate: (object) =>
    (object.subsets ?? []).flatMap((subset, i) => validateSubset(subset, `subsets[${i}]`)),
});

function addressTexts({ addresses = [], ports = [] }: EndpointSubset): string[] {
  if (ports.length === 0) return addresses.map((address) => address.ip);
  return ports.flatMap((port) => addresses.map((address) => hostPort(address.ip, port.port)));
}

function hostPort(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function validateSubset(subset: EndpointSubset, path: string): FieldError[] {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  if (addresses.length + notReadyAddresses.length === 0) {
    return [required(path, 'must specify `addresses` or `notReadyAddresses`')];
  }
  return [
    ...addresses.flatMap((one, i) => validateAddress(one, `${path}.addresses[${i}]`)),
    ...notReadyAddresses.flatMap((one, i) =>
      validateAddress(one, `${path}.notReadyAddresses[${i}]`),
    ),
    ...ports.flatMap((port, i) => validatePort(port, ports.length > 1, `${path}.ports[${i}]`)),
  ];
}

function validateAddress({ ip }: EndpointAddress, path: string): FieldError[] {
  const why = ipAddress(ip ?? '');
  return why === undefined ? [] : [invalidValue(`${path}.ip`, ip, why)];
}

function validatePort(port: EndpointPort, needsName: boolean, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const badName = port.name ? dnsLabel(port.name) : undefined;
  if (needsName && !port.name) errors.push(required(`${path}.name`));
  if (badName !== undefined) errors.push(invalidValue(`${path}.name`, port.name, badName));
  const badPort = portNumber(port.port);
  if (badPort !== undefined) errors.push(invalidValue(`${path}.port`, port.port, badPort));
  return [...errors, ...requiredOneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `${path}.protocol`)];
}
