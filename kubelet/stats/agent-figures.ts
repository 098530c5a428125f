// What the agent counts of its own work, under the kubelet's names, and its process.
// Invariant: counting costs a look-up and an addition; what can be looked up is read when somebody asks.
import type { Pod } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import { TextFigures } from '../../base/text-figures.ts';
import { ProbeCounts } from './probe-counts.ts';

/** Upper bounds, seconds; upstream's. */
const START_SECONDS = [
  0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800,
  2700, 3600,
];
const PULL_SECONDS = [
  1, 5, 10, 20, 30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600,
];
const OPERATION_SECONDS = [
  0.005, 0.0125, 0.03125, 0.078125, 0.1953125, 0.48828125, 1.220703125, 3.0517578125, 7.62939453125,
  19.073486328125, 47.6837158203125, 119.20928955078125, 298.0232238769531, 745.0580596923828,
];
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Sizes of images as upstream names them: `from-to`, at most the last. */
const SIZES: readonly (readonly [number, string])[] = [
  [0, '0-10MB'],
  [10, '10MB-100MB'],
  [100, '100MB-500MB'],
  [500, '500MB-1GB'],
  [1024, '1GB-5GB'],
  [5 * 1024, '5GB-10GB'],
  [10 * 1024, '10GB-20GB'],
  [20 * 1024, '20GB-30GB'],
  [30 * 1024, '30GB-40GB'],
  [40 * 1024, '40GB-60GB'],
  [60 * 1024, '60GB-100GB'],
  [100 * 1024, 'GT100GB'],
];
const MIB = 1024 * 1024;
/** Pods whose start is measured at once at most. */
export const MAX_MEASURED_STARTS = 1_000;

/** What is looked up. */
export interface AgentDoors {
  readonly nodeName: string;
  readonly version: string;
  readonly clock: Clock;
  /** Pods that have a sandbox that runs. */
  readonly runningPods: () => number | Promise<number>;
  /** Containers by state: created, running, exited, unknown. */
  readonly containers: () => Promise<Iterable<readonly [state: string, count: number]>>;
}

/** The figures of one agent. */
export class AgentFigures {
  readonly figures = new TextFigures();
  readonly probes = new ProbeCounts();
  readonly #clock: Clock;
  /** When pods that do not run yet were first seen, by uid. */
  readonly #seen = new Map<string, number>();
  readonly #starts;
  readonly #pulls;
  readonly #operations;
  readonly #operationErrors;
  readonly #operationSeconds;
  readonly #requests;
  readonly #requestSeconds;
  readonly #evictions;

