// A whole cluster in this process: API server on a store in memory, built-in controllers, scheduler, and the programs under test.
// Invariant: clusters share nothing but the process; close() leaves no timer, handle or file of its cluster.
import { breathe } from '../../base/breathe.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { SUPERUSERS } from '../../api/rbac/evaluate.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { type ApiServer, createApiServer } from '../../apiserver/api-server.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import type { Storage } from '../../apiserver/storage/storage.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import type { LeaderElection } from '../../controllers/framework/manager.ts';
import type { ControllerFactory } from '../../controllers/framework/reconciler.ts';
import { applyAll } from './apply.ts';
import { type ListeningCluster, listenOn } from './listen.ts';
import { controllersProgram, schedulerProgram } from './built-in-programs.ts';
import type { FakeNode } from '../nodes/fake-node.ts';
import { FakeNodeDialer } from '../nodes/fake-node-dialer.ts';
import { FakeNodePool } from '../nodes/fake-node-pool.ts';
import type { FakeNodeOptions } from '../nodes/options.ts';
import { type ResolvedOptions, resolveOptions, type TestClusterOptions } from './options.ts';
import { type ProgramParts, type RunningProgram, startProgram } from './program.ts';
import { stopAll, type StoppableProgram } from './stop-all.ts';

const SERVICE_CIDR = '10.96.0.0/16';

/** How a program of controllers is run. */
export interface RunOptions {
  /** In logs, as the field manager of what it writes, and as `who` of the cluster's `transport`; `program-1` and so on unless given. */
  readonly name?: string;
  /** Works only while it holds this Lease. */
  readonly leaderElection?: LeaderElection;
  /** Its controllers read objects of these namespaces alone; of all unless given. */
  readonly namespaces?: readonly string[];
  /** Who it is; an administrator unless given. */
  readonly client?: Client;
}

/** A client that tells its cluster's clock, so that waits (`eventually`) move virtual time on. */
export interface TestClient extends Client {
  readonly clock: Clock;
}

/** A running cluster. */
export interface TestCluster extends AsyncDisposable {
  /** An administrator's client. Answers of it are frozen. */
  readonly client: TestClient;
  readonly clock: Clock;
  readonly random: Random;
  /** What the cluster's randomness comes from; undefined where it is the host's. */
  readonly seed: number | undefined;
  readonly logger: Logger;
  /** A client of another identity, held to RBAC as any other. */
  as(username: string, ...groups: string[]): TestClient;
  /**
   * Applies objects, or YAML texts of one or several documents, on the server, one after the other; takes over fields of other managers.
   * Namespaced objects that name no namespace go to `default`. A definition of custom resources is served once this resolves.
   */
  apply(...objects: readonly (object | string)[]): Promise<KubeObject[]>;
  /** Runs a program of controllers in the cluster until it is stopped, crashes, or the cluster closes. */
  run(controllers: readonly ControllerFactory[], options?: RunOptions): RunningProgram;
  /** The cluster's fake nodes. */
  readonly nodes: readonly FakeNode[];
  /** Adds a fake node; resolves once its agent works. It is registered soon after (`registered`). */
  addNode(options?: FakeNodeOptions): Promise<FakeNode>;
  /**
   * A real HTTPS port on 127.0.0.1 for other processes, such as kubectl, and for clients of other makes. Made at the first call, the same at
   * each; until the cluster closes.
   */
  listen(): Promise<ListeningCluster>;
  /** Moves the cluster's virtual time on, firing what falls due in order. Throws an Error where the clock is the host's. */
  advance(ms: number): Promise<void>;
  /** Resolves when nothing is left to do at this moment of virtual time. Throws an Error where the clock is the host's. */
  settled(): Promise<void>;
  /**
   * Stops every program, then the server. Rejects, when all that is done, with what a program ended by, if that was a fault, and for a
   * program that had not stopped within CLOSE_PATIENCE_MS.
   */
  close(): Promise<void>;
}

/** Starts a cluster; resolves when the API answers. Its programs fill their caches, and its nodes register, from then on. */
export async function startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const resolved = resolveOptions(options);
  const { clock, logger } = resolved;
  const storage = createMemoryStorage({ clock, logger });
  const random = resolved.randomFor('server');
  const dialer = new FakeNodeDialer();
  const server = await createApiServer({
    storage,
    clock,
    random,
    logger,
    serviceCidr: SERVICE_CIDR,
    nodeDialer: dialer,
  });
  const cluster = new InProcessCluster(resolved, { server, storage, dialer });
  try {
    await Promise.all(resolved.nodes.map((node) => cluster.addNode(node)));
    return cluster;
  } catch (error) {
    // Nobody else can: the cluster is never seen.
    await cluster.close().catch(() => undefined);
    throw error;
  }
}

interface ServerParts {
  readonly server: ApiServer;
  readonly storage: Storage;
  readonly dialer: FakeNodeDialer;
}

