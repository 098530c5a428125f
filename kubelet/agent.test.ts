// The whole agent on the fake runtime, against a whole API server: pods' lives as users see them.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { systemRandom } from '../base/random.ts';
import type { Container, Pod, PodSpec } from '../api/generated/types.ts';
import { ConfigMaps, Events, Nodes, Pods, Secrets, ServiceAccounts } from '../api/kinds.ts';
import { findCondition } from '../api/meta/conditions.ts';
import { isNotFound } from '../api/status.ts';
import { createInformerFactory } from '../client/informer/informer-factory.ts';
import type { Client } from '../client/rest/client.ts';
import { createClient } from '../client/rest/rest-client.ts';
import { createLinuxSystem } from '../system/linux.ts';
import { anApiServer, type ClientServer } from '../test/support/client-server.ts';
import { FaultyTransport } from '../test/support/faulty-transport.ts';
import { until } from '../test/support/until.ts';
import { createLinuxHost } from './host/linux-host.ts';
import { createNodeAgent, type NodeAgent } from './agent.ts';
import { FakeImageStore } from './runtime/fake/fake-images.ts';
import { FakePodNetwork } from './runtime/fake/fake-network.ts';
import { FakeRuntime } from './runtime/fake/fake-runtime.ts';
import { fileLogs } from './runtime/fake/log-writer.ts';
import type { Life } from './runtime/fake/life.ts';
import { RuntimeError } from './runtime/runtime.ts';
import { parseQuantity, toMilli } from '../api/meta/quantity.ts';
import { RELIST_MS } from './options.ts';

const NODE = 'node-1';

let cluster: ClientServer;
let transport: FaultyTransport;
let client: Client;
let dataDir: string;
let images: FakeImageStore;
let runtime: FakeRuntime;
let network: FakePodNetwork;
let lives: Map<string, Life>;
let agent: { agent: NodeAgent; stop: () => Promise<void> };

async function startAgent(): Promise<typeof agent> {
  const ending = new AbortController();
  const doors = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const informers = createInformerFactory({ ...doors, client });
  const started = createNodeAgent({
    ...doors,
    client,
    informers,
    nodeName: NODE,
    nodeIp: '127.0.0.1',
    runtime,
    images,
    network,
    host: createLinuxHost({ ...doors, system: createLinuxSystem(), network, dataDir }),
    clusterDns: '10.96.0.10',
    clusterDomain: 'cluster.local',
    podCidr: '10.244.0.0/24',
  });
  informers.start(ending.signal);
  await started.start(ending.signal);
  const stop = async () => {
    ending.abort(new Error('the test is over'));
    await started.done;
    await informers.finished();
  };
  return { agent: started, stop };
}

beforeEach(async () => {
  cluster = await anApiServer();
  transport = new FaultyTransport(() => cluster.transport);
  client = createClient(transport);
  await client.resource(ServiceAccounts).create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { namespace: 'default', name: 'default' },
    // Nobody publishes the CA here.
    automountServiceAccountToken: false,
  });
  dataDir = mkdtempSync(join(tmpdir(), 'pinnace-agent-'));
  images = new FakeImageStore();
  images.add('app:1');
  images.add('app:2');
  lives = new Map();
  runtime = new FakeRuntime({
    clock: systemClock,
    images,
    logs: fileLogs,
    lifeOf: (config) =>
      lives.get(`${config.name}#${config.attempt}`) ?? lives.get(config.name) ?? {},
  });
  network = new FakePodNetwork();
  agent = await startAgent();
});

afterEach(async () => {
  transport.down = undefined;
  await agent.stop();
  await cluster.close();
  rmSync(dataDir, { recursive: true, force: true });
});

type PodParts = Partial<PodSpec>;

async function createPod(name: string, spec: PodParts = {}): Promise<Pod> {
  const container: Container = { name: 'app', image: 'app:1' };
  return client.resource(Pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name },
    spec: { nodeName: NODE, containers: [container], ...spec },
  });
}

const getPod = (name: string) => client.resource(Pods).get({ namespace: 'default', name });

