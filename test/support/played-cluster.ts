// A whole cluster on virtual time with fake nodes: API server, every controller, scheduler, nodes.
// Invariant: nothing in it moves but by the clock that it shows.
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createApiServer } from '../../apiserver/api-server.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import { builtInControllers } from '../../controllers/all.ts';
import { controllersProgram, schedulerProgram } from '../../testing/cluster/built-in-programs.ts';
import { FakeNodeDialer } from '../../testing/nodes/fake-node-dialer.ts';
import { FakeNodePool } from '../../testing/nodes/fake-node-pool.ts';
import type { LivesOf } from '../../testing/nodes/pod-life.ts';

/** How it is made. */
export interface PlayedClusterOptions {
  readonly seed?: number;
  readonly lives?: LivesOf;
  /** Without them nothing is scheduled, evicted or made ready but by the test. */
  readonly programs?: boolean;
}

/** A running one. */
export interface PlayedCluster {
  readonly client: Client;
  readonly clock: VirtualClock;
  readonly pool: FakeNodePool;
  /** Listens on a port of its own where a test asks for it. */
  readonly server: Awaited<ReturnType<typeof createApiServer>>;
  close(): Promise<void>;
}

/** Starts it, without nodes. */
export async function aPlayedCluster(options: PlayedClusterOptions = {}): Promise<PlayedCluster> {
  const { seed = 1, lives, programs = true } = options;
  const clock = new VirtualClock();
  const logger = silentLogger;
  const randomFor = (who: string) => seededRandom(seed * 1000 + who.length);
  const storage = createMemoryStorage({ clock, logger });
  const dialer = new FakeNodeDialer();
  const server = await createApiServer({
    storage,
    clock,
    logger,
    random: randomFor('s'),
    serviceCidr: '10.96.0.0/16',
    nodeDialer: dialer,
  });
  const clientOf = (username: string, ...groups: string[]) => {
    const user = { username, groups: [...groups, 'system:authenticated'] };
    return createClient(createInProcessTransport(server.handler, user, { clock }));
  };
  const ending = new AbortController();
  const parts = { clock, signal: ending.signal, onSynced: () => undefined };
  const controllers = builtInControllers({ caCertificate: 'nobody checks certificates here' });
  const run = programs
    ? [
        controllersProgram(controllers, { random: randomFor('co'), logger })({
          ...parts,
          client: clientOf('system:kube-controller-manager'),
        }),
        schedulerProgram({ random: randomFor('sch'), logger })({
          ...parts,
          client: clientOf('system:kube-scheduler'),
        }),
      ]
    : [];
  const pool = new FakeNodePool({ clock, logger, randomFor, clientOf, dialer, lives });
  const close = async () => {
    await pool.close();
    ending.abort(new Error('the test is over'));
    await Promise.all(run);
    await server.close();
    await storage.close();
  };
  return { client: clientOf('admin', 'system:masters'), clock, pool, server, close };
}
