// Rules of Services: ports, types, addresses, and what an existing Service may not change.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { duplicate, forbiddenField, invalidValue, required } from '../field-error.ts';
import type { Service, ServicePort, ServiceSpec } from '../generated/types.ts';
import { ipAddress } from '../meta/ip.ts';
import { dnsLabel, dnsSubdomain, portNumber } from '../meta/names.ts';
import { between, oneOf, requiredOneOf } from '../meta/numbers.ts';
import { validateLabels } from '../meta/validate-labels.ts';
import { validatePort } from './probe-validation.ts';

/** Ports on nodes that Services may have, both ends included. */
export const NODE_PORT_RANGE: readonly [number, number] = [30000, 32767];

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const DAY_SECONDS = 24 * 60 * 60;

/** Rules of a Service, new or changed. */
export function validateService(service: Service, old: Service | undefined): FieldError[] {
  const spec = service.spec ?? {};
  return [
    ...requiredOneOf(spec.type, TYPES, 'spec.type'),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...validatePolicies(spec),
    ...(spec.type === 'ExternalName' ? validateExternalName(spec) : validateAddresses(spec)),
    ...(spec.externalIPs ?? []).flatMap((ip, i) => {
      const why = ipAddress(ip);
      return why === undefined ? [] : [invalidValue(`spec.externalIPs[${i}]`, ip, why)];
    }),
    ...(old === undefined ? [] : validateKept(spec, old.spec ?? {})),
  ];
}

const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIP === 'None';

function validatePorts(spec: ServiceSpec): FieldError[] {
  const { ports = [], type } = spec;
  if (ports.length === 0) {
    return type === 'ExternalName' || isHeadless(spec) ? [] : [required('spec.ports')];
  }
  const seen = { names: new Set<string>(), ports: new Set<string>(), nodePorts: new Set<string>() };
  return ports.flatMap((port, i) => {
    const path = `spec.ports[${i}]`;
    return [...validateServicePort(port, { ports, spec }, path), ...validateOnce(port, seen, path)];
  });
}

function validateServicePort(
  port: ServicePort,
  { ports, spec }: { ports: readonly ServicePort[]; spec: ServiceSpec },
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!port.name) {
    if (ports.length > 1) errors.push(required(`${path}.name`));
  } else {
    const why = dnsLabel(port.name);
    if (why !== undefined) errors.push(invalidValue(`${path}.name`, port.name, why));
  }
  const badPort = portNumber(port.port ?? 0);
  if (badPort !== undefined) errors.push(invalidValue(`${path}.port`, port.port ?? 0, badPort));
  errors.push(...requiredOneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `${path}.protocol`));
  if (port.targetPort !== undefined) {
    errors.push(...validatePort(port.targetPort, `${path}.targetPort`));
  }
  return [...errors, ...validateNodePort(port.nodePort, spec, `${path}.nodePort`)];
}

function validateNodePort(
  nodePort: number | undefined,
  { type = '' }: ServiceSpec,
  path: string,
): FieldError[] {
  if (!nodePort) return [];
  if (type === 'ClusterIP' || type === 'ExternalName') {
    return [forbiddenField(path, `may not be used when \`type\` is '${type}'`)];
  }
  const [min, max] = NODE_PORT_RANGE;
  if (nodePort >= min && nodePort <= max) return [];
  const why =
    'provided port is not in the valid range. ' + `The range of valid ports is ${min}-${max}`;
  return [invalidValue(path, nodePort, why)];
}

/** A name, a protocol with port, and a protocol with node port stand once each. */
function validateOnce(
  port: ServicePort,
  seen: Record<'names' | 'ports' | 'nodePorts', Set<string>>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const { name, protocol, nodePort } = port;
  if (name && seen.names.has(name)) errors.push(duplicate(`${path}.name`, name));
  if (name) seen.names.add(name);
  const key = `${protocol ?? 'TCP'}/${port.port}`;
  if (seen.ports.has(key)) errors.push(duplicate(path, { port: port.port, protocol }));
  seen.ports.add(key);
  const nodeKey = `${protocol ?? 'TCP'}/${nodePort ?? 0}`;
  if (nodePort && seen.nodePorts.has(nodeKey)) {
    errors.push(duplicate(`${path}.nodePort`, nodePort));
  }
  if (nodePort) seen.nodePorts.add(nodeKey);
  return errors;
}

function validatePolicies(spec: ServiceSpec): FieldError[] {
  const policies = ['Cluster', 'Local'];
  const errors = [
    ...requiredOneOf(spec.sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity'),
    ...oneOf(spec.internalTrafficPolicy, policies, 'spec.internalTrafficPolicy'),
    ...oneOf(spec.externalTrafficPolicy, policies, 'spec.externalTrafficPolicy'),
    ...oneOf(
      spec.ipFamilyPolicy,
      ['PreferDualStack', 'RequireDualStack', 'SingleStack'],
      'spec.ipFamilyPolicy',
    ),
  ];
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (spec.sessionAffinity === 'ClientIP') {
    const path = 'spec.sessionAffinityConfig.clientIP.timeoutSeconds';
    errors.push(...between(seconds, [1, DAY_SECONDS], path));
  }
  return errors;
}

function validateExternalName(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if ((spec.clusterIPs ?? []).length > 0 || spec.clusterIP) {
    errors.push(forbiddenField('spec.clusterIPs', 'may not be set for ExternalName services'));
  }
  if (!spec.externalName) return [...errors, required('spec.externalName')];
  const why = dnsSubdomain(spec.externalName.replace(/\.$/, ''));
  return why === undefined
    ? errors
    : [...errors, invalidValue('spec.externalName', spec.externalName, why)];
}

function validateAddresses(spec: ServiceSpec): FieldError[] {
  const { clusterIP, clusterIPs = [], type } = spec;
  if (isHeadless(spec)) {
    if (type === 'ClusterIP') return [];
    const why = `may not be set to 'None' for ${type ?? ''} services`;
    return [invalidValue('spec.clusterIPs[0]', 'None', why)];
  }
  if (clusterIP && clusterIPs.length > 0 && clusterIP !== clusterIPs[0]) {
    return [invalidValue('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`')];
  }
  return clusterIPs.flatMap((ip, i) => {
    const why = ipAddress(ip);
    return why === undefined ? [] : [invalidValue(`spec.clusterIPs[${i}]`, ip, why)];
  });
}

/** An address, once given, stays as long as the Service has one at all. */
function validateKept(spec: ServiceSpec, before: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName' || before.type === 'ExternalName') return [];
  if (!before.clusterIP || spec.clusterIP === before.clusterIP) return [];
  return [
    invalidValue(
      'spec.clusterIPs[0]',
      spec.clusterIPs ?? [spec.clusterIP],
      'may not change once set',
    ),
  ];
}
