// kill -9 of the control plane, of the node agent and of both, at moments drawn from a seed, under writes, traffic and pods
// that come and go. Short here; `npm run test:long` goes on for PINNACE_MINUTES (15 unless given).
// Invariant: a failure tells its seed; PINNACE_SEED runs the same plan again.
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { seededRandom, systemRandom } from '../../base/random.ts';
import { isRunning, readSupervisor } from '../../cli/serve/lock.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { CHURN, churnDeployment, REST_REPLICAS } from '../support/restless/churn.ts';
import type { ClientOrder, Report, Said } from '../support/restless/client.ts';
import { differencesOnHost, runtimeLayout } from '../support/restless/host-pods.ts';
import {
  Happenings,
  inWords,
  type Kill,
  killHard,
  planKills,
  running,
  type Victim,
} from '../support/restless/moments.ts';
import type { Served } from '../support/restless/load.ts';
import { pause } from '../support/restless/pause.ts';
import { until } from '../support/until.ts';
import { webDeployment, webService } from '../clients/objects.ts';

const LONG = process.env['PINNACE_LONG'] === '1';
const LONG_MS = Number(process.env['PINNACE_MINUTES'] ?? 15) * 60_000;
const SEED = Number(process.env['PINNACE_SEED'] ?? Math.floor(systemRandom.next() * 1e9));
/** Kills of one cluster: more would meet a supervisor that takes its time with what keeps dying. */
const KILLS = LONG ? 12 : 6;
const WEB_PODS = 2;
/** How long all may take to be healed, or to come to rest. Generous: nothing is proved by it. */
const CEILING_MS = 120_000;

/** The program of restless/client.ts, and what it said. */
class RestlessClient {
  readonly #child;
  readonly #heard = new Set<(said: Said) => void>();
  readonly #errors: Buffer[] = [];

  constructor(cluster: TestCluster, order: ClientOrder) {
    const program = join(import.meta.dirname, '../support/restless/client.ts');
    this.#child = cluster.host.start(process.execPath, [program, JSON.stringify(order)]);
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#errors.push(chunk));
    createInterface({ input: this.#child.stdout ?? process.stdin }).on('line', (line) => {
      const said = JSON.parse(line) as Said;
      for (const hear of this.#heard) hear(said);
    });
  }

  on(hear: (said: Said) => void): void {
    this.#heard.add(hear);
  }

  /** Resolves with the first thing said that `take` takes; rejects when the program ends, or it is late. */
  async first<T>(what: string, take: (said: Said) => T | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const fail = (why: string) => () =>
      reject(new Error(`${what}: ${why}\n${Buffer.concat(this.#errors).toString()}`));
    const hear = (said: Said) => {
      const taken = take(said);
      if (taken !== undefined) resolve(taken);
    };
    const ended = fail('the client ended');
    const timer = setTimeout(fail('late'), CEILING_MS);
    this.#heard.add(hear);
    this.#child.once('close', ended);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#heard.delete(hear);
      this.#child.off('close', ended);
    }
  }

  /** Ends churn and writes. */
  rest(): Promise<Report> {
    const report = this.first('rest', (said) => (said.kind === 'report' ? said.report : undefined));
    this.#child.stdin?.write('rest\n');
    return report;
  }

