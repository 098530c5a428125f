// The fake nodes of a run: real agents over played containers, each with a line of its own to the server.
// Invariant: messages of nodes are late at worst, never lost, but for those of a node that is cut off or without power: by the story, or
// by choice where the scenario permits it.
import { silentLogger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { Handler } from '../../api/wire/exchange.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import type { FakeNode } from '../nodes/fake-node.ts';
import type { FakeNodeDialer } from '../nodes/fake-node-dialer.ts';
import { FakeNodePool } from '../nodes/fake-node-pool.ts';
import { Line, type LineRun } from './line.ts';
import type { Odd } from './odds.ts';
import { ProcessClock } from './process-clock.ts';
import type { Scenario } from './scenario.ts';

/** What nodes need of their run. */
export interface NodesRun extends LineRun {
  readonly server: Handler;
  randomFor(who: string): Random;
  /** May this befall messages of the story and of the cluster's own parts? */
  befallsOthers(odd: Odd): boolean;
  /** Something went wrong that nobody meant to. */
  found(text: string, detail: string): void;
}

/** The nodes of one run. */
export class SimulatedNodes {
  readonly #run: NodesRun;
  readonly #pool: FakeNodePool;
  readonly #lines: Line[] = [];
  readonly #clock: ProcessClock;
  readonly #mayFail: boolean;

  constructor(run: NodesRun, dialer: FakeNodeDialer, scenario: Pick<Scenario, 'lives' | 'faults'>) {
    const { lives, faults } = scenario;
    this.#run = run;
    this.#mayFail = faults?.nodes ?? false;
    this.#clock = new ProcessClock(run.agenda);
    this.#pool = new FakeNodePool({
      clock: this.#clock,
      logger: silentLogger,
      dialer,
      lives,
      randomFor: (who) => run.randomFor(who),
      clientOf: (username, ...groups) => this.#clientOf(username, groups),
    });
  }

  /** Those that there are. */
  get all(): readonly FakeNode[] {
    return this.#pool.nodes;
  }

  /** Starts them; resolves once their agents work. */
  async start(nodes: Scenario['nodes'] = 0): Promise<void> {
    const each = typeof nodes === 'number' ? Array.from({ length: nodes }, () => ({})) : nodes;
    await Promise.all(each.map((options) => this.#pool.add(options)));
  }

  /** Ends them for good: nothing that they say any more is heard. */
  close(): void {
    for (const line of this.#lines) line.cut();
    // It waits for last words, which nobody hears; what it lets go of, it does at once.
    this.#pool.close().catch(() => undefined);
  }

  /** The node loses power and comes back, or is cut off and healed. */
  #befall(name: string, odd: Odd): void {
    const node = this.#pool.nodes.find((each) => each.name === name);
    if (!node) return;
    const { agenda } = this.#run;
    const failed = (error: unknown) => this.#run.found(`the node ${name} failed`, String(error));
    if (odd.kind === 'pause') {
      node.partition();
      agenda.at(agenda.now + odd.ms, () => node.heal());
    } else if (odd.kind === 'crash') {
      node.crash().catch(failed);
      agenda.at(agenda.now + odd.ms, () => void node.start().catch(failed));
    }
  }

  #clientOf(username: string, groups: readonly string[]): Client {
    const run = this.#run;
    const name = username.replace(/^system:node:/, '');
    const end = {
      name,
      isDead: false,
      pausedUntil: 0,
      allows: (odd: Odd) => run.befallsOthers(odd) || (this.#mayFail && isOfNodes(odd)),
      befall: (odd: Odd) => this.#befall(name, odd),
    };
    const line = new Line(run, end, run.server);
    this.#lines.push(line);
    const user = { username, groups: [...groups, 'system:authenticated'] };
    const options = { userAgent: name, clock: this.#clock };
    return createClient(createInProcessTransport(line.handler, user, options));
  }
}

/** What befalls a process befalls a node's machine; its clock is the cluster's. */
const isOfNodes = ({ kind }: Odd): boolean => kind === 'crash' || kind === 'pause';
