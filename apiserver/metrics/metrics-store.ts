// Figures of nodes and pods, in memory: the newest sample of each, watchable, never on disk.
// Invariant: a node speaks of the pods that it has, of no others; a figure older than STALE_MS is not shown; each change has a revision of its own, above all before it.
import type { Clock, Timer } from '../../base/clock.ts';
import type { NodeSample, PodSample, Usage } from '../../api/metrics/sample.ts';
import type { NodeMetrics, PodMetrics } from '../../api/kinds.ts';
import { formatTime } from '../../api/meta/time.ts';

/** A sample that is older than this says nothing any more. */
export const STALE_MS = 30_000;
/** How often it is looked whether any is, while there are any. */
const STALE_CHECK_MS = 5_000;
/** Nodes that are remembered; more are refused. */
export const MAX_NODES = 5_000;

/** What the figures are about. */
export type MetricsKind = 'pods' | 'nodes';

/** A change of one figure. */
export interface MetricsEvent {
  readonly kind: MetricsKind;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: PodMetrics | NodeMetrics;
}

interface Entry {
  readonly object: PodMetrics | NodeMetrics;
  readonly node: string;
  readonly takenAtMs: number;
}

/** Labels of the objects that figures are about, so that selectors work on figures. */
export interface LabelView {
  /** Labels of a pod that is on that node; undefined for any other. */
  podLabels(pod: {
    readonly namespace: string;
    readonly name: string;
    readonly node: string;
  }): Readonly<Record<string, string>> | undefined;
  /** Undefined: there is no such Node. */
  nodeLabels(name: string): Readonly<Record<string, string>> | undefined;
}