  constructor(clock: Clock) {
    const { figures } = this;
    this.#clock = clock;
    this.#starts = figures.histogram({
      name: 'kubelet_pod_start_duration_seconds',
      help: 'Time from when a pod is first seen by this agent until it runs.',
      buckets: START_SECONDS,
    });
    this.#pulls = figures.histogram({
      name: 'kubelet_image_pull_duration_seconds',
      help: 'Time of pulls that ended well, by size of the image, the wait for their turn included.',
      labels: ['image_size_in_bytes'],
      buckets: PULL_SECONDS,
    });
    const labels = ['operation_type'];
    this.#operations = figures.counter({
      name: 'kubelet_runtime_operations_total',
      help: 'What the container runtime was asked.',
      labels,
    });
    this.#operationSeconds = figures.histogram({
      name: 'kubelet_runtime_operations_duration_seconds',
      help: 'How long the container runtime took.',
      labels,
      buckets: OPERATION_SECONDS,
    });
    this.#operationErrors = figures.counter({
      name: 'kubelet_runtime_operations_errors_total',
      help: 'What the container runtime failed at.',
      labels,
    });
    const request = ['method', 'path', 'server_type', 'long_running'];
    this.#requests = figures.counter({
      name: 'kubelet_http_requests_total',
      help: 'Requests to the server of this agent.',
      labels: request,
    });
    this.#requestSeconds = figures.histogram({
      name: 'kubelet_http_requests_duration_seconds',
      help: 'How long they took.',
      labels: request,
      buckets: REQUEST_SECONDS,
    });
    this.#evictions = figures.counter({
      name: 'kubelet_evictions',
      help: 'Pods that were evicted, by the signal that was low.',
      labels: ['eviction_signal'],
    });
  }

  /** Adds what is looked up. Once. */
  show(doors: AgentDoors): void {
    const { figures } = this;
    figures.read(
      { name: 'kubelet_node_name', help: 'Name of the node; always 1.', labels: ['node'] },
      () => [[[doors.nodeName], 1]],
    );
    figures.read(
      { name: 'kubelet_running_pods', help: 'Pods with a sandbox that runs.' },
      async () => [[[], await doors.runningPods()]],
    );
    figures.read(
      {
        name: 'kubelet_running_containers',
        help: 'Containers by state.',
        labels: ['container_state'],
      },
      async () =>
        Array.from(await doors.containers(), ([state, count]) => [[state], count] as const),
    );
    figures.read(
      {
        name: 'kubernetes_build_info',
        help: 'Version of this agent; always 1.',
        labels: ['git_version'],
      },
      () => [[[doors.version], 1]],
    );
    showProcess(figures, doors.clock);
  }

  /** The agent sees a pod; one that runs already was started by its predecessor. */
  podSeen(pod: Pod): void {
    const { uid = '' } = pod.metadata;
    if (pod.status?.phase === 'Running' || this.#seen.has(uid)) return;
    if (this.#seen.size < MAX_MEASURED_STARTS) this.#seen.set(uid, this.#clock.monotonic());
  }

  /** The API was told of a pod's status. */
  podTold(pod: Pod): void {
    const { uid = '' } = pod.metadata;
    const seenAt = this.#seen.get(uid);
    const phase = pod.status?.phase;
    if (seenAt === undefined || phase === undefined || phase === 'Pending') return;
    this.#seen.delete(uid);
    if (phase === 'Running') this.#starts.of().observe((this.#clock.monotonic() - seenAt) / 1000);
  }

  /** The pod is gone. */
  podGone(podUid: string): void {
    this.#seen.delete(podUid);
    this.probes.forget(podUid);
  }

  /** A pull ended well. */
  pulled(sizeBytes: number, ms: number): void {
    const size = SIZES.findLast(([mebibytes]) => sizeBytes >= mebibytes * MIB)?.[1] ?? 'N/A';
    this.#pulls.of(size).observe(ms / 1000);
  }

  /** A pod was evicted because this was low. */
  evicted(signal: string): void {
    this.#evictions.of(signal).add();
  }

  /** A request to the server is over. `path` is the first part, of those that there are. */
  requested(method: string, path: string, how: { long: boolean; ms: number }): void {
    const labels = [method, path, 'readwrite', String(how.long)];
    this.#requests.of(...labels).add();
    this.#requestSeconds.of(...labels).observe(how.ms / 1000);
  }

  /** Counts one operation of the runtime; answers what it answers. */
  async operation<T>(type: string, run: () => Promise<T>): Promise<T> {
    const begun = this.#clock.monotonic();
    this.#operations.of(type).add();
    try {
      return await run();
    } catch (error) {
      this.#operationErrors.of(type).add();
      throw error;
    } finally {
      this.#operationSeconds.of(type).observe((this.#clock.monotonic() - begun) / 1000);
    }
  }
}

/** The usual figures of a process. */
function showProcess(figures: TextFigures, clock: Clock): void {
  const startedAt = (clock.now() - process.uptime() * 1000) / 1000;
  const gauge = (name: string, help: string, look: () => number) =>
    figures.read({ name, help }, () => [[[], look()]]);
  figures.read(
    { name: 'process_cpu_seconds_total', help: 'Processor time of the process.', type: 'counter' },
    () => {
      const { user, system } = process.cpuUsage();
      return [[[], (user + system) / 1e6]];
    },
  );
  gauge('process_start_time_seconds', 'When the process began, Unix time.', () => startedAt);
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
}
