// How fast controllers of the framework work: reconciles in a second of one core, and how soon one follows a change under load.
// Invariant: what is measured is a real controller on a real server, in this process and over HTTPS to another; each row waits for
// every key it woke.
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import { ConfigMaps, Secrets } from '../../api/kinds.ts';
import type { Client } from '../../client/rest/client.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import type { ControllerFactory } from '../../controllers/framework/reconciler.ts';
import { startCluster } from '../../testing/cluster/start-cluster.ts';
import type { Note } from './part.ts';
import { withServedApi } from './served-api.ts';

/** Objects that the controller looks after. */
const OBJECTS = 2_000;
/** Times that each is woken in a row of throughput. */
const ROUNDS = 5;
const WORKERS = 16;
/** Changes in a second, and for how long, in rows of latency. */
const LOAD = { perSecond: 200, seconds: 10 };
const NAMESPACE = 'default';
const GOALS = { reading: '> 20000', writing: '> 1000', overHttps: '> 300', latency: '< 50' };

/** Measures both ways; the server of the second leaves its files in `directory`. */
export async function measureReconciles(note: Note, directory: string): Promise<void> {
  const cluster = await startCluster({ controllers: 'none', scheduler: false, nodes: 0 });
  await measure(note, cluster.client, { way: 'in process', writing: GOALS.writing });
  await cluster.close();
  await withServedApi(directory, ({ client }) =>
    measure(note, client, { way: 'over HTTPS', writing: GOALS.overHttps }),
  );
}

interface Row {
  readonly way: string;
  /** The goal of reconciles that write. */
  readonly writing: string;
}

async function measure(note: Note, client: Client, { way, writing }: Row): Promise<void> {
  await prepare(client);
  const reading = await throughput(client, () => Promise.resolve());
  const unit = '/s of one core';
  note({ what: `reconciles that read, ${way}`, value: reading, unit, goal: GOALS.reading });
  let revision = 0;
  const configs = client.resource(ConfigMaps);
  const patching = await throughput(client, async ({ metadata: { name = '' } }) => {
    const body = { data: { revision: String(++revision) } };
    await configs.patch({ namespace: NAMESPACE, name }, { type: 'merge', body });
  });
  note({ what: `reconciles with a write each, ${way}`, value: patching, unit, goal: writing });
  const delays = await latencies(client);
  const at = (share: number) => delays[Math.floor(delays.length * share)] ?? Number.NaN;
  const what = `a change's request to its reconcile, ${LOAD.perSecond} a second, ${way}`;
  note({ what: `${what}, median`, value: at(0.5), unit: 'ms' });
  note({ what: `${what}, p99`, value: at(0.99), unit: 'ms', goal: GOALS.latency });
}

async function prepare(client: Client): Promise<void> {
  const configs = client.resource(ConfigMaps);
  const make = (name: string): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: NAMESPACE },
    data: { sentAt: '0' },
  });
  for (let from = 0; from < OBJECTS; from += WORKERS)
    await Promise.all(
      Array.from({ length: WORKERS }, (_, i) => configs.create(make(`c-${from + i}`))),
    );
}

/** Reconciles for each second of CPU time that this process used: what wakes them is one change that concerns every object. */
async function throughput(
  client: Client,
  act: (object: ConfigMap) => Promise<unknown>,
): Promise<number> {
  let left = 0;
  let round = Promise.withResolvers<void>();
  const all = Array.from({ length: OBJECTS }, (_, i) => `${NAMESPACE}/c-${i}`);
  const controller = controllerFor(ConfigMaps)
    .concurrency(WORKERS)
    .where(() => false)
    .watches(Secrets, ({ metadata }) => (metadata.name === 'bench' ? all : []))
    .reconcile(async (object) => {
      await act(object);
      if (--left === 0) round.resolve();
    });
  const secrets = client.resource(Secrets);
  const wake = async () => {
    left = OBJECTS;
    round = Promise.withResolvers();
    await secrets.apply(
      {
        metadata: { name: 'bench', namespace: NAMESPACE },
        stringData: { at: systemRandom.uuid() },
      },
      { fieldManager: 'bench', force: true },
    );
    await round.promise;
  };
  return running(client, controller, async () => {
    await wake();
    const before = process.cpuUsage();
    for (let i = 0; i < ROUNDS; i++) await wake();
    const { user, system } = process.cpuUsage(before);
    return (ROUNDS * OBJECTS) / ((user + system) / 1e6);
  });
}

/** Sorted milliseconds from a change's request to its reconcile, at a steady pace of changes. */
async function latencies(client: Client): Promise<number[]> {
  const delays: number[] = [];
  const controller = controllerFor(ConfigMaps)
    .concurrency(WORKERS)
    .reconcile(({ data }) => {
      const sentAt = Number(data?.['sentAt'] ?? 0);
      if (sentAt > 0) delays.push(performance.now() - sentAt);
      return Promise.resolve();
    });
  const configs = client.resource(ConfigMaps);
  const begun = performance.now();
  return running(client, controller, async () => {
    const count = LOAD.perSecond * LOAD.seconds;
    const writes = Array.from({ length: count }, async (_, i) => {
      await sleep((i * 1000) / LOAD.perSecond);
      const body = { data: { sentAt: String(performance.now()) } };
      const name = `c-${(i * 7919) % OBJECTS}`;
      await configs.patch({ namespace: NAMESPACE, name }, { type: 'merge', body });
    });
    await Promise.all(writes);
    while (delays.length < count && performance.now() - begun < 60_000) await sleep(5);
    return delays.sort((a, b) => a - b);
  });
}

/** What `use` answers, while the controller runs. */
async function running<T>(
  client: Client,
  controller: ControllerFactory,
  use: () => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const started = Promise.withResolvers<void>();
  const doors = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const hooks = { started: () => started.resolve() };
  const ended = runControllers([controller], { client, ...doors, hooks }, stop.signal);
  await Promise.race([started.promise, ended]);
  try {
    return await use();
  } finally {
    stop.abort(new Error('measured'));
    await ended;
  }
}