/** The pod once it is as asked; a failure shows its last status. */
async function podWhere(name: string, holds: (pod: Pod) => boolean): Promise<Pod> {
  let last: Pod | undefined;
  const condition = async () => {
    last = await getPod(name);
    return holds(last);
  };
  await until(condition).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}: ${JSON.stringify(last?.status, null, 1)}`);
  });
  return last as Pod;
}

const isReady = (pod: Pod) => findCondition(pod.status?.conditions, 'Ready')?.status === 'True';
const statusOf = (pod: Pod, name = 'app') =>
  [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    (status) => status.name === name,
  );
const waitingReason = (pod: Pod, name = 'app') => statusOf(pod, name)?.state?.waiting?.reason;
const gone = async (name: string) => {
  await until(async () => {
    try {
      await getPod(name);
      return false;
    } catch (error) {
      return isNotFound(error);
    }
  });
};
const containersOf = async (pod: Pod) =>
  (await runtime.listContainers()).filter((each) => each.podUid === pod.metadata.uid);
const eventReasons = async () =>
  (await client.resource(Events).list({ namespace: 'default' })).items.map((event) => event.reason);

/** Everything told of a pod. */
const eventTexts = async (name: string) =>
  (await client.resource(Events).list({ namespace: 'default' })).items
    .filter(({ involvedObject }) => involvedObject.name === name)
    .map(({ type, reason, message }) => `${type} ${reason} ${message}`);
/** Resolves once all these were told. */
const told = async (name: string, texts: readonly string[]) => {
  let last: string[] = [];
  const all = async () => {
    last = await eventTexts(name);
    return texts.every((text) => last.includes(text));
  };
  await until(all).catch(() => expect(last).toEqual(expect.arrayContaining([...texts])));
};

describe('a pod', () => {
  it('is started, gets an address and becomes ready, with every field of its status', async () => {
    await createPod('web');
    const pod = await podWhere('web', isReady);
    expect(pod.status).toMatchObject({
      phase: 'Running',
      hostIP: '127.0.0.1',
      podIP: '10.244.0.2',
      podIPs: [{ ip: '10.244.0.2' }],
      qosClass: 'BestEffort',
      containerStatuses: [
        {
          name: 'app',
          image: 'app:1',
          imageID: 'fake:app:1',
          restartCount: 0,
          ready: true,
          started: true,
          lastState: {},
        },
      ],
    });
    expect(pod.status?.startTime).toBeDefined();
    expect(findCondition(pod.status?.conditions, 'Ready')).not.toHaveProperty('reason');
    expect(statusOf(pod)?.containerID).toMatch(/^fake:\/\//);
    expect(pod.status?.conditions?.map((each) => [each.type, each.status])).toEqual(
      expect.arrayContaining([
        ['PodReadyToStartContainers', 'True'],
        ['Initialized', 'True'],
        ['Ready', 'True'],
        ['ContainersReady', 'True'],
        ['PodScheduled', 'True'],
      ]),
    );
    await until(async () => {
      const reasons = await eventReasons();
      return ['Pulled', 'Created', 'Started'].every((reason) => reasons.includes(reason));
    });
  });

  it('is deleted from the API only when nothing of it is left', async () => {
    lives.set('app', { stopMs: 30 });
    await createPod('web', { terminationGracePeriodSeconds: 5 });
    const { metadata } = await podWhere('web', isReady);
    await client.resource(Pods).delete({ namespace: 'default', name: 'web' });
    expect((await getPod('web')).metadata.deletionTimestamp).toBeDefined();
    await gone('web');
    await until(async () => (await runtime.listContainers()).length === 0);
    await until(async () => (await runtime.listSandboxes()).length === 0);
    expect(await network.list()).toEqual([]);
    await until(() => readdirSync(join(dataDir, 'logs', 'pods')).length === 0);
    expect(readdirSync(join(dataDir, 'pods'))).not.toContain(metadata.uid);
  });

  it('is killed when its grace period is over, and at once when it is cut to nothing', async () => {
    lives.set('app', { stubborn: true });
    await createPod('mule', { terminationGracePeriodSeconds: 600 });
    await podWhere('mule', isReady);
    const pods = client.resource(Pods);
    await pods.delete({ namespace: 'default', name: 'mule' });
    await until(() => runtime.calls.get('stopContainer') === 1);
    await pods.delete({ namespace: 'default', name: 'mule' }, { gracePeriodSeconds: 1 });
    await gone('mule');
  });

  it('runs its init containers one after another before the others', async () => {
    lives.set('first', { exitAfterMs: 20 });
    lives.set('second', { exitAfterMs: 20 });
    await createPod('web', {
      initContainers: [
        { name: 'first', image: 'app:1' },
        { name: 'second', image: 'app:1' },
      ],
    });
    const pod = await podWhere('web', isReady);
    const by = new Map((await containersOf(pod)).map((each) => [each.name, each]));
    const [first, second, app] = ['first', 'second', 'app'].map((name) => by.get(name));
    expect(second?.startedAtMs).toBeGreaterThanOrEqual(first?.finishedAtMs ?? Infinity);
    expect(app?.startedAtMs).toBeGreaterThanOrEqual(second?.finishedAtMs ?? Infinity);
    expect(statusOf(pod, 'first')?.state?.terminated?.reason).toBe('Completed');
    expect(statusOf(pod, 'first')?.ready).toBe(true);
  });

  it('has its sidecar up before it starts, and stopped after it', async () => {
    lives.set('job', { exitAfterMs: 50 });
    await createPod('batch', {
      restartPolicy: 'Never',
      initContainers: [{ name: 'side', image: 'app:1', restartPolicy: 'Always' }],
      containers: [{ name: 'job', image: 'app:1' }],
    });
    const pod = await podWhere('batch', (each) => each.status?.phase === 'Succeeded');
    const by = new Map((await containersOf(pod)).map((each) => [each.name, each]));
    expect(by.get('job')?.startedAtMs).toBeGreaterThanOrEqual(by.get('side')?.startedAtMs ?? 1e99);
    expect(by.get('side')?.finishedAtMs).toBeGreaterThanOrEqual(
      by.get('job')?.finishedAtMs ?? 1e99,
    );
  });

  it('that runs to its end succeeds or fails, and gives its address back', async () => {
    lives.set('good', { exitAfterMs: 10 });
    lives.set('bad', { exitAfterMs: 10, exitCode: 3, message: 'no luck' });
    await createPod('good', {
      restartPolicy: 'Never',
      containers: [{ name: 'good', image: 'app:1' }],
    });
    await createPod('bad', {
      restartPolicy: 'Never',
      containers: [{ name: 'bad', image: 'app:1' }],
    });
    const good = await podWhere('good', (pod) => pod.status?.phase === 'Succeeded');
    expect(findCondition(good.status?.conditions, 'Ready')?.reason).toBe('PodCompleted');
    const bad = await podWhere('bad', (pod) => pod.status?.phase === 'Failed');
    expect(statusOf(bad, 'bad')?.state?.terminated).toMatchObject({
      exitCode: 3,
      reason: 'Error',
      message: 'no luck',
    });
    await until(async () => (await network.list()).length === 0);
    expect(bad.status?.podIP).toMatch(/^10\.244\./);
  });
});

describe('a container', () => {
  it('that is killed runs again at once, with its past told', async () => {
    await createPod('web');
    const before = await podWhere('web', isReady);
    const [first] = await containersOf(before);
    runtime.crash(first?.id ?? '', 137, 'OOMKilled');
    const pod = await podWhere(
      'web',
      (each) => isReady(each) && statusOf(each)?.restartCount === 1,
    );
    expect(statusOf(pod)?.lastState?.terminated).toMatchObject({
      exitCode: 137,
      reason: 'OOMKilled',
      containerID: `fake://${first?.id}`,
    });
  });

  it('that keeps crashing waits, and says so', async () => {
    lives.set('app', { exitAfterMs: 5, exitCode: 1 });
    await createPod('crash');
    const pod = await podWhere('crash', (each) => waitingReason(each) === 'CrashLoopBackOff');
    expect(statusOf(pod)).toMatchObject({
      restartCount: 1,
      ready: false,
      state: {
        waiting: {
          message: `back-off 10s restarting failed container=app pod=crash_default(${pod.metadata.uid})`,
        },
      },
      lastState: { terminated: { exitCode: 1 } },
    });
    expect(pod.status?.phase).toBe('Running');
    await until(async () => (await eventReasons()).includes('BackOff'));
  });

  it('whose image is missing says which and what to do, and starts once it is loaded', async () => {
    await createPod('web', { containers: [{ name: 'app', image: 'shop/none:1' }] });
    const pod = await podWhere('web', (each) => waitingReason(each) === 'ErrImagePull');
    expect(statusOf(pod)?.state?.waiting?.message).toContain('shop/none:1');
    expect(statusOf(pod)?.state?.waiting?.message).toContain('pinnace image load');
    await podWhere('web', (each) => waitingReason(each) === 'ImagePullBackOff');
    const { message } = statusOf(pod)?.state?.waiting ?? {};
    await told('web', [
      'Normal Pulling Pulling image "shop/none:1"',
      `Warning Failed Failed to pull image "shop/none:1": ${message}`,
      'Warning Failed Error: ErrImagePull',
      'Normal BackOff Back-off pulling image "shop/none:1"',
      'Warning Failed Error: ImagePullBackOff',
    ]);
    images.add('shop/none:1');
    await podWhere('web', isReady);
  });

  it('whose image must not be pulled says so', async () => {
    const container = { name: 'app', image: 'none:1', imagePullPolicy: 'Never' };
    await createPod('web', { containers: [container] });
    await podWhere('web', (each) => waitingReason(each) === 'ErrImageNeverPull');
  });

  it('whose image has no possible name says what is wrong with it', async () => {
    await createPod('web', { containers: [{ name: 'app', image: 'Shop/CAPS:9' }] });
    const pod = await podWhere('web', (each) => waitingReason(each) === 'InvalidImageName');
    const message =
      'Failed to apply default image tag "Shop/CAPS:9": couldn\'t parse image name "Shop/CAPS:9": ' +
      'invalid reference format: repository name (CAPS) must be lowercase';
    expect(statusOf(pod)?.state?.waiting?.message).toBe(message);
    await told('web', [
      `Warning InspectFailed ${message}`,
      'Warning Failed Error: InvalidImageName',
    ]);
  });

  it('names the volume that cannot be set up', async () => {
    const volumes = [
      { name: 'v', configMap: { name: 'missing' } },
      { name: 'w', emptyDir: {} },
    ];
    const volumeMounts = [{ name: 'v', mountPath: '/v' }];
    await createPod('web', {
      volumes,
      containers: [{ name: 'app', image: 'app:1', volumeMounts }],
    });
    const text = 'MountVolume.SetUp failed for volume "v" : configmap "missing" not found';
    await told('web', [`Warning FailedMount ${text}`]);
  });

  it('grows as soon as another one has made room, not at the next look', async () => {
    const sized = (cpu: string) => [
      { name: 'app', image: 'app:1', resources: { requests: { cpu } } },
    ];
    const room = async () => {
      const { items } = await client.resource(Nodes).list();
      return items.find(({ metadata }) => metadata.name === NODE)?.status?.allocatable?.['cpu'];
    };
    await until(async () => (await room()) !== undefined);
    const most = toMilli(parseQuantity((await room()) ?? '0')) - 100;
    await createPod('large', { containers: sized(`${most}m`) });
    await createPod('small', { containers: sized('50m') });
    await podWhere('small', isReady);
    const body = { spec: { containers: sized('300m') } };
    await client
      .resource(Pods)
      .patch(
        { namespace: 'default', name: 'small' },
        { type: 'strategic', body },
        { subresource: 'resize' },
      );
    const deferred = ({ status }: Pod) =>
      findCondition(status?.conditions, 'PodResizePending')?.reason === 'Deferred';
    await podWhere('small', deferred);
    const from = performance.now();
    await client
      .resource(Pods)
      .delete({ namespace: 'default', name: 'large' }, { gracePeriodSeconds: 0 });
    await podWhere('small', (pod) => statusOf(pod)?.allocatedResources?.['cpu'] === '300m');
    expect(performance.now() - from).toBeLessThan(RELIST_MS / 2);
  });

  it('tells which kind of volume is not supported', async () => {
    const volumes = [{ name: 'v', rbd: { monitors: ['m'], image: 'i' } }];
    await createPod('mounted', { volumes });
    await told('mounted', [
      'Warning FailedMount MountVolume.SetUp failed for volume "v" : this node does not support volumes of kind rbd',
    ]);
  });

  it('waits for its ConfigMap and starts as soon as it is there', async () => {
    const env = [
      { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'colors', key: 'main' } } },
    ];
    await createPod('web', { containers: [{ name: 'app', image: 'app:1', env }] });
    const waiting = await podWhere(
      'web',
      (each) => waitingReason(each) === 'CreateContainerConfigError',
    );
    expect(statusOf(waiting)?.state?.waiting?.message).toBe('configmap "colors" not found');
    await told('web', ['Warning Failed Error: configmap "colors" not found']);
    const failures = (await eventTexts('web')).filter((text) => text.startsWith('Warning Failed'));
    expect(failures).toEqual(['Warning Failed Error: configmap "colors" not found']);
    await client.resource(ConfigMaps).create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'default', name: 'colors' },
      data: { main: 'red' },
    });
    await podWhere('web', isReady);
  });

  it('that cannot be created shows why, and is tried again', async () => {
    runtime.failNext('createContainer', new RuntimeError('CreateContainerError', 'no disk'));
    await createPod('web');
    const pod = await podWhere('web', (each) => isReady(each));
    expect(statusOf(pod)?.restartCount).toBe(0);
    await until(async () => (await eventReasons()).includes('Failed'));
  });

  it('whose program cannot be run fails where it is not to be restarted, with upstream’s reason', async () => {
    lives.set('app', { broken: { reason: 'StartError', message: 'exec: "x": not found' } });
    await createPod('web', { restartPolicy: 'Never' });
    const pod = await podWhere('web', ({ status }) => status?.phase === 'Failed');
    expect(statusOf(pod)?.state?.terminated).toMatchObject({
      exitCode: 128,
      reason: 'StartError',
      message: 'exec: "x": not found',
      startedAt: '1970-01-01T00:00:00Z',
      finishedAt: expect.any(String) as string,
    });
    await until(async () => (await eventReasons()).includes('Failed'));
  });

  it('is replaced when its image changes, in the same pod', async () => {
    await createPod('web');
    await podWhere('web', isReady);
    const body = { spec: { containers: [{ name: 'app', image: 'app:2' }] } };
    await client
      .resource(Pods)
      .patch({ namespace: 'default', name: 'web' }, { type: 'strategic', body });
    const pod = await podWhere(
      'web',
      (each) => isReady(each) && statusOf(each)?.imageID === 'fake:app:2',
    );
    expect(statusOf(pod)?.restartCount).toBe(1);
    expect((await containersOf(pod)).filter((each) => each.state === 'running')).toHaveLength(1);
  });

  it('is restarted when its liveness probe gives it up, and not ready while readiness fails', async () => {
    let healthy = false;
    lives.set('app', { exec: ([verb]) => ({ exitCode: verb === 'ready' || healthy ? 0 : 1 }) });
    const livenessProbe = { exec: { command: ['live'] }, periodSeconds: 1, failureThreshold: 1 };
    const readinessProbe = { exec: { command: ['ready'] }, periodSeconds: 1 };
    await createPod('web', {
      containers: [{ name: 'app', image: 'app:1', livenessProbe, readinessProbe }],
    });
    await podWhere('web', (each) => (statusOf(each)?.restartCount ?? 0) >= 1);
    healthy = true;
    await podWhere('web', isReady);
    await until(async () => {
      const reasons = await eventReasons();
      return reasons.includes('Unhealthy') && reasons.includes('Killing');
    });
  });
});

