// Rules of Ingresses: hosts, paths, backends, TLS, and of their status.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { invalidValue, notSupported, required } from '../field-error.ts';
import type {
  HTTPIngressPath,
  HTTPIngressRuleValue,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressServiceBackend,
  IngressTLS,
} from '../generated/types.ts';
import { mustObey, obeys } from '../meta/field-rules.ts';
import { ipAddress, ipFamily } from '../meta/ip.ts';
import {
  dns1035Label,
  dnsSubdomain,
  portName,
  portNumber,
  wildcardSubdomain,
} from '../meta/names.ts';
import { validateTypedReference } from './typed-reference.ts';

/** The annotation that named the class before there was a field for it. */
export const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
const NOT_IN_PATHS = ['//', '/./', '/../', '%2f', '%2F'];
const NOT_AT_ENDS = ['/..', '/.'];
const NOT_AN_IP = 'must be a DNS name, not an IP address';

/** Rules of an Ingress, new or changed. */
export function validateIngress(ingress: Ingress, old: Ingress | undefined): FieldError[] {
  const { spec = {}, metadata } = ingress;
  const { rules = [], tls = [], defaultBackend, ingressClassName } = spec;
  const errors: FieldError[] = [];
  const annotated = metadata.annotations?.[CLASS_ANNOTATION];
  if (old === undefined && annotated !== undefined && ingressClassName !== undefined) {
    const why = 'can not be set when the class field is also set';
    errors.push(invalidValue(`annotations.${CLASS_ANNOTATION}`, annotated, why));
  }
  if (rules.length === 0 && defaultBackend === undefined) {
    const why = 'either `defaultBackend` or `rules` must be specified';
    errors.push(invalidValue('spec', rules, why));
  }
  return [
    ...errors,
    ...tls.flatMap((one, i) => validateTls(one, `spec.tls[${i}]`)),
    ...rules.flatMap((rule, i) => validateRule(rule, `spec.rules[${i}]`)),
    ...(defaultBackend ? validateBackend(defaultBackend, 'spec.defaultBackend') : []),
    ...obeys(dnsSubdomain, ingressClassName, 'spec.ingressClassName'),
  ];
}

/** Rules of a status: each entry of its load balancer is an address or a name. */
export function validateIngressStatus({ status }: Ingress): FieldError[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, i) => {
    const path = `status.loadBalancer.ingress[${i}]`;
    const errors = ip ? obeys(ipAddress, ip, `${path}.ip`) : [];
    if (!hostname) return errors;
    const named =
      ipFamily(hostname) === undefined
        ? []
        : [invalidValue(`${path}.hostname`, hostname, NOT_AN_IP)];
    return [...errors, ...obeys(dnsSubdomain, hostname, `${path}.hostname`), ...named];
  });
}

const hostRule = (host: string): string | undefined =>
  host.includes('*') ? wildcardSubdomain(host) : dnsSubdomain(host);

function validateTls({ hosts = [], secretName }: IngressTLS, path: string): FieldError[] {
  return [
    ...hosts.flatMap((host, i) => obeys(hostRule, host, `${path}.hosts[${i}]`)),
    ...obeys(dnsSubdomain, secretName || undefined, `${path}.secretName`),
  ];
}

function validateRule({ host, http }: IngressRule, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (host && ipFamily(host) !== undefined) {
    errors.push(invalidValue(`${path}.host`, host, NOT_AN_IP));
  }
  errors.push(...obeys(hostRule, host || undefined, `${path}.host`));
  return http === undefined ? errors : [...errors, ...validatePaths(http, `${path}.http.paths`)];
}

function validatePaths({ paths = [] }: Partial<HTTPIngressRuleValue>, path: string): FieldError[] {
  if (paths.length === 0) return [required(path)];
  return paths.flatMap((one, i) => validatePath(one, `${path}[${i}]`));
}

function validatePath({ path: value = '', pathType, backend }: HTTPIngressPath, path: string) {
  const errors: FieldError[] = [];
  if (!pathType) errors.push(required(`${path}.pathType`, 'pathType must be specified'));
  else if (!PATH_TYPES.includes(pathType)) {
    errors.push(notSupported(`${path}.pathType`, pathType, PATH_TYPES));
  } else errors.push(...validatePathText(value, pathType, `${path}.path`));
  return [...errors, ...validateBackend(backend ?? {}, `${path}.backend`)];
}

function validatePathText(value: string, pathType: string, path: string): FieldError[] {
  const free = pathType === 'ImplementationSpecific';
  if (!value.startsWith('/') && !(free && value === '')) {
    return [invalidValue(path, value, 'must be an absolute path')];
  }
  if (free) return [];
  return [
    ...NOT_IN_PATHS.filter((part) => value.includes(part)).map((part) =>
      invalidValue(path, value, `must not contain '${part}'`),
    ),
    ...NOT_AT_ENDS.filter((part) => value.endsWith(part)).map((part) =>
      invalidValue(path, value, `cannot end with '${part}'`),
    ),
  ];
}

function validateBackend({ resource, service }: IngressBackend, path: string): FieldError[] {
  if (resource && service) {
    return [invalidValue(path, '', 'cannot set both resource and service backends')];
  }
  if (resource) return validateTypedReference(resource, `${path}.resource`);
  if (service) return validateServiceBackend(service, path);
  return [invalidValue(path, '', 'resource or service backend is required')];
}

function validateServiceBackend({ name, port }: IngressServiceBackend, path: string): FieldError[] {
  const errors = mustObey(dns1035Label, name, `${path}.service.name`);
  const { name: named, number: numbered } = port ?? {};
  if (named && numbered) {
    const why = 'cannot set both port name & port number';
    return [...errors, invalidValue(path, '', why)];
  }
  if (named) return [...errors, ...obeys(portName, named, `${path}.service.port.name`)];
  if (!numbered) return [...errors, required(path, 'port name or number is required')];
  const why = portNumber(numbered);
  return why === undefined
    ? errors
    : [...errors, invalidValue(`${path}.service.port.number`, numbered, why)];
}
