// The scheduler's and the controllers' figures move by what they really did.
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { Figures } from '../../base/figures.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
import { Nodes, Pods, ServiceAccounts } from '../../api/kinds.ts';
import { ClientEventRecorder } from '../../client/events/recorder.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import { InformerFigures } from '../../client/informer/informer-figures.ts';
import type { ControllerHooks } from '../../controllers/framework/loop.ts';
import { QueueFigures } from '../../client/workqueue/queue-figures.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import { builtInControllers } from '../../controllers/all.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { runScheduler } from '../../scheduler/scheduler.ts';
import { anApiServer } from '../support/client-server.ts';
import { until } from '../support/until.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function aClusterWithFigures() {
  const server = await anApiServer();
  endings.push(() => server.close());
  const figures = new Figures();
  const client = createClient(server.transport);
  const doors = { client, clock: systemClock, random: systemRandom, logger: silentLogger };
  const stop = new AbortController();
  const informers = createInformerFactory(doors);
  const events = new ClientEventRecorder({ ...doors, component: 'default-scheduler' });
  const caches = new InformerFigures(figures);
  const hooks: ControllerHooks = {
    queues: new QueueFigures(figures),
    informers: (theirs) => caches.follow('controller-manager', theirs),
  };
  const running = Promise.all([
    runScheduler({ ...doors, informers, events, options: {}, figures }, stop.signal),
    runControllers(builtInControllers({}), { ...doors, hooks }, stop.signal),
  ]);
  endings.push(async () => {
    stop.abort(new Error('the test is over'));
    await running;
    await informers.finished();
  });
  const has = (line: string) =>
    until(async () => (await figures.text()).split('\n').includes(line)).catch(async () => {
      throw new Error(`no ${line} in\n${await figures.text()}`);
    });
  return { client, figures, has };
}

const pod = (name: string, cpu: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }] },
});

it('counts placed pods, those that fit nowhere, and the keys of controllers', async () => {
  const { client, figures, has } = await aClusterWithFigures();
  // Ready from the start: one that never spoke gets a taint, and the first attempt fails.
  const status = {
    allocatable: { cpu: '1', memory: '1Gi', pods: '10' },
    conditions: [{ type: 'Ready', status: 'True' }],
  };
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, status };
  await client.resource(Nodes).create(node as Node);
  // A pod waits for its account for a second only.
  const accounts = client.resource(ServiceAccounts);
  await until(async () => (await accounts.list({ namespace: 'default' })).items.length > 0);
  await client.resource(Pods).create(pod('small', '100m'));
  const attempts = (result: string) =>
    `scheduler_schedule_attempts_total{profile="default-scheduler",result="${result}"}`;
  await has(`${attempts('scheduled')} 1`);
  await client.resource(Pods).create(pod('large', '7'));
  await has('scheduler_pending_pods{queue="unschedulable"} 1');
  await has('scheduler_pending_pods{queue="active"} 0');
  // The controllers hear of it by a watch of their own.
  await has('informer_objects{name="controller-manager",resource="pods"} 2');
  const text = await figures.text();
  expect(text).toContain(`${attempts('scheduled')} 1\n`);
  expect(text).toMatch(/scheduler_schedule_attempts_total\{.*"unschedulable"\} [1-9]/);
  const took = 'scheduler_scheduling_attempt_duration_seconds_count';
  expect(text).toContain(`${took}{profile="default-scheduler",result="scheduled"} 1\n`);
  const placed = 'scheduler_pod_scheduling_sli_duration_seconds_count{attempts="1"}';
  expect(text).toContain(`${placed} 1\n`);
  expect(text).toMatch(/workqueue_adds_total\{name="[\w-]+"\} [1-9]/);
});