describe('volumes', () => {
  it('hold Secrets in memory only, and lend a part of themselves', async () => {
    await client.resource(Secrets).create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'default', name: 'key' },
      stringData: { 'tls.key': 'hidden' },
    });
    const mount = { name: 'key', mountPath: '/key.pem', subPath: 'tls.key' };
    const created = await createPod('web', {
      containers: [{ name: 'app', image: 'app:1', volumeMounts: [mount] }],
      volumes: [{ name: 'key', secret: { secretName: 'key', defaultMode: 0o400 } }],
    });
    await podWhere('web', isReady);
    const folder = join(dataDir, 'pods', created.metadata.uid ?? '');
    const mounted = () =>
      createLinuxSystem()
        .mounts()
        .filter(({ mountPoint }) => mountPoint.startsWith(folder));
    expect(mounted().map(({ type }) => type)).toEqual(['tmpfs', 'tmpfs']);
    expect(readFileSync(join(folder, '.subpaths', 'app', '0'), 'utf8')).toBe('hidden');
    await client.resource(Pods).delete({ namespace: 'default', name: 'web' });
    await gone('web');
    expect(mounted()).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  it('show a ConfigMap, and follow it while the pod runs', async () => {
    const maps = client.resource(ConfigMaps);
    const map = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'default', name: 'settings' },
    };
    await maps.create({ ...map, data: { 'a.conf': 'one' } });
    const created = await createPod('web', {
      containers: [
        { name: 'app', image: 'app:1', volumeMounts: [{ name: 'config', mountPath: '/etc/app' }] },
      ],
      volumes: [{ name: 'config', configMap: { name: 'settings' } }],
    });
    await podWhere('web', isReady);
    const path = join(dataDir, 'pods', created.metadata.uid ?? '', 'config', 'a.conf');
    expect(readFileSync(path, 'utf8')).toBe('one');
    await maps.update({ ...map, data: { 'a.conf': 'two' } });
    await until(() => readFileSync(path, 'utf8') === 'two');
  });
});

