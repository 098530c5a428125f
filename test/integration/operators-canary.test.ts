// The operator of examples/07-canary in whole clusters, on virtual time: new versions take over, fail, are held and taken back.
import { afterEach, describe, expect, it } from 'vitest';
import { Deployments, EndpointSlices, Events, type Pod, Pods } from 'pinnace/client';
import { installKinds, isPodReady } from 'pinnace/controllers';
import {
  eventually,
  eventuallyList,
  faults,
  type LivesOf,
  simulate,
  startCluster,
  type TestCluster,
  withFaults,
} from 'pinnace/testing';
import { canaryController } from '../../examples/07-canary/controller.ts';
import { Canaries, type Canary } from '../../examples/07-canary/kind.ts';
import { type MetricsSource, podCpu } from '../../examples/07-canary/metrics.ts';
import { byImage, canariesKeepTheirWord } from '../../examples/07-canary/scenario.ts';
import { versionOf } from '../../examples/07-canary/tracks.ts';
import { type OperatorProcess, startOperatorProcess } from '../support/operator-process.ts';
import { until } from '../support/until.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** A lead that nobody let go is taken over after 15 s. */
const PATIENCE = { timeoutMs: 50_000 };
const AT = { namespace: 'default', name: 'web' };

const aCanary = (image: string, spec: Partial<Canary['spec']> = {}) =>
  Canaries.object({
    metadata: AT,
    spec: {
      container: { image },
      steps: [
        { weight: 25, holdSeconds: 20 },
        { weight: 50, holdSeconds: 20 },
      ],
      analysis: { max: 10 },
      ...spec,
    },
  });
const imageOf = ({ spec }: Pod) => spec?.containers[0]?.image;

let cluster: TestCluster;

async function start(
  metrics: MetricsSource = byImage,
  lives: LivesOf = { app: { readyAfterMs: SECOND } },
) {
  cluster = await startCluster({ clock: 'virtual', lives });
  await installKinds(cluster.client, [Canaries]);
  return cluster.run([canaryController(metrics)]);
}
const create = (image: string, spec: Partial<Canary['spec']> = {}) =>
  cluster.client.resource(Canaries).create(aCanary(image, spec));
const change = (spec: object) =>
  cluster.client.resource(Canaries).patch(AT, { type: 'merge', body: { spec } });
const to = (image: string) => change({ container: { image } });
const reaches = (status: object, patience = {}) =>
  eventually(cluster.client, Canaries, AT, { status } as Partial<Canary>, patience);
/** How many ready pods there are of each image. */
async function pods(): Promise<Record<string, number>> {
  const { items } = await cluster.client.resource(Pods).list({ namespace: 'default' });
  const counts: Record<string, number> = {};
  for (const pod of items.filter(isPodReady))
    counts[imageOf(pod) ?? ''] = (counts[imageOf(pod) ?? ''] ?? 0) + 1;
  return counts;
}
/** Waits for so many ready pods of each image, and no others. */
const settleOn = (counts: Record<string, number>, patience = {}) =>
  eventuallyList(
    cluster.client,
    Pods,
    { namespace: 'default' },
    (items) =>
      items.every(isPodReady) &&
      Object.entries(counts).every(
        ([image, count]) => items.filter((pod) => imageOf(pod) === image).length === count,
      ),
    patience,
  );

