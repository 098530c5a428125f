// A node under pods: how soon one runs, a hundred run and are gone, and what the agent needs for them.
// Invariant: raw runc, conmon and a link were measured in the same run, right before; every pod went through the whole system.
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../base/logger.ts';
import { systemClock } from '../../base/clock.ts';
import { type DataPaths, dataPaths, prepareDataDirectory } from '../../cli/serve/data-directory.ts';
import type { RunningCluster } from '../../cli/serve/up.ts';
import type { Client } from '../../client/rest/client.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { createImageStore } from '../../kubelet/images/image-store.ts';
import { aContainerd } from '../../test/support/containerd.ts';
import { buildPerlImage, PERL_IMAGE } from '../../test/support/perl-image.ts';
import { pidOf, withCluster } from './bench-cluster.ts';
import { nodeReady } from './bench-pod.ts';
import { fleetGoneMs, fleetRunningMs, PodEyes, podRunningMs } from './node-pods.ts';
import { median, type Note, type Part } from './part.ts';
import { cpuMsOf, usageOf } from './process-usage.ts';
import { rawStarts } from './raw-containers.ts';

const RAW_STARTS = 30;
const SINGLE_PODS = 100;
const FLEET = 100;
const SETTLE_MS = 10_000;
const IDLE_MS = 30_000;
const CONTAINERD = '/usr/bin/containerd';

/** The value that so many of a hundred do not exceed. */
export const percentile = (values: readonly number[], percent: number): number =>
  values.toSorted((a, b) => a - b)[
    Math.min(values.length - 1, Math.ceil((percent / 100) * values.length) - 1)
  ] ?? Number.NaN;

/** What figures of pods are taken with; goals are those of the embedded runtime. */
interface Setting {
  readonly client: Client;
  readonly eyes: PodEyes;
  readonly note: Note;
  readonly goals: boolean;
}

async function measureRaw(directory: string, note: Note): Promise<void> {
  const layers = join(dataPaths(directory).images, 'layers');
  const image = readdirSync(layers)
    .map((name) => join(layers, name))
    .find((layer) => existsSync(join(layer, 'bin/sleep')));
  if (image === undefined) throw new Error(`no layer with programs in ${layers}`);
  const times = await rawStarts(join(directory, 'raw'), image, RAW_STARTS);
  const what = 'calibration: raw runc, conmon and veth, no code of ours';
  note({ what: `${what}, median`, value: median(times), unit: 'ms' });
  note({ what: `${what}, p99`, value: percentile(times, 99), unit: 'ms' });
}

async function measureSingles({ client, eyes, note, goals }: Setting): Promise<void> {
  const times: number[] = [];
  await podRunningMs(client, eyes, 'first');
  for (let i = 0; i < SINGLE_PODS; i += 1)
    times.push(await podRunningMs(client, eyes, `single-${i}`));
  const what = `pod created to Running, image present, ${SINGLE_PODS} in a row`;
  const unit = 'ms';
  note({ what: `${what}, p50`, value: median(times), unit, ...(goals && { goal: '< 150' }) });
  const p99 = percentile(times, 99);
  note({ what: `${what}, p99`, value: p99, unit, ...(goals && { goal: '< 400' }) });
}

async function measureSleepers({ client, eyes, note, goals }: Setting): Promise<void> {
  const running = (await fleetRunningMs(client, eyes, { replicas: FLEET, probed: false })) / 1000;
  const unit = 's';
  note({ what: `${FLEET} pods Running`, value: running, unit, ...(goals && { goal: '< 6' }) });
  const gone = (await fleetGoneMs(client, eyes)) / 1000;
  const what = `${FLEET} pods that heed no SIGTERM deleted, grace 1 s`;
  note({ what, value: gone, unit, ...(goals && { goal: '< 5' }) });
}

/** Memory of all conmons of the cluster. */
function conmonsMb(dataDir: string): { rss: number; pss: number; count: number } {
  const sum = { rss: 0, pss: 0, count: 0 };
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (!args[0]?.endsWith('conmon') || !args.some((arg) => arg.includes(dataDir))) continue;
      const { rssMb, pssMb } = usageOf(Number(pid));
      sum.rss += rssMb;
      sum.pss += pssMb;
      sum.count += 1;
    } catch {
      // It has ended meanwhile.
      continue;
    }
  return sum;
}