describe('the agent', () => {
  it('registers its node with what it has', async () => {
    const nodes = client.resource(Nodes);
    await until(async () => {
      const node = await nodes.get({ name: NODE }).catch(() => undefined);
      return findCondition(node?.status?.conditions, 'Ready')?.status === 'True';
    });
    const node = await nodes.get({ name: NODE });
    expect(node.metadata.labels?.['kubernetes.io/hostname']).toBe(NODE);
    expect(node.spec?.podCIDR).toBe('10.244.0.0/24');
    expect(node.status?.capacity).toMatchObject({ pods: '110' });
    expect(node.status?.nodeInfo?.containerRuntimeVersion).toBe('fake://1');
    await told(NODE, [
      'Normal Starting Starting kubelet.',
      `Normal NodeHasSufficientMemory Node ${NODE} status is now: NodeHasSufficientMemory`,
      `Normal NodeReady Node ${NODE} status is now: NodeReady`,
    ]);
  });

  it('finds its containers again after its own death and starts none twice', async () => {
    await createPod('web');
    const before = await podWhere('web', isReady);
    await agent.stop();
    const created = runtime.calls.get('createContainer');
    agent = await startAgent();
    await createPod('second');
    const [second] = await containersOf(await podWhere('second', isReady));
    expect(second?.state).toBe('running');
    expect(runtime.calls.get('createContainer')).toBe((created ?? 0) + 1);
    const after = await getPod('web');
    expect(statusOf(after)).toEqual(statusOf(before));
    expect(after.status?.podIP).toBe(before.status?.podIP);
  });

  it('removes what pods that were deleted meanwhile have left', async () => {
    await createPod('web');
    await podWhere('web', isReady);
    await agent.stop();
    await client
      .resource(Pods)
      .delete({ namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 });
    expect(await runtime.listContainers()).toHaveLength(1);
    agent = await startAgent();
    await until(async () => (await runtime.listContainers()).length === 0);
    await until(async () => (await runtime.listSandboxes()).length === 0);
    expect(await network.list()).toEqual([]);
  });

  it('restarts containers while the API server is away, and tells afterwards', async () => {
    await createPod('web');
    const [first] = await containersOf(await podWhere('web', isReady));
    transport.down = new Error('connection refused');
    transport.breakWatches(new Error('connection lost'));
    runtime.crash(first?.id ?? '', 1);
    await until(async () => {
      const running = (await runtime.listContainers()).filter((each) => each.state === 'running');
      return running.some((each) => each.attempt === 1);
    });
    transport.down = undefined;
    await podWhere('web', (pod) => isReady(pod) && statusOf(pod)?.restartCount === 1);
  });

  it('that starts while the API server is away looks after the pods it knew', async () => {
    await createPod('web');
    const [first] = await containersOf(await podWhere('web', isReady));
    await agent.stop();
    transport.down = new Error('connection refused');
    agent = await startAgent();
    runtime.crash(first?.id ?? '', 1);
    await until(async () => {
      const running = (await runtime.listContainers()).filter((each) => each.state === 'running');
      return running.some((each) => each.attempt === 1);
    });
    transport.down = undefined;
    await podWhere('web', (pod) => isReady(pod) && statusOf(pod)?.restartCount === 1);
    expect(await runtime.listSandboxes()).toHaveLength(1);
  });

  it('makes a new sandbox when the old one is lost, and keeps counting restarts', async () => {
    await createPod('web');
    await podWhere('web', isReady);
    const [sandbox] = await runtime.listSandboxes();
    runtime.loseSandbox(sandbox?.id ?? '');
    const pod = await podWhere(
      'web',
      (each) => isReady(each) && statusOf(each)?.restartCount === 1,
    );
    expect((await runtime.listSandboxes()).filter((each) => each.state === 'ready')).toHaveLength(
      1,
    );
    expect(statusOf(pod)?.lastState?.terminated?.exitCode).toBe(137);
    expect(pod.status?.podIPs).toEqual([{ ip: pod.status?.podIP }]);
  });

  it('tells its node and its pods again when somebody else changed what they say', async () => {
    await createPod('web');
    const { metadata } = await podWhere('web', isReady);
    const untrue = {
      status: { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'Lost' }] },
    };
    const patch = { type: 'strategic', body: untrue } as const;
    const to = { subresource: 'status' } as const;
    const nodes = client.resource(Nodes);
    const lost = await nodes.patch({ name: NODE }, patch, to);
    expect(findCondition(lost.status?.conditions, 'Ready')?.status).toBe('Unknown');
    await until(async () => {
      const ready = findCondition((await nodes.get({ name: NODE })).status?.conditions, 'Ready');
      return ready?.status === 'True' && ready.reason === 'KubeletReady';
    });
    const other = { type: 'example.com/gate', status: 'True' };
    untrue.status.conditions.push({ ...other, reason: 'Other' });
    await client.resource(Pods).patch({ namespace: 'default', name: 'web' }, patch, to);
    const again = await podWhere('web', isReady);
    expect(again.metadata.uid).toBe(metadata.uid);
    expect(findCondition(again.status?.conditions, 'Ready')).not.toHaveProperty('reason');
    expect(findCondition(again.status?.conditions, other.type)?.status).toBe('True');
  });

  it('makes its node again when somebody deleted it', async () => {
    const nodes = client.resource(Nodes);
    const uidOf = async () =>
      (await nodes.get({ name: NODE }).catch(() => undefined))?.metadata.uid;
    await until(async () => (await uidOf()) !== undefined);
    const before = await uidOf();
    await nodes.delete({ name: NODE });
    await until(async () => {
      const now = await uidOf();
      return now !== undefined && now !== before;
    });
  });

  it('refuses a pod that does not fit, for good', async () => {
    const resources = { requests: { memory: '900Ti' } };
    await createPod('big', { containers: [{ name: 'app', image: 'app:1', resources }] });
    const pod = await podWhere('big', (each) => each.status?.phase === 'Failed');
    expect(pod.status?.reason).toBe('OutOfmemory');
    expect(await containersOf(pod)).toEqual([]);
  });

  it('lets a critical pod go that waits for others to make room', async () => {
    const resources = { requests: { cpu: String(availableParallelism()) } };
    const containers = [{ name: 'app', image: 'app:1', resources }];
    await createPod('stuck', { containers });
    await podWhere('stuck', isReady);
    runtime.stopContainer = () => new Promise(() => undefined);
    await createPod('vital', { containers, priorityClassName: 'system-node-critical' });
    await until(async () => (await eventReasons()).includes('Preempting'));
    await client.resource(Pods).delete({ namespace: 'default', name: 'vital' });
    await gone('vital');
  });

  it('starts many pods, each once', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `pod-${i}`);
    await Promise.all(names.map((name) => createPod(name)));
    for (const name of names) await podWhere(name, isReady);
    expect(await runtime.listContainers()).toHaveLength(30);
    expect(new Set((await network.list()).map(({ ip }) => ip)).size).toBe(30);
  });
});
