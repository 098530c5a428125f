// Services: one stable address for a changing set of pods. Addresses and node ports are given out by the
// server's allocators; here are the shapes, and what of a given address a later write keeps.
import { ALL_VERBS, defineResource, PROXY_VERBS } from '../definition.ts';
import type { Service, ServicePort, ServiceSpec } from '../generated/types.ts';
import { Services } from '../kinds.ts';
import { ageColumn, mapText, nameColumn, text, wide } from '../meta/columns.ts';
import { dns1035Label } from '../meta/names.ts';
import { validateService } from './service-validation.ts';

/** How long ClientIP affinity lasts unless said otherwise, seconds. */
const AFFINITY_SECONDS = 3 * 60 * 60;

const HINTS_ANNOTATION = 'service.kubernetes.io/topology-aware-hints';
const MODE_ANNOTATION = 'service.kubernetes.io/topology-mode';

/** What Services are. */
export const serviceDefinition = defineResource<Service>({
  ref: Services,
  singular: 'service',
  listKind: 'ServiceList',
  shortNames: ['svc'],
  categories: ['all'],
  schemaName: 'io.k8s.api.core.v1.Service',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: false,
  createdByPut: true,
  returnsDeleted: true,
  subresources: [{ name: 'proxy', kind: 'ServiceProxyOptions', verbs: PROXY_VERBS }],
  columns: [
    nameColumn,
    text('Type', 'How it can be reached.', (service) => service.spec?.type ?? ''),
    text('Cluster-IP', 'Its address within the cluster.', clusterIpText),
    text('External-IP', 'Its addresses from outside.', externalText),
    text('Port(s)', 'Its ports, with node ports.', portsText),
    ageColumn,
    wide('Selector', 'The pods behind it.', (service) => mapText(service.spec?.selector)),
  ],
  selectableFields: {
    'spec.clusterIP': (service) => service.spec?.clusterIP ?? '',
    'spec.type': (service) => service.spec?.type ?? '',
  },
  validateName: dns1035Label,
  defaults: defaultService,
  prepareForCreate(service) {
    service.status = { loadBalancer: {} };
  },
  prepareForUpdate: keepAllocated,
  validate: validateService,
  warnings: serviceWarnings,
});

function serviceWarnings({ metadata, spec = {} }: Service): string[] {
  const headless = spec.clusterIP === 'None';
  const ignored = (field: string, isSet: boolean) =>
    headless && isSet ? [`spec.${field} is ignored for headless services`] : [];
  return [
    ...(metadata.annotations?.[HINTS_ANNOTATION] === undefined
      ? []
      : [`annotation ${HINTS_ANNOTATION} is deprecated, please use ${MODE_ANNOTATION} instead`]),
    ...ignored('loadBalancerIP', Boolean(spec.loadBalancerIP)),
    ...ignored('externalIPs', (spec.externalIPs ?? []).length > 0),
    ...ignored('SessionAffinity', spec.sessionAffinity === 'ClientIP'),
  ];
}

/** Does this type have an address within the cluster? */
export const hasClusterIp = (service: Service): boolean => service.spec?.type !== 'ExternalName';
/** Does this type have a port on every node? */
export const hasNodePorts = (service: Service): boolean =>
  service.spec?.type === 'NodePort' || service.spec?.type === 'LoadBalancer';

function defaultService(service: Service): void {
  service.spec ??= {};
  const { spec } = service;
  spec.type ||= 'ClusterIP';
  spec.sessionAffinity ||= 'None';
  defaultAffinity(spec);
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    port.targetPort ||= port.port;
  }
  if (hasClusterIp(service)) defaultReachable(service, spec);
}

