// A control plane with the scheduler, without nodes of its own: those that a test adds are objects only.
// Invariant: all of it ends after each test of the file that imports this.
import { afterEach } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
import { Nodes, Pods } from '../../api/kinds.ts';
import { ClientEventRecorder } from '../../client/events/recorder.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { runScheduler, type SchedulerOptions } from '../../scheduler/scheduler.ts';
import { aControlledCluster, type ControlledCluster } from './controlled-cluster.ts';
import { intercepted, type Interception } from './intercepted-transport.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** A control plane with a scheduler that `start` runs, and nodes that are objects only. Ends with the test. */
export async function aScheduledCluster(
  options: SchedulerOptions = {},
  interception: Interception = {},
) {
  // The long grace keeps the node controller from taking these nodes for silent ones.
  const cluster = await aControlledCluster({ nodes: { graceMs: 3_600_000 } });
  endings.push(() => cluster.close());
  const { client } = cluster;
  const start = () => startScheduler(cluster, options, interception);
  const addNode = async (name: string, more: Partial<Node> = {}, cpu = '1') => {
    await client.resource(Nodes).create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: more.metadata?.labels ?? {} },
      spec: more.spec ?? {},
    });
    const status = {
      allocatable: { cpu, memory: '4Gi', pods: '110' },
      conditions: [{ type: 'Ready', status: 'True' }],
    };
    await client
      .resource(Nodes)
      .patch({ name }, { type: 'merge', body: { status } }, { subresource: 'status' });
  };
  const pods = client.resource(Pods);
  const all = async () => (await pods.list({ namespace: 'default' })).items;
  const nodeOf = async (name: string) =>
    (await pods.get({ namespace: 'default', name })).spec?.nodeName;
  return { client, start, addNode, pods, all, nodeOf };
}

function startScheduler(
  cluster: ControlledCluster,
  options: SchedulerOptions,
  interception: Interception,
): void {
  const { transport } = cluster.as('system:kube-scheduler');
  const client = createClient(intercepted(transport, interception));
  const doors = { client, clock: systemClock, random: systemRandom, logger: silentLogger };
  const stop = new AbortController();
  const informers = createInformerFactory(doors);
  const events = new ClientEventRecorder({ ...doors, component: 'default-scheduler' });
  const running = runScheduler({ ...doors, informers, events, options }, stop.signal);
  endings.push(async () => {
    stop.abort(new Error('the test is over'));
    await running;
    await informers.finished();
  });
}

/** A pod of one container that asks for so much CPU. */
export const aPod = (name: string, cpu: string, spec: Partial<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: {
    containers: [{ name: 'main', image: 'image:1', resources: { requests: { cpu } } }],
    ...spec,
  },
});
