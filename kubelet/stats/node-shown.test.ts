// Tests of what a node shows of figures: the summary, and the pages of metrics by their upstream names.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { aContainer, aSandbox } from '../../test/contracts/runtime.ts';
import { MemoryUsage } from '../host/memory/memory-usage.ts';
import { FakeImageStore } from '../runtime/fake/fake-images.ts';
import { FakePodNetwork } from '../runtime/fake/fake-network.ts';
import { FakeRuntime } from '../runtime/fake/fake-runtime.ts';
import type { ContainerDetails, ImageUsage } from '../runtime/runtime.ts';
import { AgentFigures, MAX_MEASURED_STARTS } from './agent-figures.ts';
import { countedRuntime } from './counted-runtime.ts';
import { DISK_FIGURES_TTL_MS, WALK_PATIENCE_MS } from './disk-figures.ts';
import { type NodeShown, nodeShown } from './node-shown.ts';

const GIB = 1024 ** 3;
const UID = 'uid-1';

/** A store that tells what it takes, and a runtime and network that tell all there is to tell. */
class KnownImages extends FakeImageStore {
  usage(): Promise<ImageUsage> {
    const bytes = { usedBytes: 5, capacityBytes: 100, availableBytes: 60 };
    return Promise.resolve({ ...bytes, inodes: 10, inodesUsed: 3, inodesFree: 7 });
  }
}
class KnownRuntime extends FakeRuntime {
  walks = 0;

  async details(): Promise<ReadonlyMap<string, ContainerDetails>> {
    const details: ContainerDetails = {
      cpuUserNs: 3_000_000_000n,
      cpuPeriods: 9,
      cpuThrottledPeriods: 4,
      cpuThrottledNs: 500_000_000n,
      memoryRssBytes: 11,
      memoryCacheBytes: 12,
      pageFaults: 13,
      majorPageFaults: 14,
      oomKills: 2,
    };
    return new Map((await this.listContainers()).map(({ id }) => [id, details]));
  }

  override writableLayers(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    this.walks += 1;
    return Promise.resolve(new Map(ids.map((id) => [id, 700])));
  }
}
const link = (name: string, rxBytes: number) => ({
  name,
  rxBytes,
  rxPackets: 1,
  rxErrors: 0,
  rxDropped: 0,
  txBytes: 2 * rxBytes,
  txPackets: 2,
  txErrors: 0,
  txDropped: 0,
});
class KnownNetwork extends FakePodNetwork {
  figures() {
    return { pods: new Map([[UID, link('eth0', 40)]]), host: [link('ens3', 900)] };
  }
}

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', uid: UID },
  spec: {
    containers: [
      {
        name: 'app',
        image: 'app:1',
        resources: { limits: { cpu: '500m', memory: '64Mi' }, requests: { cpu: '250m' } },
      },
    ],
    volumes: [{ name: 'data', emptyDir: {} }],
  },
};

let clock: VirtualClock;
let runtime: KnownRuntime;
let figures: AgentFigures;
let shown: NodeShown;
let id: string;

beforeEach(async () => {
  clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const images = new KnownImages();
  const lifeOf = () => ({ memoryBytes: 1000, cpuNanoCores: 1e9 });
  runtime = new KnownRuntime({ clock, images, lifeOf });
  const sandbox = aSandbox(UID);
  const config = aContainer({
    name: 'app',
    imageId: images.add('app:1').id,
    command: ['run'],
    logPath: '/log',
  });
  const sandboxId = await runtime.runSandbox(sandbox);
  id = await runtime.createContainer(sandboxId, sandbox, config);
  await runtime.startContainer(id);
  await clock.advance(2000);
  const usage = new MemoryUsage({ memoryBytes: 4 * GIB, storageBytes: 64 * GIB });
  usage.play({
    memoryAvailableBytes: 3 * GIB,
    processes: { most: 1000, running: 30 },
    podDisk: () => ({ volumes: new Map([['data', 50]]), logs: new Map([['app', 7]]) }),
  });
  figures = new AgentFigures(clock);
  shown = nodeShown({
    nodeName: 'n1',
    version: 'v1.36.0',
    clock,
    runtime: countedRuntime(runtime, figures),
    images,
    network: new KnownNetwork(),
    usage,
    facts: { cpus: 2, memoryBytes: 4 * GIB, bootMs: Date.UTC(2025, 0, 1) },
    figures,
    pods: () => [pod],
    sample: () => ({
      timestampMs: 0,
      windowMs: 1000,
      node: { cpuNanoCores: 77, memoryBytes: 1 },
      pods: [
        {
          namespace: 'shop',
          name: 'web',
          uid: UID,
          containers: [{ name: 'app', cpuNanoCores: 33, memoryBytes: 1 }],
        },
      ],
    }),
  });
});

