// Keeps the Node object: made or taken over at the start, its status told when the API has another, and now and then when not.
// Invariants: never gives up; a Node that somebody deleted is made again, and a status that somebody changed is told again.
import { backoffDelay } from '../../base/backoff.ts';
import type { Node } from '../../api/generated/types.ts';
import { Nodes } from '../../api/kinds.ts';
import { isAlreadyExists, isNotFound } from '../../api/status.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { NodeAgentOptions } from '../options.ts';
import { covers, statusPatch } from '../status-patch.ts';
import { newNode, nodeLabels, type NodeObjectFacts, nodeStatus } from './node-object.ts';

/** How often the facts are looked at; a change of the Node in the API is seen at once. */
const LOOK_MS = 10_000;
/** How often it is told without a change: the Lease is the heartbeat. */
const REPORT_MS = 300_000;
const RETRY = { initialMs: 200, maxMs: 7_000, jitter: 0.3 };
/** Differences that are not worth a report. */
const TIMES = ['lastHeartbeatTime', 'lastTransitionTime'];

/** Reports one node. */
export class NodeReporter {
  readonly #options: NodeAgentOptions;
  readonly #facts: () => Promise<NodeObjectFacts>;
  readonly #informer: Informer<Node>;
  #reportedAtMs = -Infinity;
  /** Ends the pause between two looks. */
  #wake = new AbortController();

  /** `facts` is asked before each report. */
  constructor(options: NodeAgentOptions, facts: () => Promise<NodeObjectFacts>) {
    this.#options = options;
    this.#facts = facts;
    const only = { fieldSelector: `metadata.name=${options.nodeName}` };
    this.#informer = options.informers.informer(Nodes, only);
  }

  /** Registers the node, trying until it is done, then reports until the signal aborts. Never rejects. */
  async run(signal: AbortSignal, onRegistered: () => void): Promise<void> {
    const { clock, random, logger, nodeName } = this.#options;
    const look = () => this.#wake.abort();
    const unsubscribe = this.#informer.subscribe({ onUpdate: look, onDelete: look });
    let registered = false;
    for (let failures = 0; !signal.aborted; ) {
      let pause = LOOK_MS;
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
      const awake = pause === LOOK_MS ? AbortSignal.any([signal, this.#wake.signal]) : signal;
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
      return this.#saw(await nodes.create(made, { signal }));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const body = { metadata: { labels: nodeLabels(facts) }, spec: newNode(facts).spec };
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
    this.#saw(await client.resource(Nodes).patch({ name: facts.name }, patch, options));
    this.#reportedAtMs = clock.monotonic();
  }

  /** So that no later look compares with an older state. */
  #saw(node: Node): Node {
    this.#informer.observeWrite(node);
    return node;
  }
}