describe('a canary', () => {
  afterEach(() => cluster.close());

  it('brings a good version in step by step, with all pods ready all the time', async () => {
    await start();
    await create('app:1');
    await settleOn({ 'app:1': 4 });
    await to('app:2');
    const shares = new Set<number>();
    for (let time = 0; time < 200; time++) {
      await cluster.advance(500);
      const { 'app:1': old = 0, 'app:2': fresh = 0 } = await pods();
      expect(old + fresh).toBeGreaterThanOrEqual(4);
      shares.add(fresh);
    }
    expect([...shares].slice(0, 3)).toEqual([0, 1, 2]);
    expect(await pods()).toEqual({ 'app:2': 4 });
    const { status } = await reaches({ phase: 'Steady', weight: 0 });
    expect(status?.stable).toEqual(versionOf(aCanary('app:2')));
    const slices = await cluster.client.resource(EndpointSlices).list({ namespace: 'default' });
    const behind = slices.items
      .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'web')
      .flatMap(({ endpoints }) => endpoints);
    expect(behind).toHaveLength(4);
  });

  it('takes a bad version back after its second bad figure, and tries it again only when it is told to', async () => {
    await start();
    await create('app:1');
    await settleOn({ 'app:1': 4 });
    await to('app:bad');
    const { status } = await reaches({ phase: 'RolledBack' });
    expect(status).toMatchObject({ weight: 0, stable: { container: { image: 'app:1' } } });
    await settleOn({ 'app:1': 4, 'app:bad': 0 });
    await cluster.advance(10 * MINUTE);
    expect(await pods()).toEqual({ 'app:1': 4 });
    await eventuallyList(cluster.client, Events, { namespace: 'default' }, [
      { reason: 'RolledBack', type: 'Warning', message: 'app:bad failed' },
    ]);
    await change({ attempt: 2 });
    await reaches({ phase: 'Progressing', weight: 25 });
  });

  it("judges by the pods' own use of the processor where it is given no other source", async () => {
    const core = 1_000_000_000;
    await start(podCpu, { 'app:2': { cpuNanoCores: core }, app: { cpuNanoCores: core / 10 } });
    await create('app:1', {
      analysis: { max: 200, intervalSeconds: 30, failures: 2, readySeconds: 60 },
    });
    await settleOn({ 'app:1': 4 });
    await to('app:2');
    await reaches({ phase: 'RolledBack' });
    await to('app:3');
    await reaches({ phase: 'Steady', stable: { container: { image: 'app:3' } } });
    await settleOn({ 'app:3': 4 });
  });

  it('takes a version back whose pods do not become ready', async () => {
    await start(byImage, { 'app:2': { pullError: 'no such image' } });
    await create('app:1');
    await settleOn({ 'app:1': 4 });
    await to('app:2');
    await cluster.advance(4 * MINUTE);
    expect(await pods()).toEqual({ 'app:1': 4 });
    await reaches({ phase: 'RolledBack' });
    await settleOn({ 'app:1': 4 });
  });

  it('stays where it is while it is paused, and goes back when its user does', async () => {
    await start();
    await create('app:1');
    await settleOn({ 'app:1': 4 });
    await change({ paused: true, container: { image: 'app:2' } });
    await cluster.advance(10 * MINUTE);
    expect(await pods()).toEqual({ 'app:1': 3, 'app:2': 1 });
    await to('app:1');
    await reaches({ phase: 'Steady', weight: 0 });
    await settleOn({ 'app:1': 4, 'app:2': 0 });
  });

  it('waits while there are no figures, and goes on when there are some again', async () => {
    let away = true;
    await start((question) => (away ? Promise.reject(new Error('away')) : byImage(question)));
    await create('app:1');
    await settleOn({ 'app:1': 4 });
    await to('app:2');
    await cluster.advance(10 * MINUTE);
    expect(await pods()).toEqual({ 'app:1': 3, 'app:2': 1 });
    away = false;
    await settleOn({ 'app:1': 0, 'app:2': 4 });
  });

  it('gives the good version a pod back when one on trial crashes, and goes on after its operator is killed', async () => {
    let program = await start();
    await create('app:1');
    await settleOn({ 'app:1': 4 });
    await change({ paused: true, container: { image: 'app:2' } });
    await settleOn({ 'app:1': 3, 'app:2': 1 });
    await program.crash();
    program = cluster.run([canaryController(byImage)]);
    const [node] = cluster.nodes;
    const trial = (await cluster.client.resource(Pods).list()).items.find(
      (pod) => imageOf(pod) === 'app:2',
    );
    const id = trial?.status?.containerStatuses?.[0]?.containerID?.split('//')[1] ?? '';
    node?.runtime.crash(id, 1);
    await settleOn({ 'app:1': 3, 'app:2': 1 });
    await program.crash();
    cluster.run([canaryController(byImage)]);
    await change({ paused: false });
    await settleOn({ 'app:1': 0, 'app:2': 4 });
  });

  it('keeps a version that failed away, though a leader that was cut off wanted it before', async () => {
    const first = await start();
    await create('app:1');
    await settleOn({ 'app:1': 4 });
    await to('app:2');
    await reaches({ stable: { container: { image: 'app:2' } } });
    await settleOn({ 'app:2': 4 });
    await first.stop();
    const late = withFaults(cluster.client, [
      { fault: faults.delay(3 * MINUTE), verb: 'update', ref: Deployments },
    ]);
    cluster.run([canaryController(byImage)], { client: late });
    await to('app:bad');
    await cluster.settled();
    expect(late.injected).toHaveLength(1);
    cluster.run([canaryController(byImage)]);
    await reaches({ phase: 'RolledBack' });
    await settleOn({ 'app:2': 4, 'app:bad': 0 });
    const generation = async () => {
      const at = { namespace: 'default', name: 'web-canary' };
      return (await cluster.client.resource(Deployments).get(at)).metadata.generation;
    };
    const before = await generation();
    await cluster.advance(5 * MINUTE);
    expect(await generation()).toBe(before);
  });

  it('takes a version that mends the first one, which never became ready', async () => {
    await start(byImage, { 'app:1': { pullError: 'no such image' } });
    await create('app:1');
    await cluster.advance(MINUTE);
    await to('app:2');
    await settleOn({ 'app:1': 0, 'app:2': 4 });
  });

  it('is scaled in the middle of a trial', async () => {
    await start();
    await create('app:1');
    await settleOn({ 'app:1': 4 });
    await change({ paused: true, container: { image: 'app:2' } });
    await settleOn({ 'app:1': 3, 'app:2': 1 });
    await change({ replicas: 8 });
    await settleOn({ 'app:1': 6, 'app:2': 2 });
  });

  it('goes with all that it made', async () => {
    await start();
    await create('app:1');
    await settleOn({ 'app:1': 4 });
    await cluster.client.resource(Canaries).delete(AT);
    await eventuallyList(cluster.client, Pods, { namespace: 'default' }, 0);
    await eventuallyList(cluster.client, Deployments, { namespace: 'default' }, 0);
  });
});

