// The fake nodes of one cluster: numbered, with addresses of their own, ended together.
// Invariant: after `close` nothing of any node is left.
import { SUPERUSERS } from '../../api/rbac/evaluate.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { Client } from '../../client/rest/client.ts';
import { FakeNode } from './fake-node.ts';
import type { FakeNodeDialer } from './fake-node-dialer.ts';
import { type FakeNodeOptions, resolveNode } from './options.ts';
import { PodCensus } from './pod-census.ts';
import type { LivesOf } from './pod-life.ts';

/** What nodes need of their cluster. */
export interface FakeNodePoolOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Randomness of one part, by its name. */
  randomFor(who: string): Random;
  /** The client of a user. */
  clientOf(username: string, ...groups: string[]): Client;
  /** The one that the API server was given. */
  readonly dialer: FakeNodeDialer;
  /** What containers do on nodes that say nothing of their own. */
  readonly lives?: LivesOf | undefined;
}

/** The nodes. */
export class FakeNodePool {
  readonly nodes: FakeNode[] = [];
  readonly #options: FakeNodePoolOptions;
  readonly #census: PodCensus;
  readonly #epochMs: number;

  constructor(options: FakeNodePoolOptions) {
    const { clock, logger } = options;
    this.#options = options;
    this.#epochMs = clock.now();
    this.#census = new PodCensus({
      client: options.clientOf('fake-nodes', SUPERUSERS),
      clock,
      random: options.randomFor('fake-nodes'),
      logger,
    });
  }

  /** Adds a node and starts it; resolves once its agent works. When the API has it, `registered` tells. */
  async add(options: FakeNodeOptions = {}): Promise<FakeNode> {
    const { clock, logger, dialer, lives } = this.#options;
    const node = resolveNode({ ...(lives && { lives }), ...options }, this.nodes.length + 1);
    const { name } = node;
    if (this.nodes.some((each) => each.name === name))
      throw new Error(`there is a fake node ${name} already`);
    const added = new FakeNode({
      node,
      client: this.#options.clientOf(`system:node:${name}`, 'system:nodes'),
      clock,
      random: this.#options.randomFor(name),
      logger: logger.child({ node: name }),
      dialer,
      census: this.#census,
      epochMs: this.#epochMs,
    });
    this.nodes.push(added);
    await added.start();
    return added;
  }

  /** Stops all nodes. */
  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.#census.close();
  }
}