describe('the summary', () => {
  it('tells of node, pods and containers what upstream’s tells', async () => {
    const time = '2026-01-01T00:00:02Z';
    expect(await shown.summary(false)).toMatchObject({
      node: {
        nodeName: 'n1',
        startTime: '2025-01-01T00:00:00Z',
        systemContainers: [{ name: 'pods', memory: { workingSetBytes: 1000, rssBytes: 11 } }],
        cpu: { time, usageNanoCores: 77 },
        memory: { time, availableBytes: 3 * GIB, usageBytes: GIB },
        network: { name: 'ens3', rxBytes: 900, txBytes: 1800, interfaces: [{ name: 'ens3' }] },
        fs: { capacityBytes: 64 * GIB, usedBytes: 0, inodesUsed: 0 },
        runtime: {
          imageFs: { capacityBytes: 100, availableBytes: 60, usedBytes: 5, inodesUsed: 3 },
          containerFs: { usedBytes: 40 },
        },
        rlimit: { time, maxpid: 1000, curproc: 30 },
      },
      pods: [
        {
          podRef: { name: 'web', namespace: 'shop', uid: UID },
          cpu: { usageNanoCores: 33, usageCoreNanoSeconds: 2_000_000_000 },
          memory: { workingSetBytes: 1000, usageBytes: 1000, rssBytes: 11, pageFaults: 13 },
          network: { name: 'eth0', rxBytes: 40 },
          volume: [{ name: 'data', usedBytes: 50 }],
          'ephemeral-storage': { usedBytes: 757, capacityBytes: 64 * GIB },
          process_stats: { process_count: 1 },
          containers: [
            {
              name: 'app',
              startTime: '2026-01-01T00:00:00Z',
              cpu: { usageNanoCores: 33 },
              memory: { availableBytes: 64 * 1024 ** 2 - 1000, majorPageFaults: 14 },
              rootfs: { usedBytes: 700, capacityBytes: 100 },
              logs: { usedBytes: 7 },
            },
          ],
        },
      ],
    });
  });

  it('of processor and memory alone walks no disk and tells of nothing else', async () => {
    const text = JSON.stringify(await shown.summary(true));
    for (const name of ['fs', 'network', 'rootfs', 'logs', 'volume', 'ephemeral-storage', 'rlimit'])
      expect(text).not.toContain(`"${name}"`);
    expect(text).toContain('"usageNanoCores":33');
    expect(runtime.walks).toBe(0);
  });

  it('walks disks once a minute, whoever asks', async () => {
    await Promise.all([shown.summary(false), shown.page('cadvisor'), shown.summary(false)]);
    await clock.advance(DISK_FIGURES_TTL_MS - 1);
    await shown.summary(false);
    expect(runtime.walks).toBe(1);
    await clock.advance(1);
    await shown.summary(false);
    expect(runtime.walks).toBe(2);
  });
});

it('a walk of the disks that does not end is waited for so long, and what was known before is shown', async () => {
  await shown.summary(false);
  await clock.advance(DISK_FIGURES_TTL_MS);
  runtime.writableLayers = () => new Promise(() => undefined);
  let text = '';
  const asked = shown.summary(false).then((summary) => (text = JSON.stringify(summary)));
  await clock.advance(WALK_PATIENCE_MS - 1);
  expect(text).toBe('');
  await clock.advance(1);
  await asked;
  expect(text).toContain('"ephemeral-storage":{"time":"2026-01-01T00:00:02Z"');
});

it('starts of so many pods are measured at once, and of those that run already none', async () => {
  const named = (uid: string): Pod => ({ ...pod, metadata: { ...pod.metadata, uid } });
  const runs = (uid: string): Pod => ({ ...named(uid), status: { phase: 'Running' } });
  figures.podSeen(runs('old'));
  figures.podTold(runs('old'));
  for (let i = 0; i <= MAX_MEASURED_STARTS; i++) figures.podSeen(named(`uid-${i}`));
  for (let i = 0; i <= MAX_MEASURED_STARTS; i++) figures.podTold(runs(`uid-${i}`));
  expect(lines(await shown.page(''), 'kubelet_pod_start_duration_seconds_count')).toEqual([
    ` ${MAX_MEASURED_STARTS}`,
  ]);
});

/** Lines of a family without their time. */
const lines = (text: string, name: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.slice(name.length));

