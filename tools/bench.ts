// `npm run bench`: starts clusters and measures them; prints a table, writes bench-results/TIME.json.
// Invariant: every figure printed was measured in this run, beside a calibration of the same run; nothing is left behind.
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { systemClock } from '../base/clock.ts';
import { ConfigMaps, Nodes, Pods } from '../api/kinds.ts';
import type { Pod } from '../api/generated/types.ts';
import { loadPair, loadCa } from '../cli/serve/certificates.ts';
import { dataPaths, prepareDataDirectory } from '../cli/serve/data-directory.ts';
import { type RunningCluster, startCluster } from '../cli/serve/up.ts';
import { readSupervisor } from '../cli/serve/lock.ts';
import { loadKubeconfig } from '../client/kubeconfig/kubeconfig.ts';
import type { Client } from '../client/rest/client.ts';
import { createClient } from '../client/rest/rest-client.ts';
import { createHttpTransport } from '../client/transport/http.ts';
import { buildShopImages } from '../examples/shop/images.ts';
import { createLinuxSystem } from '../system/linux.ts';
import { type CommandStart, commandStart, uncachedStart } from './bench/command-start.ts';

/** One line of the table. */
interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal: string;
}

const STARTS = 5;
/** Idleness begins when what the start left to do is done. */
const SETTLE_MS = 10_000;
const IDLE_MS = 30_000;
const CLIENTS = 16;
const REQUESTS = 4_000;
const system = createLinuxSystem();
const figures: Figure[] = [];

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const note = (name: string, value: number, [unit, goal = '']: readonly [string, string?]): void => {
  figures.push({ name, value: Math.round(value * 100) / 100, unit, goal });
  process.stderr.write(`${name}: ${value.toFixed(2)} ${unit}\n`);
};

/** A client of a cluster by its kubeconfig. */
async function clientOf(cluster: RunningCluster): Promise<Client> {
  return createClient(
    createHttpTransport((await loadKubeconfig(cluster.paths.kubeconfig)).transport),
  );
}

function benchPod(name: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      containers: [
        {
          name: 'app',
          image: 'shop/payment:1',
          env: [{ name: 'VAULT_KEY', value: 'bench' }],
          readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
        },
      ],
    },
  };
}

/** Creates the pod and watches it until it is Ready; milliseconds. */
async function podReadyMs(client: Client, name: string): Promise<number> {
  const pods = client.resource(Pods);
  const startedAt = performance.now();
  for (;;)
    try {
      await pods.create(benchPod(name));
      break;
    } catch (error) {
      // The default service account of a new cluster comes a moment after /readyz.
      if (!(error as Error).message.includes('service account')) throw error;
    }
  const only = { namespace: 'default', fieldSelector: `metadata.name=${name}` };
  for await (const events of pods.watch(only))
    for (const { object } of events)
      if (object.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))
        return performance.now() - startedAt;
  throw new Error('the watch ended before the pod was Ready');
}

