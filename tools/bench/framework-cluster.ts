// What a test pays for a whole cluster in its own process: the first one, later ones, and many of them one after another.
// Invariant: the first cluster is measured in a process of its own, which has loaded nothing before.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Deployments } from '../../api/kinds.ts';
import { startCluster } from '../../testing/cluster/start-cluster.ts';
import { eventually } from '../../testing/eventually/eventually.ts';
import { median, type Note } from './part.ts';

const FIRSTS = 5;
const LATER = 20;
const IN_A_ROW = 50;
const GOALS = { first: '< 300', later: '< 30', end: '< 100', memory: '< 5' };

/** What a process of its own told of its first cluster; milliseconds. */
interface FirstCluster {
  readonly imports: number;
  readonly start: number;
}

/** Measures all of it: API server, every controller, the scheduler and one node. */
export async function measureClusters(note: Note): Promise<void> {
  const firsts: FirstCluster[] = [];
  for (let i = 0; i < FIRSTS; i++) firsts.push(await firstCluster());
  const what = 'a whole cluster in a test';
  const { first, later, end, memory } = GOALS;
  note({
    what: `${what}: imports`,
    value: median(firsts.map(({ imports }) => imports)),
    unit: 'ms',
  });
  const starts = firsts.map(({ start }) => start);
  note({
    what: `${what}: start, first of a process`,
    value: median(starts),
    unit: 'ms',
    goal: first,
  });
  const times: ClusterTimes[] = [];
  for (let i = 0; i < LATER; i++) times.push(await oneCluster());
  const of = (part: keyof ClusterTimes) => median(times.map((each) => each[part]));
  note({ what: `${what}: start, later ones`, value: of('start'), unit: 'ms', goal: later });
  note({ what: `${what}: until a Deployment is available`, value: of('available'), unit: 'ms' });
  note({ what: `${what}: end`, value: of('end'), unit: 'ms', goal: end });
  const before = await usedMb();
  const startedAt = performance.now();
  for (let i = 0; i < IN_A_ROW; i++) await (await startCluster()).close();
  const each = (performance.now() - startedAt) / IN_A_ROW;
  note({ what: `${IN_A_ROW} clusters in a row: each`, value: each, unit: 'ms' });
  const grown = (await usedMb()) - before;
  note({
    what: `${IN_A_ROW} clusters in a row: heap grown by`,
    value: grown,
    unit: 'MB',
    goal: memory,
  });
}

interface ClusterTimes {
  readonly start: number;
  readonly available: number;
  readonly end: number;
}

/** One cluster in which a Deployment of two pods comes to be available. */
async function oneCluster(): Promise<ClusterTimes> {
  const beganAt = performance.now();
  const cluster = await startCluster();
  const startedAt = performance.now();
  await cluster.apply(DEPLOYMENT);
  const wanted = { status: { availableReplicas: 2 } };
  await eventually(cluster.client, Deployments, { name: 'web' }, wanted, { timeoutMs: 60_000 });
  const availableAt = performance.now();
  await cluster.close();
  return {
    start: startedAt - beganAt,
    available: availableAt - startedAt,
    end: performance.now() - availableAt,
  };
}

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: main, image: "web:1" }] }
`;

async function usedMb(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return process.memoryUsage().heapUsed / 2 ** 20;
}

const PROBE = fileURLToPath(new URL('./first-cluster.ts', import.meta.url));

async function firstCluster(): Promise<FirstCluster> {
  const args = ['--disable-warning=ExperimentalWarning', PROBE];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`the process of a first cluster ended with ${code}`);
  return JSON.parse(said) as FirstCluster;
}
