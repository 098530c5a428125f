// GET /metrics/cadvisor: use of containers under cAdvisor's names. Pure.
// Invariant: a family shows each container at most once; what is not known of one is left out for it alone.
import { type MetricFamily, type MetricLine, metricText } from '../../base/metric-text.ts';
import { containerResources } from '../pods/container-config.ts';
import type { LinkCounts } from '../pod-network.ts';
import type { LinuxResources } from '../runtime/runtime.ts';
import type { ContainerFigures, NodeSnapshot, PodFigures } from './node-snapshot.ts';

type Labels = Readonly<Record<string, string>>;

/** A container with the labels of its lines. */
interface Row {
  readonly container: ContainerFigures;
  readonly pod: PodFigures;
  readonly labels: Labels;
  readonly limits: LinuxResources;
}

interface Shown {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly labels?: Labels;
  readonly of: (row: Row) => number | undefined;
}

const seconds = (ns: bigint | undefined): number | undefined =>
  ns === undefined ? undefined : Number(ns) / 1e9;

const CPU: readonly Shown[] = [
  {
    name: 'container_cpu_usage_seconds_total',
    help: 'Processor time used.',
    type: 'counter',
    labels: { cpu: 'total' },
    of: ({ container }) => seconds(container.stats.cpuUsageNs),
  },
  {
    name: 'container_cpu_user_seconds_total',
    help: 'Processor time used by programs themselves.',
    type: 'counter',
    of: ({ container }) => seconds(container.details.cpuUserNs),
  },
  {
    name: 'container_cpu_system_seconds_total',
    help: 'Processor time used by the kernel for programs.',
    type: 'counter',
    of: ({ container }) => seconds(container.details.cpuSystemNs),
  },
  {
    name: 'container_cpu_cfs_periods_total',
    help: 'Periods of the processor quota.',
    type: 'counter',
    of: ({ container, limits }) => limits.cpuQuotaUs && container.details.cpuPeriods,
  },
  {
    name: 'container_cpu_cfs_throttled_periods_total',
    help: 'Periods in which the quota was used up.',
    type: 'counter',
    of: ({ container, limits }) => limits.cpuQuotaUs && container.details.cpuThrottledPeriods,
  },
  {
    name: 'container_cpu_cfs_throttled_seconds_total',
    help: 'Time spent waiting for the next period of the quota.',
    type: 'counter',
    of: ({ container, limits }) => limits.cpuQuotaUs && seconds(container.details.cpuThrottledNs),
  },
];

const failures = (kind: string): Labels => ({ failure_type: kind, scope: 'container' });
const FAILURES = 'container_memory_failures_total';
const FAILURES_HELP = 'Page faults: those that needed a disk are pgmajfault.';

const MEMORY: readonly Shown[] = [
  {
    name: 'container_memory_usage_bytes',
    help: 'Memory in use, file cache included.',
    type: 'gauge',
    of: ({ container }) => container.stats.memoryUsageBytes,
  },
  {
    name: 'container_memory_working_set_bytes',
    help: 'Memory that cannot be given back at once.',
    type: 'gauge',
    of: ({ container }) => container.stats.memoryWorkingSetBytes,
  },
  {
    name: 'container_memory_rss',
    help: 'Anonymous memory, bytes.',
    type: 'gauge',
    of: ({ container }) => container.details.memoryRssBytes,
  },
  {
    name: 'container_memory_cache',
    help: 'File cache, bytes.',
    type: 'gauge',
    of: ({ container }) => container.details.memoryCacheBytes,
  },
  {
    name: 'container_memory_mapped_file',
    help: 'Files mapped into memory, bytes.',
    type: 'gauge',
    of: ({ container }) => container.details.memoryMappedBytes,
  },
  {
    name: 'container_memory_swap',
    help: 'Memory on swap, bytes.',
    type: 'gauge',
    of: ({ container }) => container.details.memorySwapBytes,
  },
  {
    name: FAILURES,
    help: FAILURES_HELP,
    type: 'counter',
    labels: failures('pgfault'),
    of: ({ container }) => container.details.pageFaults,
  },
  {
    name: FAILURES,
    help: FAILURES_HELP,
    type: 'counter',
    labels: failures('pgmajfault'),
    of: ({ container }) => container.details.majorPageFaults,
  },
  {
    name: 'container_oom_events_total',
    help: 'Processes that the kernel killed for want of memory.',
    type: 'counter',
    of: ({ container }) => container.details.oomKills,
  },
];

