// The names of a cluster: what a question about cluster.local comes to. Pure, over a view of Services and slices.
// Follows the public specification of Kubernetes DNS-based service discovery, version 1.1.0.
import type { EndpointSlice, Service } from '../../api/generated/types.ts';
import type { Answer } from './wire.ts';

/** Seconds that answers may be kept. */
const TTL = 5;

/** What names are made from. */
export interface NameView {
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  serviceByIp(ip: string): Service | undefined;
}

/** The outcome of a question. `outside`: not a name of this cluster. */
export type Lookup =
  | { readonly kind: 'outside' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'found'; readonly answers: readonly Answer[] };

const found = (answers: readonly Answer[]): Lookup => ({ kind: 'found', answers });
const UNKNOWN: Lookup = { kind: 'unknown' };

/** Services that only name another one, followed one after the other; with more, they most likely go round in a ring. */
export const MAX_ALIASES = 8;

/**
 * Answers a question of class IN. `domain`: the cluster's, without dots at its ends. A name that stands for another one of the
 * cluster is answered with that one's addresses too, as few resolvers ask again; one that stands for a name outside, with that
 * name alone, as the last answer.
 */
export function lookUp(
  view: NameView,
  domain: string,
  question: { name: string; type: string },
): Lookup {
  const answers: Answer[] = [];
  let { name } = question;
  while (answers.length <= MAX_ALIASES) {
    const result = lookUpOne(view, domain, { ...question, name });
    const alias = result.kind === 'found' ? aliasIn(result.answers) : undefined;
    if (result.kind !== 'found') return answers.length > 0 ? found(answers) : result;
    answers.push(...result.answers);
    if (alias === undefined || question.type === 'CNAME') break;
    name = alias;
  }
  return found(answers);
}

/** The name that the last of these answers stands for. */
export function aliasIn(answers: readonly Answer[]): string | undefined {
  const last = answers.at(-1);
  return last?.type === 'CNAME' ? last.data : undefined;
}

function lookUpOne(
  view: NameView,
  domain: string,
  question: { name: string; type: string },
): Lookup {
  const name = question.name.toLowerCase().replace(/\.$/, '');
  if (name.endsWith('.in-addr.arpa')) return reverse(view, domain, { name, type: question.type });
  if (name !== domain && !name.endsWith(`.${domain}`)) return { kind: 'outside' };
  const labels = name === domain ? [] : name.slice(0, -domain.length - 1).split('.');
  const zone = labels.pop();
  if (zone === undefined) return found([]);
  if (zone === 'pod') return podName(labels, name, question.type);
  if (zone !== 'svc') return UNKNOWN;
  return serviceName(view, labels, { name, type: question.type });
}

/** `10-244-0-5.ns.pod`: the address is in the name. */
function podName(labels: string[], name: string, type: string): Lookup {
  const [dashed, namespace] = labels;
  if (labels.length !== 2 || dashed === undefined || namespace === undefined) return UNKNOWN;
  const ip = dashed.replaceAll('-', '.');
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(ip)) return UNKNOWN;
  return found(type === 'A' || type === 'ANY' ? [{ name, type: 'A', ttl: TTL, data: ip }] : []);
}

function serviceName(
  view: NameView,
  labels: string[],
  question: { name: string; type: string },
): Lookup {
  const namespace = labels.pop();
  const serviceLabel = labels.pop();
  if (namespace === undefined || serviceLabel === undefined) return found([]);
  const service = view.service(namespace, serviceLabel);
  if (!service) return UNKNOWN;
  if (service.spec?.type === 'ExternalName' && labels.length === 0) {
    const target = service.spec.externalName ?? '';
    return found([{ name: question.name, type: 'CNAME', ttl: TTL, data: target }]);
  }
  const slices = view.slices(namespace, serviceLabel);
  if (labels.length === 0) return found(addressAnswers(service, slices, question));
  if (labels.length === 2 && labels[0]?.startsWith('_') && labels[1]?.startsWith('_'))
    return portName({ service, slices }, labels as [string, string], question);
  return labels.length === 1 ? endpointName(slices, labels[0] as string, question) : UNKNOWN;
}

function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === 'None';
}

function addressAnswers(
  service: Service,
  slices: readonly EndpointSlice[],
  question: { name: string; type: string },
): Answer[] {
  if (question.type !== 'A' && question.type !== 'ANY') return [];
  const addresses = isHeadless(service)
    ? endpointsOf(slices).map((endpoint) => endpoint.ip)
    : [service.spec?.clusterIP ?? ''].filter((ip) => ip !== '');
  return addresses.map((data) => ({ name: question.name, type: 'A', ttl: TTL, data }));
}

interface NamedEndpoint {
  readonly ip: string;
  readonly hostname: string;
}

function endpointsOf(slices: readonly EndpointSlice[]): NamedEndpoint[] {
  const byIp = new Map<string, NamedEndpoint>();
  for (const slice of slices)
    for (const endpoint of slice.endpoints ?? [])
      if (endpoint.conditions?.ready !== false)
        for (const ip of endpoint.addresses)
          byIp.set(ip, { ip, hostname: endpoint.hostname ?? ip.replaceAll('.', '-') });
  return [...byIp.values()];
}

/** `web-0.db.ns.svc`: one endpoint of a headless Service. */
function endpointName(
  slices: readonly EndpointSlice[],
  hostname: string,
  question: { name: string; type: string },
): Lookup {
  const matches = endpointsOf(slices).filter((endpoint) => endpoint.hostname === hostname);
  if (matches.length === 0) return UNKNOWN;
  if (question.type !== 'A' && question.type !== 'ANY') return found([]);
  return found(matches.map(({ ip }) => ({ name: question.name, type: 'A', ttl: TTL, data: ip })));
}

/** `_http._tcp.web.ns.svc`: SRV records of a named port. */
function portName(
  of: { service: Service; slices: readonly EndpointSlice[] },
  [portLabel, protocolLabel]: readonly [string, string],
  question: { name: string; type: string },
): Lookup {
  const protocol = protocolLabel.slice(1).toUpperCase();
  const port = of.service.spec?.ports?.find(
    (p) => p.name === portLabel.slice(1) && (p.protocol ?? 'TCP') === protocol,
  );
  if (!port) return UNKNOWN;
  if (question.type !== 'SRV' && question.type !== 'ANY') return found([]);
  const base = question.name.split('.').slice(2).join('.');
  const record = (target: string, number: number): Answer => ({
    name: question.name,
    type: 'SRV',
    ttl: TTL,
    data: { target, port: number, priority: 0, weight: 100 },
  });
  if (!isHeadless(of.service)) return found([record(base, port.port)]);
  const number = of.slices[0]?.ports?.find((p) => p.name === port.name)?.port ?? port.port;
  return found(endpointsOf(of.slices).map((e) => record(`${e.hostname}.${base}`, number)));
}

function reverse(view: NameView, domain: string, question: { name: string; type: string }): Lookup {
  const ip = question.name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.');
  const service = view.serviceByIp(ip);
  if (!service) return { kind: 'outside' };
  if (question.type !== 'PTR') return found([]);
  const { name = '', namespace = '' } = service.metadata;
  const data = `${name}.${namespace}.svc.${domain}`;
  return found([{ name: question.name, type: 'PTR', ttl: TTL, data }]);
}
