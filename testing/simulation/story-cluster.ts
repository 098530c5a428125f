// The cluster as a story has it: a client whose messages may be late, virtual time, and the programs to end and start.
// Invariant: nothing of the story is ever lost, so that what it asked for was done.
import type { Random } from '../../base/random.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { SUPERUSERS } from '../../api/rbac/evaluate.ts';
import type { Handler } from '../../api/wire/exchange.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import { applyAll } from '../cluster/apply.ts';
import type { FakeNode } from '../nodes/fake-node.ts';
import { Line, type LineRun } from './line.ts';
import type { Odd } from './odds.ts';
import { ProcessClock } from './process-clock.ts';
import type { Condition, SimulatedCluster } from './scenario.ts';

/** Default of `withinMs`. */
const UNTIL_WITHIN_MS = 60_000;

/** What a story needs of its run. */
export interface StoryRun extends LineRun {
  readonly server: Handler;
  randomFor(who: string): Random;
  /** May this befall messages of the story and of the cluster's own parts? */
  befallsOthers(odd: Odd): boolean;
  readonly nodes: readonly FakeNode[];
  /** Resolves once the condition holds; rejects after so long. */
  until(condition: Condition, withinMs: number): Promise<void>;
  crash(program: string): void;
  start(program: string): void;
}

/** Makes the cluster for one story. */
export function storyCluster(run: StoryRun): SimulatedCluster {
  const clock = new ProcessClock(run.agenda);
  const end = {
    name: 'story',
    isDead: false,
    pausedUntil: 0,
    allows: (odd: Odd) => run.befallsOthers(odd),
    befall: () => undefined,
  };
  const line = new Line(run, end, run.server);
  const user = { username: 'admin', groups: [SUPERUSERS, 'system:authenticated'] };
  const options = { userAgent: 'story', clock };
  const transport = createInProcessTransport(line.handler, user, options);
  const client: Client = createClient(transport, { fieldManager: 'story' });
  return {
    client,
    clock,
    random: run.randomFor('story'),
    nodes: run.nodes,
    apply: (...objects): Promise<KubeObject[]> => applyAll(client, objects),
    sleep: (ms) => clock.sleep(ms),
    until: (condition, { withinMs = UNTIL_WITHIN_MS } = {}) => run.until(condition, withinMs),
    crash: (program) => run.crash(program),
    start: (program) => run.start(program),
  };
}