describe('the pages of metrics', () => {
  it('of cAdvisor have its names and labels', async () => {
    const text = await shown.page('cadvisor');
    const own = `container="app",id="/pod${UID}/${id}",image="app:1",name="${id}",namespace="shop",pod="web"`;
    const at = Date.UTC(2026, 0, 1) + 2000;
    expect(text).toContain('# TYPE container_cpu_usage_seconds_total counter');
    expect(lines(text, 'container_cpu_usage_seconds_total')).toContain(
      `{${own},cpu="total"} 2 ${at}`,
    );
    for (const [name, value] of [
      ['container_cpu_user_seconds_total', 3],
      ['container_cpu_cfs_throttled_periods_total', 4],
      ['container_cpu_cfs_throttled_seconds_total', 0.5],
      ['container_memory_rss', 11],
      ['container_memory_cache', 12],
      ['container_oom_events_total', 2],
      ['container_spec_cpu_quota', 50_000],
      ['container_spec_cpu_shares', 256],
      ['container_spec_memory_limit_bytes', 64 * 1024 ** 2],
      ['container_start_time_seconds', Date.UTC(2026, 0, 1) / 1000],
    ] as const)
      expect(lines(text, name)).toContain(`{${own}} ${value} ${at}`);
    expect(lines(text, 'container_fs_usage_bytes')).toContain(`{${own},device=""} 700 ${at}`);
    expect(lines(text, 'container_memory_failures_total')).toContain(
      `{${own},failure_type="pgmajfault",scope="container"} 14 ${at}`,
    );
    expect(lines(text, 'container_network_receive_bytes_total')).toEqual([
      `{container="",id="/pod${UID}",image="",interface="eth0",name="",namespace="shop",pod="web"} 40 ${at}`,
    ]);
    expect(lines(text, 'machine_cpu_cores')).toEqual([' 2']);
    expect(text.match(/# TYPE container_memory_failures_total/g)).toHaveLength(1);
  });

  it('of resources have the stable names', async () => {
    const text = await shown.page('resource');
    const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
    expect(names).toEqual([
      'node_cpu_usage_seconds_total counter',
      'node_memory_working_set_bytes gauge',
      'container_cpu_usage_seconds_total counter',
      'container_memory_working_set_bytes gauge',
      'container_start_time_seconds gauge',
      'pod_cpu_usage_seconds_total counter',
      'pod_memory_working_set_bytes gauge',
      'resource_scrape_error gauge',
      'scrape_error gauge',
    ]);
    expect(lines(text, 'pod_memory_working_set_bytes')).toEqual([
      `{namespace="shop",pod="web"} 1000 ${Date.UTC(2026, 0, 1) + 2000}`,
    ]);
    expect(runtime.walks).toBe(0);
  });

  it('of probes count each result until the pod is gone', async () => {
    figures.probes.note(UID, 'app', { kind: 'liveness', ok: true });
    figures.probes.note(UID, 'app', { kind: 'liveness', ok: true });
    figures.probes.note(UID, 'app', { kind: 'readiness', ok: false });
    const labels = `container="app",namespace="shop",pod="web",pod_uid="${UID}"`;
    expect(lines(await shown.page('probes'), 'prober_probe_total')).toEqual([
      `{${labels},probe_type="Liveness",result="successful"} 2`,
      `{${labels},probe_type="Readiness",result="failed"} 1`,
    ]);
    figures.podGone(UID);
    expect(await shown.page('probes')).toBe('');
  });

  it('of the agent count its work under the kubelet’s names', async () => {
    figures.podSeen(pod);
    await clock.advance(1500);
    figures.podTold({ ...pod, status: { phase: 'Running' } });
    figures.podTold({ ...pod, status: { phase: 'Running' } });
    figures.pulled(20 * 1024 * 1024, 4000);
    figures.evicted('memory.available');
    figures.requested('GET', 'pods', { long: false, ms: 20 });
    const counted = countedRuntime(runtime, figures);
    runtime.failNext('execSync', new Error('no'));
    await counted.execSync(id, ['x'], 1000).catch(() => undefined);
    const text = await shown.page('');
    expect(lines(text, 'kubelet_pod_start_duration_seconds_sum')).toEqual([' 1.5']);
    expect(lines(text, 'kubelet_pod_start_duration_seconds_count')).toEqual([' 1']);
    expect(lines(text, 'kubelet_image_pull_duration_seconds_sum')).toEqual([
      '{image_size_in_bytes="10MB-100MB"} 4',
    ]);
    expect(lines(text, 'kubelet_evictions')).toEqual(['{eviction_signal="memory.available"} 1']);
    expect(lines(text, 'kubelet_running_pods')).toEqual([' 1']);
    expect(lines(text, 'kubelet_running_containers')).toEqual(['{container_state="running"} 1']);
    expect(lines(text, 'kubelet_runtime_operations_errors_total')).toEqual([
      '{operation_type="exec_sync"} 1',
    ]);
    expect(lines(text, 'kubelet_http_requests_total')).toEqual([
      '{method="GET",path="pods",server_type="readwrite",long_running="false"} 1',
    ]);
    expect(lines(text, 'kubelet_node_name')).toEqual(['{node="n1"} 1']);
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes'])
      expect(lines(text, name)).toHaveLength(1);
  });
});
