// A node without a machine: the real agent over a runtime that plays containers, a host in memory and a connection that can be cut.
// Invariants: containers outlive the agent, and nothing outlives the node's power; once the node is stopped no timer of it is left.
import type { Pod } from '../../api/generated/types.ts';
import { Pods } from '../../api/kinds.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createNodeAgent, type NodeAgent } from '../../kubelet/agent.ts';
import { MemoryHost } from '../../kubelet/host/memory/memory-host.ts';
import type { MemoryManifests } from '../../kubelet/host/memory/memory-manifests.ts';
import type { MemoryUsage } from '../../kubelet/host/memory/memory-usage.ts';
import { FakeImageStore } from '../../kubelet/runtime/fake/fake-images.ts';
import { FakePodNetwork } from '../../kubelet/runtime/fake/fake-network.ts';
import { FakeRuntime } from '../../kubelet/runtime/fake/fake-runtime.ts';
import { MortalClock } from '../cluster/mortal-clock.ts';
import type { FakeNodeDialer } from './fake-node-dialer.ts';
import { LifeProbes } from './life-probes.ts';
import { type Loss, NodeLink } from './node-link.ts';
import type { ResolvedNode } from './options.ts';
import { PlayedLives } from './played-lives.ts';
import type { PodCensus } from './pod-census.ts';

/** What a node is made from. */
export interface FakeNodeParts {
  readonly node: ResolvedNode;
  /** The node's own way in. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly dialer: FakeNodeDialer;
  readonly census: PodCensus;
  /** Wall time that loads of lives count from. */
  readonly epochMs: number;
}

const CLUSTER_DNS = '10.96.0.10';
const CLUSTER_DOMAIN = 'cluster.local';
/** A played runtime loses no event: looking again is for what the agent itself may have missed. */
const RELIST_MS = 300_000;

/** One life of the agent. */
interface AgentRun {
  readonly agent: NodeAgent;
  readonly link: NodeLink;
  readonly clock: MortalClock;
  readonly ending: AbortController;
  readonly pods: Informer<Pod>;
  readonly registered: Promise<void>;
  /** Resolves when it has come to rest. */
  readonly over: Promise<void>;
}

/** A node of a test cluster. */
export class FakeNode {
  readonly name: string;
  /** Where tests make containers crash, lose sandboxes, and see what runs. */
  readonly runtime: FakeRuntime;
  /** Images that are there already need no pull. */
  readonly images: FakeImageStore;
  readonly #parts: FakeNodeParts;
  readonly #host: MemoryHost;
  readonly #network: FakePodNetwork;
  #run: AgentRun | undefined;
  #loss: Loss | undefined;

  /** Nothing happens before `start`. */
  constructor(parts: FakeNodeParts) {
    const { node, clock, census, epochMs } = parts;
    const lives = new PlayedLives({
      ...node,
      epochMs,
      podAt: (namespace, name) => this.#run?.pods.get(`${namespace}/${name}`),
      readyBeside: (pod) => census.readyBeside(pod),
    });
    this.name = node.name;
    this.#parts = parts;
    this.images = new FakeImageStore({
      clock,
      pullOf: (image, request) => lives.pullOf(image, request),
    });
    const probes = new LifeProbes(clock, (id) => lives.find(this.runtime, id));
    this.#host = new MemoryHost({ facts: node.facts, probes });
    this.#network = new FakePodNetwork(node.podCidr.split('.').slice(0, 3).join('.'));
    this.runtime = new FakeRuntime({
      clock,
      images: this.images,
      logs: this.#host.logs,
      lifeOf: (config, sandbox) => lives.lifeOf(config, sandbox),
    });
  }

  /** What of the node is in use, and by its pods on disks: nothing, until something is played. */
  get usage(): MemoryUsage {
    return this.#host.usage;
  }

  /** Static pods, where staticPodPath is set: put() plays a file of its directory. */
  get manifests(): MemoryManifests {
    return this.#host.manifests;
  }

  /** Is its agent there? */
  get isUp(): boolean {
    return this.#run !== undefined;
  }

  /** Resolves once the API has the Node as its agent tells it. Never while it has none. */
  get registered(): Promise<void> {
    return this.#run?.registered ?? new Promise(() => undefined);
  }

  /** Resolves when the agent of now has come to rest; at once while there is none. */
  get done(): Promise<void> {
    return this.#run?.over ?? Promise.resolve();
  }

  /** Starts the agent: the node's first one, or the one after crash() or stop(). Does nothing while there is one. */
  async start(): Promise<void> {
    if (this.#run) return;
    const { client, clock, random, logger, node } = this.#parts;
    const link = new NodeLink(client.transport);
    if (this.#loss) link.lose(this.#loss);
    const own = new MortalClock(clock);
    const ending = new AbortController();
    const doors = { client: createClient(link), clock: own, random, logger };
    const informers = createInformerFactory(doors);
    const agent = createNodeAgent({
      ...doors,
      informers,
      nodeName: node.name,
      nodeIp: node.ip,
      runtime: this.runtime,
      images: this.images,
      network: this.#network,
      host: this.#host,
      clusterDns: CLUSTER_DNS,
      clusterDomain: CLUSTER_DOMAIN,
      podCidr: node.podCidr,
      labels: node.labels,
      taints: node.taints,
      configuration: node.configuration,
      figuresPeriodMs: node.figuresPeriodMs,
      heartbeatMs: node.heartbeatMs,
      relistMs: RELIST_MS,
      serve: this.#parts.dialer.serving(node.ip, () => this.#run !== undefined && !this.#loss),
    });
    const pods = informers.informer(Pods, { fieldSelector: `spec.nodeName=${node.name}` });
    const over = agent.done.then(() => informers.finished());
    this.#run = { agent, link, clock: own, ending, pods, registered: agent.registered, over };
    informers.start(ending.signal);
    await agent.start(ending.signal);
  }

  /**
   * Ends the node in order: its pods within shutdownGracePeriod, where its configuration gives them one, then the agent says its last words,
   * and the power goes.
   */
  async stop(): Promise<void> {
    await this.#run?.agent.shutDown();
    await this.#end();
    this.runtime.losePower();
  }

  /** The power goes: agent and containers are gone at once, and nothing is written any more. `start` brings the node back. */
  async crash(): Promise<void> {
    this.runtime.losePower();
    this.#run?.link.lose('fail');
    await this.#end();
  }

  /** The agent dies as by `kill -9` and another one starts, which finds the containers again; they have not noticed. */
  async restartAgent(): Promise<void> {
    this.#run?.link.lose('fail');
    await this.#end();
    await this.start();
  }

  /** Cuts the node off from the API server: packets vanish, or (`fail`) are refused at once. Containers run on. */
  partition(loss: Loss = 'hang'): void {
    this.#loss = loss;
    this.#run?.link.lose(loss);
  }

  /** Gives the connection back. */
  heal(): void {
    this.#loss = undefined;
    this.#run?.link.heal();
  }

  async #end(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    if (!run) return;
    run.ending.abort(new Error(`the node ${this.name} ends`));
    // A connection that hangs would keep the agent's last words waiting.
    if (this.#loss) run.link.lose('fail');
    await run.over;
    run.clock.die();
  }
}
