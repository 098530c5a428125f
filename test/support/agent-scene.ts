// The whole node agent on the fake runtime, against a whole API server that it reaches in process: its node, its pods as users see
// them, and the hands to do something to all of these.
// Invariant: each scene has a server, a runtime and a folder of its own, and `close` leaves none of them, nor a mount, behind.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ContainerStatus as ShownContainer, Pod, PodSpec } from '../../api/generated/types.ts';
import { Events, Pods, ServiceAccounts } from '../../api/kinds.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { isNotFound } from '../../api/status.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createNodeAgent } from '../../kubelet/agent.ts';
import { createLinuxHost } from '../../kubelet/host/linux-host.ts';
import { FakeImageStore } from '../../kubelet/runtime/fake/fake-images.ts';
import { FakePodNetwork } from '../../kubelet/runtime/fake/fake-network.ts';
import { FakeRuntime, type FakeRuntimeOptions } from '../../kubelet/runtime/fake/fake-runtime.ts';
import type { Life } from '../../kubelet/runtime/fake/life.ts';
import { fileLogs } from '../../kubelet/runtime/fake/log-writer.ts';
import type { ContainerStatus } from '../../kubelet/runtime/runtime.ts';
import { unmountVolumes } from '../../kubelet/volumes/disk-volumes.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { anApiServer, type ClientServer } from './client-server.ts';
import { FaultyTransport } from './faulty-transport.ts';
import { until } from './until.ts';

/** The agent's node. */
export const NODE = 'node-1';
/** Where the pods of a scene are. */
const namespace = 'default';

/** What a scene is opened with. */
export interface AgentSceneOptions {
  /** Of agent and runtime; the host's unless given. Informers keep to the host's in any case. */
  readonly clock?: Clock;
  /** Makes the runtime; the fake one as it is unless given. */
  readonly runtimeOf?: (options: FakeRuntimeOptions) => FakeRuntime;
  /** Are pods given a token of their account, for which somebody has to publish the CA? Not unless given. */
  readonly automountServiceAccountToken?: boolean;
}

/** One agent and all around it. */
export class AgentScene {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'pinnace-agent-'));
  /** Has app:1 and app:2. */
  readonly images = new FakeImageStore();
  readonly network = new FakePodNetwork();
  /** Lives of containers that are made from now on, by `name#attempt` or by name; steady for all others. */
  readonly lives = new Map<string, Life>();
  readonly runtime: FakeRuntime;
  /** The agent's way to the server, and that of the test. */
  readonly transport: FaultyTransport;
  readonly client: Client;
  readonly #cluster: ClientServer;
  readonly #clock: Clock;
  #stop: () => Promise<void> = () => Promise.resolve();

  private constructor(cluster: ClientServer, options: AgentSceneOptions) {
    this.#cluster = cluster;
    this.#clock = options.clock ?? systemClock;
    this.transport = new FaultyTransport(() => cluster.transport);
    this.client = createClient(this.transport);
    for (const image of ['app:1', 'app:2']) this.images.add(image);
    const runtimeOf = options.runtimeOf ?? ((parts) => new FakeRuntime(parts));
    this.runtime = runtimeOf({
      clock: this.#clock,
      images: this.images,
      logs: fileLogs,
      lifeOf: ({ name, attempt }) =>
        this.lives.get(`${name}#${attempt}`) ?? this.lives.get(name) ?? {},
    });
  }

  /** A scene whose agent runs, and whose namespace has its ServiceAccount. */
  static async open(options: AgentSceneOptions = {}): Promise<AgentScene> {
    const scene = new AgentScene(await anApiServer(), options);
    const { automountServiceAccountToken = false } = options;
    await scene.client.resource(ServiceAccounts).create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace, name: 'default' },
      automountServiceAccountToken,
    });
    await scene.start();
    return scene;
  }

  /** Starts an agent, which finds what the one before it has left. */
  async start(): Promise<void> {
    const { client, runtime, images, network, dataDir } = this;
    const doors = { clock: this.#clock, random: systemRandom, logger: silentLogger };
    const informers = createInformerFactory({ ...doors, clock: systemClock, client });
    const agent = createNodeAgent({
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
    const ending = new AbortController();
    informers.start(ending.signal);
    await agent.start(ending.signal);
    this.#stop = async () => {
      ending.abort(new Error('the test is over'));
      await agent.done;
      await informers.finished();
    };
  }

  /** Ends the agent; containers run on. */
  async stop(): Promise<void> {
    await this.#stop();
  }

  /** Ends all of it. */
  async close(): Promise<void> {
    this.transport.down = undefined;
    await this.stop();
    await this.#cluster.close();
    // An agent ends without touching what runs.
    unmountVolumes(createLinuxSystem(), join(this.dataDir, 'pods'));
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** A pod on the node, with one container `app` unless the spec has others. */
  createPod(name: string, spec: Partial<PodSpec> = {}): Promise<Pod> {
    return this.client.resource(Pods).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name },
      spec: { nodeName: NODE, containers: [{ name: 'app', image: 'app:1' }], ...spec },
    });
  }

  /** The pod as the API has it now. */
  getPod(name: string): Promise<Pod> {
    return this.client.resource(Pods).get({ namespace, name });
  }

  /** The pod once it is as asked; a failure shows its last status. */
  async podWhere(name: string, holds: (pod: Pod) => boolean): Promise<Pod> {
    let last: Pod | undefined;
    const condition = async () => {
      last = await this.getPod(name);
      return holds(last);
    };
    await until(condition).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}: ${JSON.stringify(last?.status, null, 1)}`);
    });
    return last as Pod;
  }

  /** Resolves once the API has no such pod any more. */
  async gone(name: string): Promise<void> {
    await until(async () => {
      try {
        await this.getPod(name);
        return false;
      } catch (error) {
        return isNotFound(error);
      }
    });
  }

  /** What the runtime has of a pod, ended ones too. */
  async containersOf(pod: Pod): Promise<readonly ContainerStatus[]> {
    const all = await this.runtime.listContainers();
    return all.filter(({ podUid }) => podUid === pod.metadata.uid);
  }

  /** Reasons of all that was told, of whatever it was. */
  async eventReasons(): Promise<readonly (string | undefined)[]> {
    const { items } = await this.client.resource(Events).list({ namespace });
    return items.map(({ reason }) => reason);
  }

  /** Everything told of an object: type, reason and message of each event. */
  async eventTexts(name: string): Promise<readonly string[]> {
    const { items } = await this.client.resource(Events).list({ namespace });
    return items
      .filter(({ involvedObject }) => involvedObject.name === name)
      .map(({ type, reason, message }) => `${type} ${reason} ${message}`);
  }

  /** Resolves once all these were told of an object. */
  async told(name: string, texts: readonly string[]): Promise<void> {
    let last: readonly string[] = [];
    const all = async () => {
      last = await this.eventTexts(name);
      return texts.every((text) => last.includes(text));
    };
    await until(all).catch(() => expect(last).toEqual(expect.arrayContaining([...texts])));
  }
}

/** Does the pod say that it is ready? */
export const isReady = (pod: Pod): boolean =>
  findCondition(pod.status?.conditions, 'Ready')?.status === 'True';

/** What the pod says of a container, or an init container, of that name. */
export const statusOf = (pod: Pod, name = 'app'): ShownContainer | undefined =>
  [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    (status) => status.name === name,
  );

/** Why the pod says that a container waits. */
export const waitingReason = (pod: Pod, name = 'app'): string | undefined =>
  statusOf(pod, name)?.state?.waiting?.reason;
