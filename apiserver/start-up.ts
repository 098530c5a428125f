// How far a start has come: its parts, by the names of the start-up hooks that do the same upstream.
// Invariant: a part is done once, when all of its work is, and stays so; one whose work failed is never done.
// What upstream starts and this server does not have (legacy tokens, leases of API servers, …) has no name here.
import type { Check } from './health.ts';

/** In the order in which upstream tells them. Source: the health checks of a kube-apiserver. */
const PARTS = [
  'poststarthook/generic-apiserver-start-informers',
  'poststarthook/start-apiextensions-controllers',
  'poststarthook/crd-informer-synced',
  'poststarthook/start-system-namespaces-controller',
  'poststarthook/start-cluster-authentication-info-controller',
  'poststarthook/rbac/bootstrap-roles',
  'poststarthook/scheduling/bootstrap-system-priority-classes',
  'poststarthook/priority-and-fairness-config-producer',
  'poststarthook/bootstrap-controller',
  'poststarthook/start-kubernetes-service-cidr-controller',
  'poststarthook/apiservice-registration-controller',
  'poststarthook/kube-apiserver-autoregistration',
  'autoregister-completion',
] as const;
/** A part of a start. */
export type StartUpPart = (typeof PARTS)[number];

/** What of a start is done. */
export class StartUp {
  readonly #done = new Set<StartUpPart>();
  readonly #parts: readonly StartUpPart[];

  /** `without` are parts that this server does not have. */
  constructor(without: readonly StartUpPart[] = []) {
    this.#parts = PARTS.filter((part) => !without.includes(part));
  }

  /** These parts are done. */
  done(...parts: readonly StartUpPart[]): void {
    for (const part of parts) this.#done.add(part);
  }

  /** One check for each part, which fails until it is done. */
  get checks(): readonly Check[] {
    return this.#parts.map((name) => ({ name, run: () => this.#done.has(name) }));
  }
}