/** The figures. */
export class MetricsStore {
  readonly #clock: Clock;
  readonly #labels: LabelView;
  readonly #entries: Readonly<Record<MetricsKind, Map<string, Entry>>> = {
    pods: new Map(),
    nodes: new Map(),
  };
  /** Keys of the pods that each node speaks of, so that a sample costs what is in it. */
  readonly #podsOf = new Map<string, Set<string>>();
  readonly #listeners = new Set<(events: readonly MetricsEvent[]) => void>();
  #revision: number;
  #checking: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, labels: LabelView) {
    this.#clock = clock;
    this.#labels = labels;
    // Revisions begin at the time of start, so that they grow across restarts of the server too.
    this.#revision = clock.now();
  }

  get revision(): string {
    return String(this.#revision);
  }

  /** Takes a node's sample: its figures and those of its pods replace the ones before. Tells why it was refused. */
  put(node: string, sample: NodeSample): 'taken' | 'too many nodes' | 'no such node' {
    const { nodes } = this.#entries;
    const labels = this.#labels.nodeLabels(node);
    if (!labels) return 'no such node';
    if (!nodes.has(node) && nodes.size >= MAX_NODES) return 'too many nodes';
    const events: MetricsEvent[] = [];
    const seen = new Set<string>();
    events.push(
      this.#set('nodes', node, {
        object: this.#nodeMetrics({ name: node, labels: { ...labels } }, sample),
        node,
      }),
    );
    for (const pod of sample.pods) {
      const key = `${pod.namespace}/${pod.name}`;
      const object = this.#podMetrics(node, pod, sample);
      if (!object) continue;
      seen.add(key);
      events.push(this.#set('pods', key, { object, node }));
    }
    for (const key of this.#podsOf.get(node) ?? [])
      if (!seen.has(key)) this.#delete('pods', key, events);
    this.#tell(events);
    this.#checkLater();
    return 'taken';
  }

  /** The present figures, of one namespace where one is given. */
  list(kind: MetricsKind, namespace = ''): (PodMetrics | NodeMetrics)[] {
    const limit = this.#clock.now() - STALE_MS;
    const found: (PodMetrics | NodeMetrics)[] = [];
    for (const [key, entry] of this.#entries[kind])
      if (entry.takenAtMs >= limit && (namespace === '' || key.startsWith(`${namespace}/`)))
        found.push(entry.object);
    return found;
  }

  get(kind: MetricsKind, namespace: string, name: string): PodMetrics | NodeMetrics | undefined {
    const entry = this.#entries[kind].get(kind === 'pods' ? `${namespace}/${name}` : name);
    return entry && entry.takenAtMs >= this.#clock.now() - STALE_MS ? entry.object : undefined;
  }

  /** Calls back with each batch of changes until unsubscribed. */
  subscribe(listener: (events: readonly MetricsEvent[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Nothing is looked at any more: the server closes. */
  close(): void {
    this.#closed = true;
    this.#checking?.cancel();
  }

  #set(kind: MetricsKind, key: string, entry: Pick<Entry, 'object' | 'node'>): MetricsEvent {
    const known = this.#entries[kind].get(key);
    this.#entries[kind].set(key, { ...entry, takenAtMs: this.#clock.now() });
    if (kind === 'pods' && known?.node !== entry.node) {
      if (known) this.#disown(known.node, key);
      const keys = this.#podsOf.get(entry.node) ?? new Set();
      this.#podsOf.set(entry.node, keys.add(key));
    }
    return { kind, type: known ? 'MODIFIED' : 'ADDED', object: entry.object };
  }

  #delete(kind: MetricsKind, key: string, events: MetricsEvent[]): void {
    const entry = this.#entries[kind].get(key);
    if (!entry) return;
    this.#entries[kind].delete(key);
    if (kind === 'pods') this.#disown(entry.node, key);
    const metadata = { ...entry.object.metadata, resourceVersion: this.#next() };
    events.push({ kind, type: 'DELETED', object: { ...entry.object, metadata } });
  }

  /** The node speaks of the pod no more. */
  #disown(node: string, key: string): void {
    const keys = this.#podsOf.get(node);
    keys?.delete(key);
    if (keys?.size === 0) this.#podsOf.delete(node);
  }

  #dropStale(events: MetricsEvent[]): void {
    const limit = this.#clock.now() - STALE_MS;
    for (const kind of ['pods', 'nodes'] as const)
      for (const [key, entry] of this.#entries[kind])
        if (entry.takenAtMs < limit) this.#delete(kind, key, events);
  }

  /** Watchers hear of a node that fell silent though no other one speaks. */
  #checkLater(): void {
    if (this.#checking || this.#closed) return;
    this.#checking = this.#clock.timer(STALE_CHECK_MS, () => {
      this.#checking = undefined;
      const events: MetricsEvent[] = [];
      this.#dropStale(events);
      if (events.length > 0) this.#tell(events);
      if (this.#entries.nodes.size + this.#entries.pods.size > 0) this.#checkLater();
    });
  }

  #tell(events: readonly MetricsEvent[]): void {
    for (const listener of this.#listeners) listener(events);
  }

  #next(): string {
    this.#revision += 1;
    return String(this.#revision);
  }

  #podMetrics(node: string, pod: PodSample, sample: NodeSample): PodMetrics | undefined {
    const labels = this.#labels.podLabels({ ...pod, node });
    if (!labels) return undefined;
    return {
      kind: 'PodMetrics',
      apiVersion: 'metrics.k8s.io/v1beta1',
      metadata: this.#meta(
        { name: pod.name, namespace: pod.namespace, labels: { ...labels } },
        sample,
      ),
      ...timesOf(sample),
      containers: pod.containers.map(({ name, ...usage }) => ({ name, usage: usageOf(usage) })),
    };
  }

  #nodeMetrics(meta: { name: string; labels: object }, sample: NodeSample): NodeMetrics {
    return {
      kind: 'NodeMetrics',
      apiVersion: 'metrics.k8s.io/v1beta1',
      metadata: this.#meta(meta, sample),
      ...timesOf(sample),
      usage: usageOf(sample.node),
    };
  }

  #meta(meta: object, sample: NodeSample) {
    return {
      ...meta,
      creationTimestamp: formatTime(sample.timestampMs),
      resourceVersion: this.#next(),
    };
  }
}

function timesOf(sample: NodeSample): { timestamp: string; window: string } {
  return {
    timestamp: new Date(sample.timestampMs).toISOString(),
    window: `${(sample.windowMs / 1000).toFixed(3)}s`,
  };
}

function usageOf(usage: Usage): { cpu: string; memory: string } {
  return {
    cpu: `${Math.max(0, Math.round(usage.cpuNanoCores))}n`,
    memory: `${Math.ceil(Math.max(0, usage.memoryBytes) / 1024)}Ki`,
  };
}