async function measureServers(cluster: RunningCluster, setting: Setting): Promise<void> {
  const { client, eyes, note } = setting;
  const ready = await fleetRunningMs(client, eyes, { replicas: FLEET, probed: true });
  note({ what: `${FLEET} pods with an HTTP probe Ready`, value: ready / 1000, unit: 's' });
  await measureIdle(cluster, note);
  const servers = (await fleetGoneMs(client, eyes)) / 1000;
  note({ what: `${FLEET} obedient pods deleted`, value: servers, unit: 's' });
}

async function measureIdle(cluster: RunningCluster, note: Note): Promise<void> {
  const pid = pidOf(cluster, 'node');
  await systemClock.sleep(SETTLE_MS);
  const before = cpuMsOf(pid);
  await systemClock.sleep(IDLE_MS);
  const cpu = (100 * (cpuMsOf(pid) - before)) / IDLE_MS;
  const { rssMb, pssMb } = usageOf(pid);
  const conmons = conmonsMb(cluster.paths.root);
  const agent = `agent with ${FLEET} pods`;
  note({ what: `${agent}, resident`, value: rssMb, unit: 'MB', goal: '< 120' });
  note({ what: `${agent}, proportional share`, value: pssMb, unit: 'MB' });
  note({
    what: `its ${conmons.count} conmons, proportional share`,
    value: conmons.pss,
    unit: 'MB',
  });
  note({ what: `its ${conmons.count} conmons, resident in sum`, value: conmons.rss, unit: 'MB' });
  const idle = `${agent}, one HTTP probe each per 10 s, nothing else to do`;
  note({ what: idle, value: cpu, unit: '% of a core', goal: '< 3' });
}

/** A cluster's node under `measure`. */
async function onNode(
  dataDir: string,
  { note, endpoint }: { note: Note; endpoint?: string },
  measure: (setting: Setting, cluster: RunningCluster) => Promise<void>,
): Promise<void> {
  await withCluster(
    dataDir,
    async (cluster, client) => {
      await nodeReady(client);
      const eyes = new PodEyes(client);
      try {
        await measure({ client, eyes, note, goals: endpoint === undefined }, cluster);
      } finally {
        await eyes.close();
      }
    },
    endpoint,
  );
}

/** The same pods in the same cluster, but on containerd over CRI. */
async function measureContainerd(dataDir: string, note: Note): Promise<void> {
  if (!existsSync(CONTAINERD)) {
    process.stderr.write('  containerd is not installed: no figures beside it\n');
    return;
  }
  const { node: nodeDir, images } = await prepared(dataDir);
  const containerd = await aContainerd({ cni: join(nodeDir, 'cni') });
  try {
    const doors = { system: createLinuxSystem(), logger: silentLogger };
    await containerd.load(createImageStore({ ...doors, dir: images }), [PERL_IMAGE]);
    const told: Note = (figure) => note({ ...figure, what: `on containerd: ${figure.what}` });
    await onNode(dataDir, { note: told, endpoint: containerd.endpoint }, async (setting) => {
      await measureSingles(setting);
      await measureSleepers(setting);
    });
  } finally {
    await containerd.dispose();
  }
}

async function prepared(dataDir: string): Promise<DataPaths> {
  const paths = dataPaths(dataDir);
  prepareDataDirectory(paths);
  await buildPerlImage(createLinuxSystem(), paths.images);
  return paths;
}

/** What `npm run bench -- node-idle` measures: of the node's figures those of an agent at rest, within three minutes. */
export const nodeIdle: Part = {
  name: 'node-idle',
  async measure(note, directory) {
    await prepared(directory);
    await onNode(directory, { note }, async (setting, cluster) => {
      await measureServers(cluster, setting);
    });
  },
};

/** What `npm run bench -- node` measures. */
export const node: Part = {
  name: 'node',
  async measure(note, directory) {
    await prepared(directory);
    await measureRaw(directory, note);
    await onNode(directory, { note }, async (setting, cluster) => {
      await measureSingles(setting);
      await measureSleepers(setting);
      await measureServers(cluster, setting);
    });
    await measureContainerd(mkdtempSync(join(tmpdir(), 'n-')), note);
  },
};