async function nodeReady(client: Client): Promise<void> {
  for await (const events of client.resource(Nodes).watch())
    for (const { object } of events)
      if (object.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True')) return;
}

/** What a user waits for: certificates, supervisor and control plane from nothing. */
async function commands(): Promise<void> {
  const cache = process.env['NODE_COMPILE_CACHE'];
  if (cache === undefined) throw new Error('NODE_COMPILE_CACHE is not set: use npm run bench');
  await commandStart(cache);
  const warm: CommandStart[] = [];
  const cold: CommandStart[] = [];
  for (let i = 0; i < STARTS; i++) {
    warm.push(await commandStart(cache));
    cold.push(await uncachedStart());
  }
  const ms = (those: readonly CommandStart[]) => median(those.map((start) => start.ms));
  note('pinnace up typed to ready, new data directory', ms(warm), ['ms', '< 1000']);
  note('the same with nothing compiled by set-up', ms(cold), ['ms']);
  note('supervisor, resident', median(warm.map((start) => start.rssMb)), ['MB']);
}

async function starts(dataDir: string): Promise<void> {
  const ready: number[] = [];
  const firstPod: number[] = [];
  for (let i = 0; i < STARTS; i++)
    await withCluster(dataDir, async (cluster, client) => {
      const readyAt = performance.now();
      ready.push(cluster.readyMs);
      await podReadyMs(client, `start-${i}`);
      firstPod.push(performance.now() - readyAt);
      const name = { namespace: 'default', name: `start-${i}` };
      await client.resource(Pods).delete(name, { gracePeriodSeconds: 0 });
    });
  note('control plane spawned to /readyz', median(ready), ['ms']);
  note('first pod Ready after /readyz', median(firstPod), ['ms', '< 2000']);
}

let running: RunningCluster | undefined;

/** A cluster in that directory while `use` lasts; an interrupt ends it too. */
async function withCluster(
  dataDir: string,
  use: (cluster: RunningCluster, client: Client) => Promise<void>,
): Promise<void> {
  const cluster = await startCluster({
    dataDir,
    port: undefined,
    kubeconfig: undefined,
    node: true,
  });
  running = cluster;
  const client = await clientOf(cluster);
  try {
    await use(cluster, client);
  } finally {
    client.transport.close();
    await cluster.stop();
    running = undefined;
  }
}

interface Usage {
  readonly rssMb: number;
  readonly pssMb: number;
  readonly cpuMs: number;
}

function usageOf(pid: number): Usage {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kb = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0);
  return { rssMb: kb('Rss') / 1024, pssMb: kb('Pss') / 1024, cpuMs: cpuOf(pid) };
}

/** CPU of all threads that a process has now; in nanoseconds in the kernel, where ticks of 10 ms would be too coarse for idleness. */
function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanos = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanos.reduce((sum, each) => sum + each, 0) / 1e6;
}

async function idle(cluster: RunningCluster): Promise<void> {
  const children = readSupervisor(cluster.paths)?.children ?? {};
  const pids = {
    'control plane': children['control-plane']?.pid ?? 0,
    'node agent': children['node']?.pid ?? 0,
  };
  await systemClock.sleep(SETTLE_MS);
  const before = Object.entries(pids).map(([name, pid]) => [name, usageOf(pid)] as const);
  await systemClock.sleep(IDLE_MS);
  const goals: Readonly<Record<string, string>> = {
    'control plane': '< 150',
    'node agent': '< 80',
  };
  let cpu = 0;
  for (const [name, earlier] of before) {
    const now = usageOf(pids[name as keyof typeof pids]);
    note(`${name}, resident`, now.rssMb, ['MB', goals[name] ?? '']);
    note(`${name}, proportional share`, now.pssMb, ['MB']);
    const used = now.cpuMs - earlier.cpuMs;
    note(`${name}, idle CPU`, (100 * used) / IDLE_MS, ['% of a core']);
    cpu += used;
  }
  note('idle CPU, both processes', (100 * cpu) / IDLE_MS, ['% of a core', '< 1']);
}

/** Requests a second, `CLIENTS` at once. */
async function rate(count: number, one: (i: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: CLIENTS }, worker));
  return (1000 * count) / (performance.now() - startedAt);
}

function get(cluster: RunningCluster, address: string): () => Promise<void> {
  const { cert, key } = loadPair(cluster.paths.pki, 'admin');
  const ca = loadCa(cluster.paths.pki);
  const url = new URL(address, cluster.url);
  return () =>
    new Promise((resolve, reject) => {
      request(url, { cert, key, ca, agent: undefined }, (response) => {
        if (response.statusCode !== 200)
          reject(new Error(`GET ${url.href}: ${response.statusCode}`));
        response.resume();
        response.on('end', resolve);
      })
        .on('error', reject)
        .end();
    });
}