describe('the operator as a process of its own', () => {
  let program: OperatorProcess;
  afterEach(async () => {
    await program.kill();
    await cluster.close();
  });

  it('goes on after kill -9 in the middle of a trial', async () => {
    cluster = await startCluster({ nodes: [{ figuresPeriodMs: 1_000 }] });
    const { kubeconfig } = await cluster.listen();
    const run = () =>
      startOperatorProcess('examples/07-canary/main.ts', { KUBECONFIG: kubeconfig });
    program = run();
    const quick = {
      steps: [{ weight: 50, holdSeconds: 1 }],
      analysis: { max: 100, intervalSeconds: 1, failures: 1, readySeconds: 60 },
    };
    const canaries = cluster.client.resource(Canaries);
    await until(() => canaries.create(aCanary('app:1', quick)).then(Boolean, () => false));
    await settleOn({ 'app:1': 4 }, PATIENCE);
    await to('app:2');
    await reaches({ phase: 'Progressing' }, PATIENCE);
    await program.kill();
    program = run();
    await settleOn({ 'app:1': 0, 'app:2': 4 }, PATIENCE);
    expect(await program.stop(), program.log()).toBe(0);
  });
});

const LONG = process.env['PINNACE_LONG'] === '1';

it(
  'keeps its word whatever is late, lost or dies',
  async () => {
    const report = await simulate(canariesKeepTheirWord, { runs: LONG ? 1000 : 40, seed: 1 });
    console.log(`${report.runs} runs in ${Math.round(report.elapsedMs)} ms`);
  },
  LONG ? 3_600_000 : 600_000,
);