const OTHERS: readonly Shown[] = [
  {
    name: 'container_processes',
    help: 'Processes inside.',
    type: 'gauge',
    of: ({ container }) => container.stats.pids,
  },
  {
    name: 'container_fs_usage_bytes',
    help: 'Bytes that the container has written into its own file system.',
    type: 'gauge',
    labels: { device: '' },
    of: ({ container, pod }) => pod.disk?.layers.get(container.status.id),
  },
  {
    name: 'container_start_time_seconds',
    help: 'When the container began, Unix time.',
    type: 'gauge',
    of: ({ container: { status } }) => (status.startedAtMs ?? status.createdAtMs) / 1000,
  },
  {
    name: 'container_last_seen',
    help: 'When the container was last seen, Unix time.',
    type: 'gauge',
    of: ({ container }) => Math.floor(container.stats.timestampMs / 1000),
  },
  {
    name: 'container_spec_cpu_shares',
    help: 'Share of processors.',
    type: 'gauge',
    of: ({ limits }) => limits.cpuShares,
  },
  {
    name: 'container_spec_cpu_quota',
    help: 'Quota of processor time in one period, microseconds.',
    type: 'gauge',
    of: ({ limits }) => limits.cpuQuotaUs,
  },
  {
    name: 'container_spec_cpu_period',
    help: 'Period of the quota, microseconds.',
    type: 'gauge',
    of: ({ limits }) => limits.cpuPeriodUs ?? 100_000,
  },
  {
    name: 'container_spec_memory_limit_bytes',
    help: 'Limit of memory; 0 without one.',
    type: 'gauge',
    of: ({ limits }) => limits.memoryLimitBytes ?? 0,
  },
];

/** Families of a pod's link, each for both directions. */
const LINKS: readonly (readonly [name: string, help: string, of: (link: LinkCounts) => number])[] =
  [
    ['receive_bytes', 'Bytes received.', (link) => link.rxBytes],
    ['receive_packets', 'Packets received.', (link) => link.rxPackets],
    ['receive_packets_dropped', 'Packets dropped on the way in.', (link) => link.rxDropped],
    ['receive_errors', 'Failures to receive.', (link) => link.rxErrors],
    ['transmit_bytes', 'Bytes sent.', (link) => link.txBytes],
    ['transmit_packets', 'Packets sent.', (link) => link.txPackets],
    ['transmit_packets_dropped', 'Packets dropped on the way out.', (link) => link.txDropped],
    ['transmit_errors', 'Failures to send.', (link) => link.txErrors],
  ];

/** The page. */
export function cadvisorPage(at: NodeSnapshot): string {
  const rows = at.pods.flatMap((pod) =>
    pod.containers.map((container): Row => rowOf(container, pod, at)),
  );
  const families = new Map<string, MetricFamily & { readonly lines: MetricLine[] }>();
  for (const { name, help, type, labels, of } of [...CPU, ...MEMORY, ...OTHERS]) {
    const family = families.get(name) ?? { name, help, type, lines: [] };
    families.set(name, family);
    family.lines.push(...rootLines(name, at));
    for (const row of rows) {
      const value = of(row);
      const atMs = row.container.stats.timestampMs;
      if (value !== undefined)
        family.lines.push({ labels: { ...row.labels, ...labels }, value, atMs });
    }
  }
  return metricText([...families.values(), ...linkFamilies(at), ...machineFamilies(at)]);
}

function rowOf(container: ContainerFigures, pod: PodFigures, { memoryBytes }: NodeSnapshot): Row {
  const { metadata } = pod.pod;
  const { status, spec, name } = container;
  const labels = {
    container: name,
    id: `/pod${metadata.uid ?? ''}/${status.id}`,
    image: spec?.image ?? status.imageId,
    name: status.id,
    namespace: metadata.namespace ?? '',
    pod: metadata.name ?? '',
  };
  const facts = { pod: pod.pod, nodeMemoryBytes: memoryBytes };
  const limits = spec ? containerResources(spec, facts) : {};
  return { container, pod, labels, limits };
}

/** The machine as a whole is the container `/`. */
function rootLines(name: string, { node }: NodeSnapshot): MetricLine[] {
  const labels = { container: '', id: '/', image: '', name: '', namespace: '', pod: '' };
  const atMs = node.timestampMs;
  if (name === 'container_cpu_usage_seconds_total')
    return [{ labels: { ...labels, cpu: 'total' }, value: Number(node.cpuUsageNs) / 1e9, atMs }];
  if (name === 'container_memory_working_set_bytes')
    return [{ labels, value: node.memoryWorkingSetBytes, atMs }];
  return [];
}

function linkFamilies({ pods, nowMs }: NodeSnapshot): MetricFamily[] {
  return LINKS.map(([name, help, of]) => ({
    name: `container_network_${name}_total`,
    help,
    type: 'counter' as const,
    lines: pods.flatMap(({ pod, link }): MetricLine[] => {
      if (!link) return [];
      const { namespace = '', name: podName = '', uid } = pod.metadata;
      const labels = {
        container: '',
        id: `/pod${uid ?? ''}`,
        image: '',
        interface: link.name,
        name: '',
        namespace,
        pod: podName,
      };
      return [{ labels, value: of(link), atMs: nowMs }];
    }),
  }));
}

function machineFamilies({ cpus, memoryBytes }: NodeSnapshot): MetricFamily[] {
  const one = (name: string, help: string, value: number): MetricFamily => ({
    name,
    help,
    type: 'gauge',
    lines: [{ value }],
  });
  return [
    one('machine_cpu_cores', 'Logical processors.', cpus),
    one('machine_memory_bytes', 'Memory of the machine.', memoryBytes),
    one('container_scrape_error', '1 where figures of containers could not be read.', 0),
  ];
}
