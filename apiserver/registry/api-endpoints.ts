// Where the API server is reached from inside the cluster: the Service `kubernetes`, its Endpoints and its EndpointSlice.
// Invariant: they name the one address and port that this server last said it listens on for pods.
import type { Service } from '../../api/generated/types.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { ServerParts } from '../exchange.ts';
import { ensureObject } from './ensure-object.ts';

const NAME = 'kubernetes';
const NAMESPACE = 'default';
const PORT_NAME = 'https';
/** Upstream's customary port: what the Service says until somebody listens for pods. */
const USUAL_PORT = 6443;

/** An address that pods can reach, and the port that the server listens on there. */
export interface ApiAddress {
  readonly address: string;
  readonly port: number;
}

/** The Service, at its fixed address. */
export function apiService(clusterIP: string, targetPort = USUAL_PORT): LooseObject {
  const labels = { component: 'apiserver', provider: 'kubernetes' };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: NAME, namespace: NAMESPACE, labels },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ name: PORT_NAME, port: 443, protocol: 'TCP', targetPort }],
    },
  };
}

/** Leads the Service, whose own address is `clusterIP`, to where the server listens for pods. */
export async function advertise(
  server: ServerParts,
  clusterIP: string,
  at: ApiAddress,
): Promise<void> {
  const { address, port } = at;
  const ports = [{ name: PORT_NAME, port, protocol: 'TCP' }];
  const metadata = { name: NAME, namespace: NAMESPACE };
  const subsets = [{ addresses: [{ ip: address }], ports }];
  const endpoints = [{ addresses: [address], conditions: { ready: true } }];
  const labels = { 'kubernetes.io/service-name': NAME };
  const service = apiService(clusterIP, port);
  await Promise.all([
    ensureObject(server, service, (old) => {
      const before = old as unknown as Service;
      const after = { ...before, spec: { ...before.spec, ports: portsOf(service) } };
      return deepEqual(after, before) ? old : (after as unknown as LooseObject);
    }),
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

const portsOf = (service: LooseObject) => (service as unknown as Service).spec?.ports;

/** What the object says beside its metadata is what it is to say, whoever changed it. */
function keep(server: ServerParts, wanted: object): Promise<void> {
  const { metadata, ...said } = wanted as LooseObject;
  return ensureObject(server, wanted as LooseObject, (old) => {
    const labels = { ...old.metadata.labels, ...metadata.labels };
    const after = { ...old, ...said, metadata: { ...old.metadata, labels } };
    return deepEqual(after, old) ? old : after;
  });
}