/** What all but ExternalName have. */
function defaultReachable(service: Service, spec: ServiceSpec): void {
  mirrorClusterIp(spec);
  spec.internalTrafficPolicy ||= 'Cluster';
  spec.ipFamilyPolicy ||= 'SingleStack';
  if (!spec.ipFamilies?.length) spec.ipFamilies = ['IPv4'];
  if (isExternal(service)) spec.externalTrafficPolicy ||= 'Cluster';
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
}

function isExternal(service: Service): boolean {
  return hasNodePorts(service) || (service.spec?.externalIPs ?? []).length > 0;
}

function defaultAffinity(spec: ServiceSpec): void {
  if (spec.sessionAffinity !== 'ClientIP') {
    spec.sessionAffinityConfig = undefined;
    return;
  }
  spec.sessionAffinityConfig ??= {};
  spec.sessionAffinityConfig.clientIP ??= {};
  spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= AFFINITY_SECONDS;
}

/** clusterIP is the first of clusterIPs. */
function mirrorClusterIp(spec: ServiceSpec): void {
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
  const first = spec.clusterIPs?.[0];
  if (first && !spec.clusterIP) spec.clusterIP = first;
}

/** A write that leaves given addresses and ports out keeps them; a change of type gives back what it cannot have. */
function keepAllocated(service: Service, old: Service): void {
  const [spec, before] = [service.spec, old.spec];
  if (!spec || !before) return;
  if (hasClusterIp(old)) {
    if (hasClusterIp(service)) keepAddresses(spec, before);
    else if (spec.clusterIP === before.clusterIP) {
      for (const field of CLUSTER_IP_FIELDS) spec[field] = undefined;
    }
  }
  if (hasNodePorts(old)) {
    if (hasNodePorts(service)) keepNodePorts(spec, before);
    else giveBackNodePorts(spec, before);
  }
  if (!isExternal(service) && spec.externalTrafficPolicy === before.externalTrafficPolicy) {
    spec.externalTrafficPolicy = undefined;
  }
  if (spec.type !== 'LoadBalancer') spec.allocateLoadBalancerNodePorts = undefined;
}

function keepAddresses(spec: ServiceSpec, before: ServiceSpec): void {
  if (!spec.clusterIP) spec.clusterIP = before.clusterIP;
  if (!spec.clusterIPs?.length) spec.clusterIPs = before.clusterIPs;
}

function keepNodePorts(spec: ServiceSpec, before: ServiceSpec): void {
  for (const port of spec.ports ?? []) port.nodePort ||= nodePortOf(port, before.ports ?? []);
}

function giveBackNodePorts(spec: ServiceSpec, before: ServiceSpec): void {
  for (const port of spec.ports ?? []) {
    if (port.nodePort === nodePortOf(port, before.ports ?? [])) port.nodePort = undefined;
  }
}

const CLUSTER_IP_FIELDS = [
  'clusterIP',
  'clusterIPs',
  'ipFamilies',
  'ipFamilyPolicy',
  'internalTrafficPolicy',
] as const;

/** The node port that this port had before: the one of the same protocol and number. */
function nodePortOf(port: ServicePort, before: readonly ServicePort[]): number | undefined {
  const same = before.find(
    (one) => one.port === port.port && (one.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
  );
  return same?.nodePort;
}

function clusterIpText(service: Service): string {
  return service.spec?.clusterIPs?.[0] || service.spec?.clusterIP || '<none>';
}

function externalText(service: Service): string {
  const { type, externalName, externalIPs = [] } = service.spec ?? {};
  if (type === 'ExternalName') return externalName ?? '';
  const ingress = (service.status?.loadBalancer?.ingress ?? []).map(
    (one) => one.ip || one.hostname || '',
  );
  const all = [...(type === 'LoadBalancer' ? ingress : []), ...externalIPs];
  return all.join(',') || (type === 'LoadBalancer' ? '<pending>' : '<none>');
}

function portsText(service: Service): string {
  const ports = (service.spec?.ports ?? []).map(({ port, nodePort, protocol = 'TCP' }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return ports.join(',') || '<none>';
}