async function api(cluster: RunningCluster): Promise<void> {
  const client = await clientOf(cluster);
  const configs = client.resource(ConfigMaps);
  const text = 'x'.repeat(1024);
  const creates = await rate(REQUESTS, (i) =>
    configs.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `bench-${i}`, namespace: 'default' },
      data: { text },
    }),
  );
  note('create ConfigMap (1 KB), durable', creates, ['/s, 16 clients']);
  const gets = await rate(REQUESTS, (i) =>
    configs.get({ namespace: 'default', name: `bench-${i}` }),
  );
  note('get ConfigMap', gets, ['/s, 16 clients']);
  const lists = await rate(40, () => configs.list({ namespace: 'default' }));
  note(`list ${REQUESTS} ConfigMaps`, lists, ['/s, 16 clients']);
  await configs.deleteCollection({
    namespace: 'default',
    fieldSelector: 'metadata.name!=kube-root-ca.crt',
  });
  client.transport.close();
}

async function calibrate(cluster: RunningCluster): Promise<void> {
  const sample = JSON.stringify({
    data: Array.from({ length: 40 }, (_, i) => ({ name: `n${i}`, value: i })),
  });
  const startedAt = performance.now();
  let count = 0;
  while (performance.now() - startedAt < 500) {
    for (let i = 0; i < 100; i++) JSON.parse(sample);
    count += 100;
  }
  note('calibration: JSON.parse of 1.1 KB', (1000 * count) / (performance.now() - startedAt), [
    '/s',
  ]);
  const bare = createServer(loadPair(cluster.paths.pki, 'apiserver'), (_, answer) =>
    answer.end('ok'),
  );
  bare.listen(0, '127.0.0.1');
  await once(bare, 'listening');
  const bareUrl = `https://127.0.0.1:${(bare.address() as AddressInfo).port}/`;
  const floor = await rate(REQUESTS, get(cluster, bareUrl));
  note('calibration: GET of a bare node:https server in the client', floor, ['/s, 16 clients']);
  bare.closeAllConnections();
  bare.close();
  const live = get(cluster, '/livez');
  note('calibration: GET /livez by node:https', await rate(REQUESTS, live), ['/s, 16 clients']);
}

async function pods(cluster: RunningCluster): Promise<void> {
  const client = await clientOf(cluster);
  const times: number[] = [];
  for (let i = 0; i < 20; i++) times.push(await podReadyMs(client, `one-${i}`));
  note('pod created to Ready, one after another', median(times), ['ms, median of 20', '< 1000']);
  const children = readSupervisor(cluster.paths)?.children ?? {};
  note('node agent with 20 pods, resident', usageOf(children['node']?.pid ?? 0).rssMb, ['MB']);
  client.transport.close();
}

const dataDir = mkdtempSync(join(tmpdir(), 'pinnace-bench-'));
const remove = () => rmSync(dataDir, { recursive: true, force: true });
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    process.stderr.write(`bench: ended by ${signal}\n`);
    const over = running?.stop() ?? Promise.resolve();
    void over.finally(() => {
      remove();
      process.exit(130);
    });
  });
try {
  const paths = dataPaths(dataDir);
  prepareDataDirectory(paths);
  await buildShopImages({ system, imagesDir: paths.images });
  await commands();
  await starts(dataDir);
  await withCluster(dataDir, async (cluster, client) => {
    await nodeReady(client);
    await idle(cluster);
    await calibrate(cluster);
    await api(cluster);
    await pods(cluster);
  });
} finally {
  remove();
}
const rows = figures.map((f) => `| ${f.name} | ${f.value} ${f.unit} | ${f.goal} |`);
process.stdout.write(`| what | measured | goal |\n|---|---|---|\n${rows.join('\n')}\n`);
mkdirSync('bench-results', { recursive: true });
const file = join('bench-results', `${new Date().toISOString().replaceAll(':', '-')}.json`);
writeFileSync(file, `${JSON.stringify({ node: process.version, figures }, null, 2)}\n`);
process.stdout.write(`\nwritten to ${file}\n`);
process.exit(0);
