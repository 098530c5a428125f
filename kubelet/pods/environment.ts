// The environment of a container: from its spec, ConfigMaps, Secrets, pod fields and Services.
// Invariant: later entries win over earlier ones; `$(NAME)` sees only what stands before it, as upstream has it.
import type { Container, EnvVar, Pod, Service } from '../../api/generated/types.ts';
import type { ObjectSources } from '../volumes/object-sources.ts';
import { podField, type PodFacts, resourceField } from '../volumes/pod-fields.ts';
import { ConfigError } from '../volumes/volume-error.ts';

/** What an environment is made from. */
export interface EnvironmentFacts {
  readonly pod: Pod;
  readonly sources: ObjectSources;
  readonly facts: PodFacts;
  /** Services of the pod's namespace, for service links, and the API server's own. */
  readonly services: readonly Service[];
}

const NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;
const missing = (text: string) => new ConfigError('CreateContainerConfigError', text);

/** The variables, each name once. Throws ConfigError when something that must be there is not. */
export async function environmentOf(
  container: Container,
  from: EnvironmentFacts,
): Promise<{ name: string; value: string }[]> {
  const values = new Map<string, string>();
  const linksAll = from.pod.spec?.enableServiceLinks !== false;
  const linked = from.services.filter((service) => linksAll || isApiService(service));
  for (const [name, value] of serviceLinks(linked)) values.set(name, value);
  for (const [name, value] of await wholeSources(container, from)) values.set(name, value);
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable, container, from);
    if (value !== undefined) values.set(variable.name, expand(value, values));
  }
  return [...values].map(([name, value]) => ({ name, value }));
}

/** Replaces `$(NAME)` by its value where there is one; `$$(NAME)` stands for `$(NAME)`. */
export function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\$(\$|\(([^()]*)\))/g, (whole, tail: string, name: string | undefined) => {
    if (tail === '$') return '$';
    return values.get(name ?? '') ?? whole;
  });
}

async function wholeSources(
  container: Container,
  from: EnvironmentFacts,
): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for (const source of container.envFrom ?? [])
    for (const [key, value] of Object.entries(await dataOf(source, from))) {
      const name = `${source.prefix ?? ''}${key}`;
      if (NAME.test(name)) found.push([name, value]);
    }
  return found;
}

/** All of a ConfigMap or a Secret, as texts. */
async function dataOf(
  source: NonNullable<Container['envFrom']>[number],
  from: EnvironmentFacts,
): Promise<Readonly<Record<string, string>>> {
  const namespace = from.pod.metadata.namespace ?? '';
  const { configMapRef, secretRef } = source;
  const { name = '', optional } = configMapRef ?? secretRef ?? {};
  const object = configMapRef
    ? await from.sources.configMap(namespace, name)
    : await from.sources.secret(namespace, name);
  if (!object && !optional)
    throw missing(`${configMapRef ? 'configmap' : 'secret'} "${name}" not found`);
  return configMapRef ? (object?.data ?? {}) : decoded(object?.data);
}

function decoded(data: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString(),
    ]),
  );
}

async function valueOf(
  variable: EnvVar,
  container: Container,
  from: EnvironmentFacts,
): Promise<string | undefined> {
  const source = variable.valueFrom;
  if (!source) return variable.value ?? '';
  if (source.fieldRef) {
    const value = podField(from.pod, source.fieldRef.fieldPath, from.facts);
    if (value === undefined) throw missing(`unsupported fieldPath: ${source.fieldRef.fieldPath}`);
    return value;
  }
  if (source.resourceFieldRef) {
    const value = resourceField(source.resourceFieldRef, { ...from, own: container });
    if (value !== undefined) return value;
    throw missing(`container ${source.resourceFieldRef.containerName} not found`);
  }
  return keyOfObject(source, from);
}

async function keyOfObject(
  source: NonNullable<EnvVar['valueFrom']>,
  from: EnvironmentFacts,
): Promise<string | undefined> {
  const namespace = from.pod.metadata.namespace ?? '';
  const ref = source.configMapKeyRef ?? source.secretKeyRef;
  // Ephemeral containers come to pods that were admitted before anybody saw what they ask for.
  if (!ref) throw missing(`this node takes no variables of the kind ${Object.keys(source).join()}`);
  const { name = '', key, optional } = ref;
  const kind = source.configMapKeyRef ? 'configmap' : 'secret';
  const object = source.configMapKeyRef
    ? await from.sources.configMap(namespace, name)
    : await from.sources.secret(namespace, name);
  if (!object) {
    if (optional) return undefined;
    throw missing(`${kind} "${name}" not found`);
  }
  const value = new Map(Object.entries(object.data ?? {})).get(key);
  if (value === undefined) {
    if (optional) return undefined;
    const title = source.configMapKeyRef ? 'ConfigMap' : 'Secret';
    throw missing(`couldn't find key ${key} in ${title} ${namespace}/${name}`);
  }
  return source.configMapKeyRef ? value : Buffer.from(value, 'base64').toString();
}

/** Variables of each Service with an address: `WEB_SERVICE_HOST` and its kin, and those that Docker's links once had. */
export function serviceLinks(services: readonly Service[]): [string, string][] {
  return services.flatMap(({ metadata, spec }) => {
    const { clusterIP, ports = [] } = spec ?? {};
    if (!clusterIP || clusterIP === 'None') return [];
    const name = variableName(metadata.name ?? '');
    const links: [string, string][] = [[`${name}_SERVICE_HOST`, clusterIP]];
    if (ports[0]) links.push([`${name}_SERVICE_PORT`, String(ports[0].port)]);
    for (const port of ports)
      if (port.name)
        links.push([`${name}_SERVICE_PORT_${variableName(port.name)}`, String(port.port)]);
    return [...links, ...dockerLinks(name, clusterIP, ports)];
  });
}

type ServicePorts = NonNullable<NonNullable<Service['spec']>['ports']>;

function dockerLinks(name: string, address: string, ports: ServicePorts): [string, string][] {
  const host = address.includes(':') ? `[${address}]` : address;
  return ports.flatMap(({ port, protocol = 'TCP' }, index): [string, string][] => {
    const scheme = protocol.toLowerCase();
    const url = `${scheme}://${host}:${port}`;
    const prefix = `${name}_PORT_${port}_${protocol.toUpperCase()}`;
    return [
      ...(index === 0 ? [[`${name}_PORT`, url] as [string, string]] : []),
      [prefix, url],
      [`${prefix}_PROTO`, scheme],
      [`${prefix}_PORT`, String(port)],
      [`${prefix}_ADDR`, address],
    ];
  });
}

function variableName(text: string): string {
  return text.toUpperCase().replaceAll('-', '_');
}

/** The API server's own Service, which every container knows, links or not. */
export function isApiService({ metadata }: Service): boolean {
  return metadata.namespace === 'default' && metadata.name === 'kubernetes';
}
