// Watches the shop as any client would: pods, deployments, the autoscaler, metrics; and keeps what the story is told from.
// Invariant: everything here comes from the API's watches; nothing is assumed about how the cluster works inside.
import type { Clock } from '../../base/clock.ts';
import {
  Deployments,
  HorizontalPodAutoscalers,
  type PodMetrics,
  PodMetricsKind,
  Pods,
} from '../../api/kinds.ts';
import type { Deployment, HorizontalPodAutoscalerV2, Pod } from '../../api/generated/types.ts';
import type { Informer, InformerFactory } from '../../client/informer/informer.ts';

/** The namespace of the shop. */
export const SHOP = 'shop';

/** What a wait came to. */
export type Wait = { readonly kind: 'seen'; readonly ms: number } | { readonly kind: 'timeout' };

/** The shop as it is now, and waits for what it is to become. */
export class Observer {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #pods: Informer<Pod>;
  readonly #deployments: Informer<Deployment>;
  readonly #hpas: Informer<HorizontalPodAutoscalerV2>;
  readonly #metrics: Informer<PodMetrics>;
  readonly #listeners = new Set<() => void>();
  readonly #replicaCounts = new Map<string, Set<number>>();

  /** `signal` ends every wait. */
  constructor(informers: InformerFactory, clock: Clock, signal: AbortSignal) {
    const scope = { namespace: SHOP };
    this.#clock = clock;
    this.#signal = signal;
    this.#pods = informers.informer(Pods, scope);
    this.#deployments = informers.informer(Deployments, scope);
    this.#hpas = informers.informer(HorizontalPodAutoscalers, scope);
    this.#metrics = informers.informer(PodMetricsKind, scope);
    const changed = () => {
      for (const listener of this.#listeners) listener();
    };
    const handler = { onAdd: changed, onUpdate: changed, onDelete: changed };
    this.#pods.subscribe(handler);
    this.#hpas.subscribe(handler);
    this.#deployments.subscribe({
      onAdd: (deployment) => this.#count(deployment, changed),
      onUpdate: (deployment) => this.#count(deployment, changed),
    });
  }

  #count(deployment: Deployment, changed: () => void): void {
    const name = deployment.metadata.name ?? '';
    const counts = this.#replicaCounts.get(name) ?? new Set();
    const { replicas: wanted = 1 } = deployment.spec ?? {};
    const there = deployment.status?.replicas ?? 0;
    // Before the first pods are there, their number has only begun.
    if (counts.size > 0 || there === wanted) counts.add(wanted).add(there);
    this.#replicaCounts.set(name, counts);
    changed();
  }

  /** Every number of replicas that a deployment was asked to have, or had, since it first had all of them. */
  replicaCounts(name: string): readonly number[] {
    return [...(this.#replicaCounts.get(name) ?? [])];
  }

  /** Pods of a service that are not being deleted. */
  pods(app: string): Pod[] {
    return this.#pods
      .list(SHOP)
      .filter((pod) => pod.metadata.labels?.['app'] === app && !pod.metadata.deletionTimestamp);
  }

  pod(name: string): Pod | undefined {
    return this.#pods.get(`${SHOP}/${name}`);
  }

  readyPods(app: string): Pod[] {
    return this.pods(app).filter(isReady);
  }

  /** All pods of a service, those on their way out too. */
  allPods(app: string): Pod[] {
    return this.#pods.list(SHOP).filter((pod) => pod.metadata.labels?.['app'] === app);
  }

  autoscaler(name: string): HorizontalPodAutoscalerV2 | undefined {
    return this.#hpas.get(`${SHOP}/${name}`);
  }

  /** CPU of a service in millicores, as metrics.k8s.io tells. */
  cpuMillis(app: string): number {
    let sum = 0;
    for (const pod of this.pods(app))
      for (const container of this.#metrics.get(`${SHOP}/${pod.metadata.name}`)?.containers ?? [])
        sum += cpuToMillis(container.usage.cpu);
    return Math.round(sum);
  }

  /** Waits until `seen` holds, looking at each change; says how long it took. Rejects when the signal aborts. */
  async until(seen: () => boolean, ceilingMs: number): Promise<Wait> {
    const startedAt = this.#clock.monotonic();
    this.#signal.throwIfAborted();
    if (seen()) return { kind: 'seen', ms: 0 };
    const { promise, resolve, reject } = Promise.withResolvers<Wait>();
    const look = () => {
      if (seen()) resolve({ kind: 'seen', ms: this.#clock.monotonic() - startedAt });
    };
    const end = () => reject(this.#signal.reason as Error);
    const timer = this.#clock.timer(ceilingMs, () => resolve({ kind: 'timeout' }));
    this.#listeners.add(look);
    this.#signal.addEventListener('abort', end, { once: true });
    try {
      return await promise;
    } finally {
      timer.cancel();
      this.#listeners.delete(look);
      this.#signal.removeEventListener('abort', end);
    }
  }
}

/** Does the pod's Ready condition hold? */
export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
}

/** `1500m`, `2`, `12345678n` in millicores. */
function cpuToMillis(quantity: string): number {
  const match = /^(\d+(?:\.\d+)?)([num]?)$/.exec(quantity);
  if (!match) return 0;
  const factor = { '': 1000, m: 1, u: 1e-3, n: 1e-6 }[match[2] as '' | 'm' | 'u' | 'n'];
  return Number(match[1]) * factor;
}
