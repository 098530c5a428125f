// What fake nodes cost whoever tests with them: until pods are ready, while nothing happens, and in memory.
// Invariant: every row waits for what it says; figures are of a whole cluster on virtual time, its control plane included.
import { Deployments } from '../../api/kinds.ts';
import type { Client } from '../../client/rest/client.ts';
import { aDeployment } from '../../test/support/controlled-cluster.ts';
import { startCluster, type TestCluster } from '../../testing/cluster/start-cluster.ts';
import { heldMb } from './heap.ts';
import type { Note } from './part.ts';

const NAME = 'web';
const SECOND = 1000;
const HOUR = 3600 * SECOND;
/** Processor time of this one process, which does everything. */
const unit = 'ms of one core';
/** Virtual time after which pods that are not ready yet will never be. */
const PATIENCE_MS = 120 * SECOND;
const SETTINGS = [
  { nodes: 1, pods: 100, goal: '< 2000' },
  { nodes: 100, pods: 1000, goal: '< 20000' },
];

/** Measures each setting in a cluster of its own. */
export async function measureNodes(note: Note): Promise<void> {
  // The first cluster pays for what the runtime compiles.
  await (await clusterOf(1)).close();
  for (const setting of SETTINGS) await measure(note, setting);
}

async function measure(note: Note, setting: (typeof SETTINGS)[number]): Promise<void> {
  const { nodes, pods, goal } = setting;
  const what = `${nodes} fake node${nodes > 1 ? 's' : ''}, ${pods} pods`;
  const before = heldMb();
  const cluster = await clusterOf(nodes);
  const readyMs = await timed(() => untilReady(cluster, pods));
  note({ what: `${what}: until all are ready`, value: readyMs, unit, goal });
  note({ what: `${what}: memory of the cluster`, value: heldMb() - before, unit: 'MB' });
  const hour = await timed(() => cluster.advance(HOUR / nodes));
  note({ what: `${what}: an hour of one node without news`, value: hour, unit });
  await cluster.close();
}

async function clusterOf(nodes: number): Promise<TestCluster> {
  const cluster = await startCluster({ clock: 'virtual', nodes });
  await cluster.settled();
  return cluster;
}

async function untilReady(cluster: TestCluster, pods: number): Promise<void> {
  const small = { containers: [{ name: 'main', image: 'image:1' }] };
  const template = { metadata: { labels: { app: NAME } }, spec: small };
  const { client } = cluster;
  await client.resource(Deployments).create(aDeployment(NAME, { replicas: pods, template }));
  await cluster.settled();
  for (let waited = 0; (await readyOf(client)) < pods; waited += SECOND) {
    if (waited > PATIENCE_MS) throw new Error(`${pods} pods on fake nodes never became ready`);
    await cluster.advance(SECOND);
  }
}

async function readyOf(client: Client): Promise<number> {
  const now = await client.resource(Deployments).get({ namespace: 'default', name: NAME });
  return now.status?.readyReplicas ?? 0;
}

/** Milliseconds of the processor that the work took. */
async function timed(work: () => Promise<void>): Promise<number> {
  const begun = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}
