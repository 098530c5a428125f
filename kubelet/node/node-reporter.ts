// Keeps the Node object: made or taken over at the start, its status told when the API has another, and now and then when not.
// Invariants: never gives up; a Node that somebody deleted is made again, and a status that somebody changed is told again.
import { backoffDelay } from '../../base/backoff.ts';
import type { Node } from '../../api/generated/types.ts';
import { Nodes } from '../../api/kinds.ts';
import { isAlreadyExists, isNotFound } from '../../api/status.ts';
import type { EventNote } from '../../client/events/recorder.ts';
import type { Informer } from '../../client/informer/informer.ts';
import { HEARTBEAT_MS, type NodeAgentOptions } from '../options.ts';
import { covers, statusPatch } from '../status-patch.ts';
import { nodeNews, STARTING } from './node-news.ts';
import { newNode, nodeLabels, type NodeObjectFacts, nodeStatus, ownSpec } from './node-object.ts';

/** How often it is told without a change: the Lease is the heartbeat. */
const REPORT_MS = 300_000;
const RETRY = { initialMs: 200, maxMs: 7_000, jitter: 0.3 };
/** Differences that are not worth a report. */
const TIMES = ['lastHeartbeatTime', 'lastTransitionTime'];

/** Where events go. */
interface Events {
  event(about: Node, note: EventNote): void;
}

/** Reports one node. */
export class NodeReporter {
  readonly #options: NodeAgentOptions;
  readonly #facts: () => Promise<NodeObjectFacts>;
  readonly #events: Events;
  readonly #informer: Informer<Node>;
  #reportedAtMs = -Infinity;
  #hasStarted = false;
  /** Ends the pause between two looks. */
  #wake = new AbortController();

  /** `facts` is asked before each report; what changes is told by `events`. */
  constructor(
    options: NodeAgentOptions,
    { facts, events }: { facts: () => Promise<NodeObjectFacts>; events: Events },
  ) {
    this.#options = options;
    this.#facts = facts;
    this.#events = events;
    const only = { fieldSelector: `metadata.name=${options.nodeName}` };
    this.#informer = options.informers.informer(Nodes, only);
  }

  /** What the facts rest on has changed: the node is looked at now. */
  look(): void {
    this.#wake.abort();
  }

  /** Registers the node, trying until it is done, then reports until the signal aborts. Never rejects. */
  async run(signal: AbortSignal, onRegistered: () => void): Promise<void> {
    const { clock, random, logger, nodeName, heartbeatMs = HEARTBEAT_MS } = this.#options;
    const look = () => this.look();
    const unsubscribe = this.#informer.subscribe({ onUpdate: look, onDelete: look });
    let registered = false;
    for (let failures = 0; !signal.aborted; ) {
      // A change of the Node in the API is seen at once.
      let pause = heartbeatMs;
      this.#wake = new AbortController();
      try {
        const known = registered ? this.#informer.get(nodeName) : undefined;
        const node = known ?? (await this.#register(signal));
        await this.#report(node, signal);
        if (!registered) onRegistered();
        registered = true;
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        if (isNotFound(error)) registered = false;
        if (failures === 2) logger.warn('the node cannot be reported yet', { err: error });
        pause = backoffDelay(failures++, RETRY, random);
      }
      // A failure is not tried again any sooner for what happens meanwhile.
      const awake = pause === heartbeatMs ? AbortSignal.any([signal, this.#wake.signal]) : signal;
      await clock.sleep(pause, awake).catch(() => undefined);
    }
    unsubscribe();
  }

  /** The Node as the API has it then. */
  async #register(signal: AbortSignal): Promise<Node> {
    const facts = await this.#facts();
    const nodes = this.#options.client.resource(Nodes);
    try {
      const made = { ...newNode(facts), status: nodeStatus(facts, undefined) };
      const node = this.#saw(await nodes.create(made, { signal }));
      this.#tell(node, undefined);
      return node;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const body = { metadata: { labels: nodeLabels(facts) }, spec: ownSpec(facts) };
      const patch = { type: 'strategic', body } as const;
      return this.#saw(await nodes.patch({ name: facts.name }, patch, { signal }));
    }
  }

  async #report(node: Node, signal: AbortSignal): Promise<void> {
    const { clock, client } = this.#options;
    const facts = await this.#facts();
    const status = nodeStatus(facts, node.status);
    const due = clock.monotonic() - this.#reportedAtMs >= REPORT_MS;
    if (!due && covers(node.status ?? {}, status, TIMES)) return;
    const patch = { type: 'strategic', body: { status: statusPatch(status) } } as const;
    const options = { subresource: 'status', signal } as const;
    const told = this.#saw(
      await client.resource(Nodes).patch({ name: facts.name }, patch, options),
    );
    this.#reportedAtMs = clock.monotonic();
    this.#tell(told, node);
  }

  #tell(node: Node, before: Node | undefined): void {
    if (!this.#hasStarted) this.#events.event(node, STARTING);
    this.#hasStarted = true;
    const [was, is] = [before?.status?.conditions, node.status?.conditions];
    for (const note of nodeNews(this.#options.nodeName, was, is)) this.#events.event(node, note);
  }

  /** So that no later look compares with an older state. */
  #saw(node: Node): Node {
    this.#informer.observeWrite(node);
    return node;
  }
}