class InProcessCluster implements TestCluster {
  readonly client: TestClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly seed: number | undefined;
  readonly logger: Logger;
  readonly #options: ResolvedOptions;
  readonly #server: ApiServer;
  readonly #storage: Storage;
  readonly #pool: FakeNodePool;
  readonly #programs: RunningProgram[] = [];
  #listening: ReturnType<typeof listenOn> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedOptions, { server, storage, dialer }: ServerParts) {
    const { clock, seed, logger, lives } = options;
    this.clock = clock;
    this.seed = seed;
    this.logger = logger;
    this.random = options.randomFor('test');
    this.#options = options;
    this.#server = server;
    this.#storage = storage;
    this.client = this.as('admin', SUPERUSERS);
    this.#pool = new FakeNodePool({
      clock,
      logger,
      dialer,
      lives,
      randomFor: (who) => options.randomFor(who),
      clientOf: (username, ...groups) => this.as(username, ...groups),
    });
    if (options.controllers.length > 0)
      this.#start('controllers', this.#builtIn('kube-controller-manager', 'controllers'), (doors) =>
        controllersProgram(options.controllers, doors),
      );
    if (options.scheduler)
      this.#start('scheduler', this.#builtIn('kube-scheduler', 'scheduler'), schedulerProgram);
  }

  as(username: string, ...groups: string[]): TestClient {
    return this.#clientOf({ username, groups: [...groups, 'system:authenticated'] }, username);
  }

  apply(...objects: readonly (object | string)[]): Promise<KubeObject[]> {
    return applyAll(this.client, objects);
  }

  run(controllers: readonly ControllerFactory[], options: RunOptions = {}): RunningProgram {
    const { leaderElection, namespaces } = options;
    const name = options.name ?? `program-${this.#programs.length}`;
    const client = options.client ?? this.as(name, SUPERUSERS);
    return this.#start(name, client, (doors) =>
      controllersProgram(controllers, { ...doors, leaderElection, namespaces }),
    );
  }

  get nodes(): readonly FakeNode[] {
    return this.#pool.nodes;
  }

  async addNode(options: FakeNodeOptions = {}): Promise<FakeNode> {
    this.#refuseIfClosed('it takes no more nodes');
    return this.#pool.add(options);
  }

  listen(): Promise<ListeningCluster> {
    this.#refuseIfClosed('it cannot listen');
    this.#listening ??= listenOn(this.#server, SUPERUSERS);
    return this.#listening;
  }

  advance(ms: number): Promise<void> {
    return this.#virtual('advance').advance(ms);
  }

  settled(): Promise<void> {
    return this.#virtual('settled').settled();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #start(
    name: string,
    client: Client,
    runOf: (doors: { random: Random; logger: Logger }) => (parts: ProgramParts) => Promise<void>,
  ): RunningProgram {
    this.#refuseIfClosed('nothing more can be run in it');
    const doors = {
      random: this.#options.randomFor(name),
      logger: this.logger.child({ part: name }),
    };
    const program = startProgram({ name, clock: this.clock, client, run: runOf(doors) });
    program.done.catch((error: unknown) => doors.logger.error('a program ended', { err: error }));
    this.#programs.push(program);
    return program;
  }

  #builtIn(component: string, who: string): Client {
    const user = { username: `system:${component}`, groups: ['system:authenticated'] };
    return this.#clientOf(user, who, component);
  }

  #clientOf(user: UserInfo, who: string, userAgent = who): TestClient {
    const { clock } = this;
    const inner = createInProcessTransport(this.#server.handler, user, { userAgent, clock });
    const transport = this.#options.transport(inner, who);
    return { ...createClient(transport, { fieldManager: userAgent }), clock };
  }

  #virtual(what: string): VirtualClock {
    if (this.clock instanceof VirtualClock) return this.clock;
    throw new Error(
      `${what}() needs a virtual clock: startCluster({ clock: 'virtual' }); with the host's clock, wait for what you expect (eventually)`,
    );
  }

  #refuseIfClosed(what: string): void {
    if (this.#closed) throw new Error(`the cluster is closed: ${what}`);
  }

  async #close(): Promise<void> {
    const faults = await stopAll([...this.#programs, asProgram(this.#pool)], this.clock);
    const listening = await this.#listening?.catch(() => undefined);
    await this.#server.close();
    await listening?.close();
    await this.#storage.close();
    // What the runtime keeps for the turn that is going on, such as targets of weak references, goes with it.
    await breathe();
    if (faults.length > 1) throw new AggregateError(faults, 'several programs ended by faults');
    for (const fault of faults) throw fault;
  }
}

/** The nodes as something that stops with the cluster's programs. */
const asProgram = (pool: FakeNodePool): StoppableProgram => ({
  name: 'fake nodes',
  stop: () => pool.close(),
  async crash() {
    for (const node of pool.nodes) node.partition('fail');
  },
});
