// Where the API server is reached from inside the cluster: Endpoints and EndpointSlice of the Service `kubernetes`.
// Invariant: they name the one address and port that this server last said it listens on for pods.
import { deepEqual } from '../../api/meta/deep-equal.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { ServerParts } from '../exchange.ts';
import { ensureObject } from './ensure-object.ts';

const NAME = 'kubernetes';
const NAMESPACE = 'default';
const PORT_NAME = 'https';

/** An address that pods can reach, and the port that the server listens on there. */
export interface ApiAddress {
  readonly address: string;
  readonly port: number;
}

/** Leads the Service to the address. The Service itself was made at start. */
export async function advertise(server: ServerParts, at: ApiAddress): Promise<void> {
  const { address, port } = at;
  const ports = [{ name: PORT_NAME, port, protocol: 'TCP' }];
  const metadata = { name: NAME, namespace: NAMESPACE };
  const subsets = [{ addresses: [{ ip: address }], ports }];
  const endpoints = [{ addresses: [address], conditions: { ready: true } }];
  const labels = { 'kubernetes.io/service-name': NAME };
  await Promise.all([
    keep(server, {
      apiVersion: 'v1',
      kind: 'Endpoints',
      // The slice below is ours, too: nothing is to be mirrored.
      metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets,
    }),
    keep(server, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels },
      addressType: 'IPv4',
      endpoints,
      ports,
    }),
  ]);
}

/** What the object says beside its metadata is what it is to say, whoever changed it. */
function keep(server: ServerParts, wanted: object): Promise<void> {
  const { metadata, ...said } = wanted as LooseObject;
  return ensureObject(server, wanted as LooseObject, (old) => {
    const labels = { ...old.metadata.labels, ...metadata.labels };
    const after = { ...old, ...said, metadata: { ...old.metadata, labels } };
    return deepEqual(after, old) ? old : after;
  });
}
