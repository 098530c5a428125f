// Ingresses: which Service answers for which host and path of HTTP. Stored and shown; nothing routes by them yet.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { Ingress, IngressLoadBalancerStatus, IngressRule } from '../generated/types.ts';
import { Ingresses } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { validateIngress, validateIngressStatus } from './ingress-validation.ts';

const SHOWN_HOSTS = 3;

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

/** What Ingresses are. */
export const ingressDefinition = defineResource<Ingress>({
  ref: Ingresses,
  singular: 'ingress',
  listKind: 'IngressList',
  shortNames: ['ing'],
  categories: [],
  schemaName: 'io.k8s.api.networking.v1.Ingress',
  unattended: 'no controller of this cluster acts on Ingresses yet: nothing is served by them',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Class', 'The IngressClass that it names.', ({ spec }) =>
      spec?.ingressClassName === undefined ? '<none>' : spec.ingressClassName,
    ),
    text('Hosts', 'The hosts of its rules.', ({ spec }) => hostsText(spec?.rules ?? [])),
    text('Address', 'Where it is reached.', ({ status }) => addressText(status?.loadBalancer)),
    text('Ports', 'The ports of HTTP, and of HTTPS where it has TLS.', ({ spec }) =>
      spec?.tls?.length ? '80, 443' : '80',
    ),
    ageColumn,
  ],
  selectableFields: {},
  prepareForCreate(ingress) {
    ingress.status = { loadBalancer: {} };
  },
  validate: validateIngress,
  warnings: ({ metadata }, old) =>
    old === undefined && metadata.annotations?.[CLASS_ANNOTATION] !== undefined
      ? [
          `annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`,
        ]
      : [],
  validateStatus: validateIngressStatus,
});

/** The first hosts; how many are left out counts rules, those without a host among them, as upstream does. */
function hostsText(rules: readonly IngressRule[]): string {
  const hosts = rules.flatMap(({ host }) => (host ? [host] : []));
  if (hosts.length === 0) return '*';
  const shown = hosts.slice(0, SHOWN_HOSTS).join(',');
  const lastShown = rules.findIndex(({ host }) => host === hosts[SHOWN_HOSTS - 1]);
  const more = hosts.length >= SHOWN_HOSTS && lastShown < rules.length - 1;
  return more ? `${shown} + ${rules.length - SHOWN_HOSTS} more...` : shown;
}

function addressText(balancer: IngressLoadBalancerStatus | undefined): string {
  const addresses = (balancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || []);
  return [...new Set(addresses)].sort().join(',');
}
