// What a test cluster can be told, and what is meant where nothing is said.
// Invariant: with a virtual clock a cluster takes neither time nor randomness from the host.
import type { Clock } from '../../base/clock.ts';
import { systemClock } from '../../base/clock.ts';
import { type Logger, silentLogger } from '../../base/logger.ts';
import { type Random, seededRandom, seedFor, systemRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { Transport } from '../../client/transport/transport.ts';
import { namedControllers } from '../../controllers/all.ts';
import type { ControllerFactory } from '../../controllers/framework/reconciler.ts';
import type { FakeNodeOptions } from '../nodes/options.ts';
import type { LivesOf } from '../nodes/pod-life.ts';

/** In the place of a certificate in kube-root-ca.crt, which pods mount: nothing in the cluster checks it. */
const NO_CERTIFICATE =
  'a test cluster is reached in process; see the kubeconfig of listen() for its certificate\n';

/** How a test cluster is made. */
export interface TestClusterOptions {
  /** `system` unless given. With `virtual`, or a VirtualClock of one's own, time moves by `advance` only, for every part of the cluster. */
  readonly clock?: 'system' | 'virtual' | VirtualClock;
  /** What ids, made names and jitter come from: 1 with a virtual clock, else the host's randomness unless given. */
  readonly seed?: number;
  /** Names of the built-in controllers that run, such as `deployment-controller`; all unless given. */
  readonly controllers?: 'all' | 'none' | readonly string[];
  /** Does the scheduler run? Yes unless given. */
  readonly scheduler?: boolean;
  /** Fake nodes: how many, or how each is made; one unless given. */
  readonly nodes?: number | readonly FakeNodeOptions[];
  /** What containers do on nodes that say nothing of their own: run, ready at once, unless given. */
  readonly lives?: LivesOf;
  /** What the parts of the cluster log; nothing unless given. */
  readonly logger?: Logger;
  /**
   * Put in the way of the requests of each program and of each identity: `who` is `controllers`, `scheduler`, the name that a program
   * was run under, or the name of a user (`admin` for the cluster's own client, `system:node:node-1` for that node's agent).
   */
  readonly transport?: (inner: Transport, who: string) => Transport;
}

/** The options of one cluster, resolved. */
export interface ResolvedOptions {
  readonly clock: Clock;
  readonly seed: number | undefined;
  readonly logger: Logger;
  readonly controllers: readonly ControllerFactory[];
  readonly scheduler: boolean;
  readonly nodes: readonly FakeNodeOptions[];
  readonly lives: LivesOf | undefined;
  /** Randomness for one part, so that what one part asks for changes nothing for the others. */
  randomFor(who: string): Random;
  transport(inner: Transport, who: string): Transport;
}

/** Resolves the options. Throws an Error for the name of a controller that there is none of. */
export function resolveOptions(options: TestClusterOptions): ResolvedOptions {
  const { clock = 'system', nodes = 1 } = options;
  const seed = options.seed ?? (clock === 'system' ? undefined : 1);
  return {
    clock: clockOf(clock),
    seed,
    logger: options.logger ?? silentLogger,
    controllers: chosen(options.controllers ?? 'all'),
    scheduler: options.scheduler ?? true,
    nodes: typeof nodes === 'number' ? Array.from({ length: nodes }, () => ({})) : nodes,
    lives: options.lives,
    randomFor: (who) => (seed === undefined ? systemRandom : seededRandom(seedFor(seed, who))),
    transport: options.transport ?? ((inner) => inner),
  };
}

function clockOf(clock: 'system' | 'virtual' | VirtualClock): Clock {
  if (clock === 'system') return systemClock;
  return clock === 'virtual' ? new VirtualClock() : clock;
}

function chosen(names: 'all' | 'none' | readonly string[]): readonly ControllerFactory[] {
  if (names === 'none') return [];
  const known = namedControllers({ caCertificate: NO_CERTIFICATE });
  if (names === 'all') return Object.values(known);
  return names.map((name) => {
    const factory = known[name];
    if (factory) return factory;
    const all = Object.keys(known).join(', ');
    throw new Error(`there is no built-in controller ${name}; there are: ${all}`);
  });
}