  /** Ends the load, and the program with it. */
  async end(): Promise<Served> {
    const closed = once(this.#child, 'close');
    const served = this.first('end', (said) => (said.kind === 'served' ? said.served : undefined));
    this.#child.stdin?.end();
    const told = await served;
    await closed;
    return told;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** What must not change of the web pods. */
async function webPods(cluster: TestCluster): Promise<string[]> {
  const { items } = (await cluster.kubectl.json(['get', 'pods', '-l', 'app=web'])) as {
    items: Pod[];
  };
  return items
    .flatMap(({ metadata, status }) =>
      (status?.containerStatuses ?? []).map(({ containerID, restartCount, state }) =>
        JSON.stringify([metadata.uid, status?.podIP, containerID, restartCount, state]),
      ),
    )
    .toSorted();
}

/** Kills them as they are now, or as soon as they have been started again. */
async function killNow(cluster: TestCluster, { victims, lingerMs }: Kill): Promise<void> {
  const alive = (name: Victim) => {
    const child = readSupervisor(cluster.paths)?.children[name];
    return child && isRunning(cluster.host.system, child) ? child.pid : undefined;
  };
  const { clusterRun } = runtimeLayout(cluster);
  await until(() => victims.every((name) => alive(name) !== undefined));
  for (const name of victims) {
    const pid = alive(name);
    if (pid !== undefined) killHard(pid, name === 'node' ? lingerMs : 0, clusterRun);
  }
}

/** Each works again: a write that began after the kill is acknowledged; the node has renewed its lease since. */
function recovery(client: RestlessClient, killedAt: ReadonlyMap<Victim, number>): Promise<unknown> {
  const since = (name: Victim, at: number | undefined) =>
    at !== undefined && at > (killedAt.get(name) ?? Infinity) ? at : undefined;
  const signs: Readonly<Record<Victim, (said: Said) => number | undefined>> = {
    'control-plane': (said) =>
      since('control-plane', said.kind === 'acknowledged' ? said.begunAt : undefined),
    node: (said) => since('node', said.kind === 'lease' ? said.renewedAt : undefined),
  };
  return Promise.all(
    Array.from(killedAt.keys(), (name) => client.first(`${name} after a kill`, signs[name])),
  );
}

interface Scene {
  readonly cluster: TestCluster;
  readonly client: RestlessClient;
  readonly happenings: Happenings;
}

async function carryOut(
  { cluster, client, happenings }: Scene,
  plan: readonly Kill[],
): Promise<void> {
  const killedAt = new Map<Victim, number>();
  for (const [i, kill] of plan.entries()) {
    const { victims, moment } = kill;
    if (moment.kind === 'on') await happenings.next(moment.what);
    if (moment.kind === 'while the agent runs')
      await running(cluster.pidOf('node') ?? 0, moment.what);
    await pause(moment.ms);
    await killNow(cluster, kill);
    for (const name of victims) killedAt.set(name, Date.now());
    if (plan[i + 1]?.moment.kind === 'while it starts again') continue;
    await recovery(client, killedAt);
    killedAt.clear();
  }
}

/** Its probe bears with a busy host, so that an unready pod is somebody's fault. */
function patientWeb(): object {
  const deployment = webDeployment('web', WEB_PODS);
  for (const { readinessProbe } of deployment.spec.template.spec.containers)
    Object.assign(readinessProbe, { failureThreshold: 5 });
  return deployment;
}

async function setUp(seed: number): Promise<Scene> {
  const cluster = await startTestCluster({ node: true });
  try {
    const marks = join(cluster.dataDir, 'marks');
    mkdirSync(marks);
    await cluster.kubectl.apply([
      patientWeb(),
      webService('web', 'NodePort'),
      churnDeployment(marks),
      webService(CHURN),
    ]);
    await cluster.kubectl.wait('--for=condition=Available', 'deploy/web', `deploy/${CHURN}`);
    await cluster.kubectl.wait(`--for=jsonpath={.status.readyReplicas}=${WEB_PODS}`, 'deploy/web');
    const { spec } = await cluster.kubectl.json(['get', 'svc', 'web']);
    const urls = [`http://127.0.0.1:${spec.ports[0].nodePort}/`, `http://${spec.clusterIP}/`];
    // A pod that is ready is in the Service's table a moment later.
    for (const url of urls)
      await until(async () => (await cluster.request({ url })).status === 200);
    const client = new RestlessClient(cluster, {
      kubeconfig: cluster.kubeconfig,
      seed,
      urls,
      stable: 'web',
      marks,
    });
    const happenings = new Happenings(cluster);
    client.on((said) => {
      if (said.kind === 'acknowledged') happenings.tell('write is acknowledged');
      if (said.kind === 'pod') happenings.tell('pod changes');
    });
    return { cluster, client, happenings };
  } catch (error) {
    await cluster.dispose();
    throw error;
  }
}

/** Everything at rest: as many pods as were asked for, and the host has what they are made of and nothing else. */
async function expectRest(cluster: TestCluster): Promise<void> {
  for (const [name, replicas] of [
    ['web', WEB_PODS],
    [CHURN, REST_REPLICAS],
  ] as const) {
    await cluster.kubectl.ok(['rollout', 'status', `deploy/${name}`, '--timeout=60s']);
    // What was deleted last may not have been counted yet.
    const status = async () => (await cluster.kubectl.json(['get', 'deploy', name])).status;
    await expect.poll(status, { timeout: CEILING_MS, interval: 200 }).toMatchObject({
      replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
    });
  }
  await expect
    .poll(() => differencesOnHost(cluster), { timeout: CEILING_MS, interval: 200 })
    .toEqual([]);
}

/** Containers that were started more often than once, over the whole run. */
function startedTwice(cluster: TestCluster): string[] {
  const marks = join(cluster.dataDir, 'marks');
  return readdirSync(marks)
    .map(
      (name) => [name, readFileSync(join(marks, name), 'utf8').trim().split('\n').length] as const,
    )
    .filter(([, starts]) => starts !== 1)
    .map(([name, starts]) => `${name}: ${starts} starts`);
}

/** One cluster, killed as planned. */
async function killRound(seed: number, plan: readonly Kill[]): Promise<void> {
  const scene = await setUp(seed);
  const { cluster, client, happenings } = scene;
  try {
    const before = await webPods(cluster);
    expect(before).toHaveLength(WEB_PODS);
    await client.first('the first write', (said) =>
      said.kind === 'acknowledged' ? said : undefined,
    );
    await carryOut(scene, plan);
    const report = await client.rest();
    await expectRest(cluster);
    const served = await client.end();
    expect(report).toMatchObject({
      lost: [],
      restarted: [],
      unready: [],
      backwards: [],
      missed: [],
    });
    expect(report.acknowledged).toBeGreaterThan(plan.length * 20);
    expect(served.failed).toEqual([]);
    expect(served.answered).toBeGreaterThan(plan.length * 20);
    expect(startedTwice(cluster)).toEqual([]);
    expect(await webPods(cluster)).toEqual(before);
    await cluster.stop();
  } finally {
    happenings.close();
    client.kill();
    await cluster.dispose();
  }
}

/** A seed in front of what went wrong. */
async function seededRound(seed: number): Promise<void> {
  const plan = planKills(seededRandom(seed), KILLS);
  try {
    await killRound(seed, plan);
  } catch (error) {
    const kills = plan.map((kill, i) => `  ${i + 1}. ${inWords(kill)}`).join('\n');
    const { message } = error as Error;
    throw new Error(`PINNACE_SEED=${seed}\n${kills}\n${message}`, { cause: error });
  }
}

describe('kill -9 at any moment', () => {
  it('is healed: nothing acknowledged is lost, nothing is started twice, Services go on', {
    timeout: LONG ? LONG_MS + 900_000 : 900_000,
  }, async () => {
    const startedAt = performance.now();
    let seed = SEED;
    do {
      await seededRound(seed);
      seed += 1;
    } while (LONG && performance.now() - startedAt < LONG_MS);
  });
});
