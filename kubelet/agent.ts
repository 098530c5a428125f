// The node agent: turns the pods that are assigned to this node into containers, and tells the API what became of them.
// Invariants: ends without touching a container; started again, it goes on with what runs.
import { ClientEventRecorder } from '../client/events/recorder.ts';
import { type KubeletConfiguration, resolveConfiguration } from './configuration.ts';
import { NodeExtensions } from './extensions/node-extensions.ts';
import { rotationLimits } from './logs/pod-logs.ts';
import { keepLogsSmall } from './logs/rotation.ts';
import { limitsOfAllPods, nodeFactsOf } from './node/node-capacity.ts';
import { keepNodeLease } from './node/node-lease.ts';
import type { HostFacts } from './node/host-facts.ts';
import type { NodeObjectFacts } from './node/node-object.ts';
import { NodeReporter } from './node/node-reporter.ts';
import { makeNodePods, type NodePods } from './node-pods.ts';
import type { NodeAgentOptions } from './options.ts';
import type { NodeFacts } from './pods/worker-parts.ts';
import type { NodeServer } from './server/node-requests.ts';
import { AgentFigures } from './stats/agent-figures.ts';
import { countedRuntime } from './stats/counted-runtime.ts';
import { nodeShown } from './stats/node-shown.ts';
import { Sampler } from './stats/sampler.ts';

/** The API level that this agent serves, as nodes show it. */
const AGENT_VERSION = 'v1.36.0+pinnace';

/** A node agent. */
export interface NodeAgent {
  /** Begins; resolves once the server listens and the work has begun. Rejects when the port is taken. */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves once the API has the Node as this agent tells it; never when that never comes. */
  readonly registered: Promise<void>;
  /**
   * The node is about to go: ends its pods in order, within shutdownGracePeriod, and takes no more. Resolves when that is over, at once
   * where the period is zero. The agent itself goes on until its signal aborts.
   */
  shutDown(): Promise<void>;
  /** Resolves when everything has come to rest after the signal; containers run on. */
  readonly done: Promise<void>;
  /** Where the server listens; undefined without one. */
  readonly port: number | undefined;
}

/** Makes an agent; nothing happens before `start`, which throws ConfigurationError for a configuration that cannot be honoured. */
export function createNodeAgent(options: NodeAgentOptions): NodeAgent {
  return new Agent(options);
}

class Agent implements NodeAgent {
  readonly #options: NodeAgentOptions;
  readonly #figures: AgentFigures;
  readonly #done = Promise.withResolvers<void>();
  readonly #registered = Promise.withResolvers<void>();
  #server: NodeServer | undefined;
  #pods: NodePods | undefined;
  #said: RuntimeSaid | undefined;

  constructor(options: NodeAgentOptions) {
    this.#figures = options.figures ?? new AgentFigures(options.clock);
    this.#options = { ...options, runtime: countedRuntime(options.runtime, this.#figures) };
    // Whoever starts an agent hears of failures; `done` may be listened to or not.
    this.#done.promise.catch(() => undefined);
  }

  get registered(): Promise<void> {
    return this.#registered.promise;
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  get port(): number | undefined {
    return this.#server?.port;
  }

  shutDown(): Promise<void> {
    return this.#pods?.shutdown.run() ?? Promise.resolve();
  }

  async start(signal: AbortSignal): Promise<void> {
    const options = this.#options;
    const host = options.host.prepare();
    const configuration = resolveConfiguration(options.configuration);
    const extensions = new NodeExtensions(options.extensions ?? [], options.host.grantNotes);
    const extended = () => extensions.resources();
    const node = { ...nodeFactsOf(host, configuration), extended };
    const component = { component: 'kubelet', host: options.nodeName };
    const events = new ClientEventRecorder({ ...options, ...component });
    const pods = makeNodePods(options, {
      configuration,
      host,
      node,
      events,
      extensions,
      figures: this.#figures,
      ending: signal,
      onChange: () => reporter.look(),
    });
    this.#pods = pods;
    const facts = () => this.#facts({ host, node, pods });
    const reporter = new NodeReporter(options, { facts, events });
    extensions.watch(() => reporter.look(), signal);
    const { manager, statuses } = pods;
    const sampler = new Sampler(options, (uid) => {
      const metadata = manager.get(uid)?.metadata;
      return metadata && { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
    });
    await this.#serve({ host, node, pods }, { configuration, sampler });
    signal.addEventListener('abort', () => statuses.close(), { once: true });
    await options.runtime.limitPods?.(limitsOfAllPods(host, configuration));
    // Before anything is taken for what a former pod has left.
    await pods.staticPods.read();
    pods.staticPods.run(signal);
    pods.mirrors.run(signal);
    const running = Promise.all([
      manager.run(),
      events.run(signal),
      reporter.run(signal, () => {
        options.logger.info('the node is registered');
        this.#registered.resolve();
      }),
      keepNodeLease(options, signal),
      sampler.run(signal),
      pods.collector.run(signal),
      pods.evictions.run(signal),
      keepLogsSmall(options, rotationLimits(configuration), signal),
    ]);
    running.then(() => this.#server?.close()).then(() => this.#done.resolve(), this.#done.reject);
  }

  async #serve({ host, pods: { manager } }: NodeParts, { configuration, sampler }: Asked) {
    const options = this.#options;
    const figures = this.#figures;
    this.#server = await options.serve?.({
      ...options,
      logs: options.host.logs,
      connect: (pod, port) => options.host.connect(pod, port),
      pods: {
        list: () => manager.list(),
        find: (namespace, name) => manager.find(namespace, name),
      },
      configuration,
      figures,
      measuredAtMs: () => sampler.measuredAtMs,
      shown: nodeShown({
        ...options,
        figures,
        version: AGENT_VERSION,
        usage: options.host.usage,
        facts: host,
        pods: () => manager.list(),
        sample: () => sampler.sample,
      }),
    });
  }

  /** What it said last, while it says nothing: that it is down is told by its problem. */
  async #runtimeSays(): Promise<RuntimeSaid> {
    const { images, runtime } = this.#options;
    try {
      const features = this.#said?.features ?? (await runtime.features?.());
      this.#said = { images: await images.list(), features };
    } catch (error) {
      this.#options.logger.warn('images and features of the runtime are not known', { err: error });
    }
    return this.#said ?? { images: [], features: undefined };
  }

  async #facts({ host, node, pods }: NodeParts): Promise<NodeObjectFacts> {
    const options = this.#options;
    const { name, version } = options.runtime.info;
    return {
      name: options.nodeName,
      ip: options.nodeIp,
      labels: options.labels ?? {},
      taints: options.taints ?? [],
      podCidr: options.podCidr,
      serverPort: this.#server?.port,
      host,
      node,
      runtimeVersion: `${name}://${version}`,
      agentVersion: AGENT_VERSION,
      ...(await this.#runtimeSays()),
      problem: pods.shutdown.hasBegun ? 'node is shutting down' : await options.runtime.problem?.(),
      pressures: pods.evictions.pressures,
      nowMs: options.clock.now(),
    };
  }
}

type RuntimeSaid = Pick<NodeObjectFacts, 'images' | 'features'>;

interface NodeParts {
  readonly host: HostFacts;
  readonly node: NodeFacts;
  readonly pods: NodePods;
}

/** What the server is asked for besides pods. */
interface Asked {
  readonly configuration: KubeletConfiguration;
  readonly sampler: Sampler;
}
