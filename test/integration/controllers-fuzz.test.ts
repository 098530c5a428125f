// Whatever objects the server has taken, the controllers and the scheduler live through them and go on with their work.
// Short here; `npm run test:long` draws more. PINNACE_SEED repeats a run.
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import type { LogFields, Logger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import type { Node } from '../../api/generated/types.ts';
import { Deployments, Namespaces, Nodes, Pods, ServiceAccounts } from '../../api/kinds.ts';
import { StatusError } from '../../api/status.ts';
import { ClientEventRecorder } from '../../client/events/recorder.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import { runScheduler } from '../../scheduler/scheduler.ts';
import { aControlledCluster, aDeployment } from '../support/controlled-cluster.ts';
import { Fuzzer } from '../support/fuzz.ts';
import { until } from '../support/until.ts';

const LONG = process.env['PINNACE_LONG'] === '1';
const OBJECTS = LONG ? 400_000 : 20_000;
/** The short form is the same each time, so that a change is judged by what it changed; the long one looks for news. */
const SEED = Number(
  process.env['PINNACE_SEED'] ?? (LONG ? Math.floor(systemRandom.next() * 1e9) : 20_261_121),
);

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** Keeps the errors that only a fault of the program explains. */
function faultLogger(faults: string[]): Logger {
  const look = (message: string, fields: LogFields = {}) => {
    const { err } = fields;
    if (err instanceof TypeError || err instanceof RangeError || err instanceof ReferenceError)
      faults.push(`${message}: ${err.stack}`);
  };
  const logger: Logger = {
    debug: look,
    info: look,
    warn: look,
    error: look,
    child: () => logger,
  };
  return logger;
}

it(
  `controllers and scheduler outlive ${OBJECTS} odd objects`,
  async () => {
    const faults: string[] = [];
    const logger = faultLogger(faults);
    const cluster = await aControlledCluster({ logger, nodes: { graceMs: 3_600_000 } });
    endings.push(() => cluster.close());
    const stop = new AbortController();
    const client = cluster.as('system:kube-scheduler');
    const doors = { client, clock: systemClock, random: systemRandom, logger };
    const informers = createInformerFactory(doors);
    const events = new ClientEventRecorder({ ...doors, component: 'default-scheduler' });
    const scheduling = runScheduler({ ...doors, informers, events, options: {} }, stop.signal);
    endings.push(async () => {
      stop.abort(new Error('the test is over'));
      await scheduling;
      await informers.finished();
    });
    await until(async () => {
      const found = await cluster.client.resource(ServiceAccounts).list({ namespace: 'default' });
      return found.items.length > 0;
    });
    const taken = await pour(new Fuzzer(SEED), cluster.client);
    expect(taken).toBeGreaterThan(OBJECTS / 50);
    // A newcomer is served as if nothing had been.
    await cluster.client.resource(Namespaces).create({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'after' },
    });
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'after' } } as Node;
    await cluster.client.resource(Nodes).create(node);
    const status = {
      allocatable: { cpu: '64', memory: '64Gi', pods: '1000' },
      conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z' }],
    };
    const patch = { type: 'merge', body: { status } } as const;
    await cluster.client.resource(Nodes).patch({ name: 'after' }, patch, { subresource: 'status' });
    const accounts = cluster.client.resource(ServiceAccounts);
    await until(async () => (await accounts.list({ namespace: 'after' })).items.length > 0);
    const deployment = aDeployment('after', { replicas: 3 });
    deployment.metadata.namespace = 'after';
    await cluster.client.resource(Deployments).create(deployment);
    await until(async () => {
      const pods = await cluster.client.resource(Pods).list({ namespace: 'after' });
      return pods.items.filter(({ spec }) => spec?.nodeName).length === 3;
    }).catch((error: unknown) => {
      throw new Error(`seed ${SEED}: the newcomer is not served`, { cause: error });
    });
    expect(faults, `seed ${SEED}`).toEqual([]);
  },
  LONG ? 40 * 60_000 : 600_000,
);

type Cluster = Awaited<ReturnType<typeof aControlledCluster>>['client'];

/** Creates and changes what the fuzzer draws; how much of it the server took. */
async function pour(fuzzer: Fuzzer, client: Cluster): Promise<number> {
  let taken = 0;
  for (let i = 0; i < OBJECTS; i += 1) {
    const { method, path, headers, body } = fuzzer.request();
    if (!isWrite(method) || body === undefined) continue;
    const [place = '', query = ''] = path.split('?');
    const contentType = headers['content-type'] ?? '';
    try {
      const reply = await client.transport.request({
        method,
        path: place,
        query: Object.fromEntries(new URLSearchParams(query)),
        contentType,
        body: Buffer.from(body),
      });
      taken += 1;
      if (reply.status === 201) fuzzer.took(structuredClone(reply.object()));
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
    }
  }
  return taken;
}

const WRITES = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;
const isWrite = (method: string): method is (typeof WRITES)[number] =>
  WRITES.some((each) => each === method);
