// Keeps the Node object: made or taken over at the start, its status told at once when it changes and now and then when not.
// Invariant: never gives up; a Node that somebody deleted is made again.
import { backoffDelay } from '../../base/backoff.ts';
import type { Node, NodeStatus } from '../../api/generated/types.ts';
import { Nodes } from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { isAlreadyExists, isNotFound } from '../../api/status.ts';
import type { NodeAgentOptions } from '../options.ts';
import { newNode, nodeLabels, type NodeObjectFacts, nodeStatus } from './node-object.ts';

/** How often the status is looked at. */
const LOOK_MS = 10_000;
/** How often it is told without a change: the Lease is the heartbeat. */
const REPORT_MS = 300_000;
const RETRY = { initialMs: 200, maxMs: 7_000, jitter: 0.3 };

/** Reports one node. */
export class NodeReporter {
  readonly #options: NodeAgentOptions;
  readonly #facts: () => Promise<NodeObjectFacts>;
  #toldAtMs = -Infinity;
  #told: NodeStatus | undefined;

  /** `facts` is asked before each report. */
  constructor(options: NodeAgentOptions, facts: () => Promise<NodeObjectFacts>) {
    this.#options = options;
    this.#facts = facts;
  }

  /** Registers the node, trying until it is done, then reports until the signal aborts. Never rejects. */
  async run(signal: AbortSignal, onRegistered: () => void): Promise<void> {
    const { clock, random, logger } = this.#options;
    let registered = false;
    for (let failures = 0; !signal.aborted; ) {
      let pause = LOOK_MS;
      try {
        if (!registered) await this.#register(signal);
        await this.#report(signal);
        if (!registered) onRegistered();
        registered = true;
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (isNotFound(error)) registered = false;
        if (failures === 2) logger.warn('the node cannot be reported yet', { err: error });
        pause = backoffDelay(failures++, RETRY, random);
      }
      await clock.sleep(pause, signal).catch(() => undefined);
    }
  }

  async #register(signal: AbortSignal): Promise<void> {
    const facts = await this.#facts();
    const nodes = this.#options.client.resource(Nodes);
    this.#told = undefined;
    try {
      const status = nodeStatus(facts, undefined);
      const made: Node = { ...newNode(facts), status };
      await nodes.create(made, { signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const body = { metadata: { labels: nodeLabels(facts) }, spec: newNode(facts).spec };
      await nodes.patch({ name: facts.name }, { type: 'strategic', body }, { signal });
    }
  }

  async #report(signal: AbortSignal): Promise<void> {
    const facts = await this.#facts();
    const { clock, client } = this.#options;
    const next = nodeStatus(facts, this.#told);
    const due = clock.monotonic() - this.#toldAtMs >= REPORT_MS;
    if (!due && this.#told && deepEqual(timeless(this.#told), timeless(next))) return;
    const status = this.#told ? next : { ...next, ...(await this.#before(facts, signal)) };
    await client
      .resource(Nodes)
      .patch(
        { name: facts.name },
        { type: 'strategic', body: { status } },
        { subresource: 'status', signal },
      );
    this.#told = status;
    this.#toldAtMs = clock.monotonic();
  }

  /** Conditions told by this agent's predecessor, so that transition times are true. */
  async #before(
    facts: NodeObjectFacts,
    signal: AbortSignal,
  ): Promise<Pick<NodeStatus, 'conditions'>> {
    const node = await this.#options.client.resource(Nodes).get({ name: facts.name }, { signal });
    const { conditions } = nodeStatus(facts, node.status);
    return { conditions };
  }
}

function timeless(status: NodeStatus): NodeStatus {
  const conditions = (status.conditions ?? []).map(({ type, status: value, reason, message }) => ({
    type,
    status: value,
    reason,
    message,
  }));
  return { ...status, conditions };
}
