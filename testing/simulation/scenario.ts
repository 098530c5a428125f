// A scenario: the programs under test, what a user does with the cluster, and what must hold. A value; simulate.ts runs it.
// Invariant: a scenario says nothing about seeds or faults of one run; each run of it begins in the same state.
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { Client } from '../../client/rest/client.ts';
import type { ControllerFactory } from '../../controllers/framework/reconciler.ts';
import type { FakeNode } from '../nodes/fake-node.ts';
import type { FakeNodeOptions } from '../nodes/options.ts';
import type { LivesOf } from '../nodes/pod-life.ts';
import type { ClusterState } from './cluster-state.ts';

/** A process of a program: one start of one replica. */
export interface SimulatedProcess {
  /** `operator`, or `operator-1` for the second of several replicas. */
  readonly name: string;
  /** How many starts came before this one. */
  readonly restarts: number;
  /** The process's own client, through which everything odd comes. */
  readonly client: Client;
  /** The process's own clock, which may be stepped. */
  readonly clock: Clock;
  /** The same numbers each time for the same seed, process and start. */
  readonly random: Random;
  readonly logger: Logger;
}

/** A program under test: controllers, or any program over a client. */
export interface Program {
  /** Makes the controllers of a process; called at each start. State that is to die with the process belongs in here. */
  readonly controllers?: (process: SimulatedProcess) => readonly ControllerFactory[];
  /** A program without the framework: runs until the signal aborts. */
  readonly run?: (process: SimulatedProcess, signal: AbortSignal) => Promise<void>;
  /** Processes of it at once; 1 unless given. */
  readonly replicas?: number;
  /** Its processes act only while they hold a Lease: `true` for one of the program's name in `default`. */
  readonly leaderElection?: boolean | { readonly namespace: string; readonly name: string };
}

/** The cluster as the story sees it: through an administrator's client whose messages may be late, but are never lost. */
export interface SimulatedCluster {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  /** The fake nodes: to be stopped, crashed, cut off and healed. */
  readonly nodes: readonly FakeNode[];
  /** Server-side apply of objects or of YAML texts, one after another. */
  readonly apply: (...objects: readonly (object | string)[]) => Promise<KubeObject[]>;
  /** Lets virtual time pass. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Resolves once the condition holds; rejects when it does not within `withinMs` of virtual time (60,000 unless given). */
  readonly until: (condition: Condition, options?: { readonly withinMs?: number }) => Promise<void>;
  /** Ends every process of a program as by `kill -9`; a program of none of the names throws. */
  readonly crash: (program: string) => void;
  /** Starts the processes of a program that are not running. */
  readonly start: (program: string) => void;
}

/** What must hold. Says no by throwing, by answering false, or by answering a text that says what is wrong. */
export type Condition = (state: ClusterState) => boolean | string | void;

/** Which odd things a run may have. */
export interface FaultOptions {
  /** Odd things in one run at most; 10 unless given. 0: none, all runs but for their seeds are alike. */
  readonly most?: number;
  /** Messages held back. As all of the following: yes unless given. */
  readonly delays?: boolean;
  /** Requests lost on the way there, or their replies on the way back. */
  readonly losses?: boolean;
  /** Requests answered with 409, 429, 500 or 503. */
  readonly refusals?: boolean;
  /** Watches that end, break, or expire. */
  readonly watches?: boolean;
  /** Programs that die and are started anew. */
  readonly crashes?: boolean;
  /** Programs that stand still for a while. */
  readonly pauses?: boolean;
  /** Wall clocks that are stepped. */
  readonly clocks?: boolean;
  /** Nodes that lose power and come back, or are cut off for a while: no unless given, as it takes minutes until pods move. */
  readonly nodes?: boolean;
  /** Are the messages of built-in controllers, of the scheduler and of the story held back too? */
  readonly builtIns?: boolean;
}

/** What a scenario is made of. */
export interface ScenarioOptions {
  readonly name: string;
  readonly programs: Readonly<Record<string, Program>>;
  /**
   * Makes what each run begins with: definitions, namespaces, objects. Called once, in a cluster without programs; the state of the
   * cluster is kept and copied, values of the function's own are not.
   */
  readonly setUp?: (cluster: SimulatedCluster) => Promise<unknown>;
  /** What a user does. Begins when the programs have nothing left to do at the first moment. */
  readonly story: (cluster: SimulatedCluster) => Promise<unknown>;
  /** By what it says in words: must hold after each write. */
  readonly always?: Readonly<Record<string, Condition>>;
  /** Must come to hold within `within` of the last disturbance, and then stay so. */
  readonly eventually?: Readonly<Record<string, Condition>>;
  /** Milliseconds of virtual time for `eventually`; 60,000 unless given. */
  readonly within?: number;
  readonly faults?: FaultOptions;
  /** Built-in controllers that run, by name, such as `garbage-collector`; none unless given, as each costs time. */
  readonly controllers?: 'all' | 'none' | readonly string[];
  /** Fake nodes: how many, or how each is made; none unless given. Pods there need the scheduler or a nodeName. */
  readonly nodes?: number | readonly FakeNodeOptions[];
  /** What containers do on nodes that say nothing of their own: run, ready at once, unless given. */
  readonly lives?: LivesOf;
  /** Does the scheduler run? Only where there are nodes, unless given. */
  readonly scheduler?: boolean;
  readonly limits?: Partial<SimulationLimits>;
  /**
   * Packages that ask the host for the time or the like, though nothing comes of it: they are not told of. Replays go on being compared,
   * so one that is not harmless is found by that.
   */
  readonly harmless?: readonly string[];
}

/** What ends a run that does not end by itself, each as a finding of its own. */
export interface SimulationLimits {
  /** Virtual time of one run; an hour. */
  readonly virtualMs: number;
  /** Messages of one run; 20,000. */
  readonly messages: number;
  /** Reconciles of one key, or the same request of one process, within a second of virtual time; 1,000. */
  readonly perSecond: number;
  /** The host's time for one run; 20 seconds. */
  readonly realMs: number;
}

/** The limits unless told. */
export const SIMULATION_LIMITS: SimulationLimits = {
  virtualMs: 3_600_000,
  messages: 20_000,
  perSecond: 1000,
  realMs: 20_000,
};

/** Default of `within`. */
export const WITHIN_MS = 60_000;
/** Default of `faults.most`. */
export const MOST_ODDS = 10;

/** A scenario, checked and ready to be run any number of times. */
export interface Scenario extends ScenarioOptions {
  readonly isScenario: true;
}

/** Every field, so that one which is spelled wrong is found where types are not checked. */
const FIELDS: Readonly<Record<keyof Scenario, true>> = {
  name: true,
  programs: true,
  setUp: true,
  story: true,
  always: true,
  eventually: true,
  within: true,
  faults: true,
  controllers: true,
  nodes: true,
  lives: true,
  scheduler: true,
  limits: true,
  harmless: true,
  isScenario: true,
};

/** Checks a scenario. Throws a TypeError that says what is missing, or what it does not know. */
export function scenario(options: ScenarioOptions): Scenario {
  const { name, programs, story, always = {}, eventually = {} } = options;
  const unknown = Object.keys(options).filter((field) => !Object.hasOwn(FIELDS, field));
  if (unknown.length > 0) {
    const known = Object.keys(FIELDS).filter((field) => field !== 'isScenario');
    const fields = `${unknown.join(', ')}; its fields are ${known.join(', ')}`;
    throw new TypeError(`scenario ${name}: nothing is known of ${fields}`);
  }
  if (typeof story !== 'function')
    throw new TypeError(`scenario ${name}: say in story, a function, what a user does`);
  for (const [program, { controllers, run, replicas = 1 }] of Object.entries(programs)) {
    if ((controllers === undefined) === (run === undefined))
      throw new TypeError(`scenario ${name}: the program ${program} needs controllers or run`);
    if (!Number.isInteger(replicas) || replicas < 1)
      throw new TypeError(`scenario ${name}: replicas of ${program} must be 1 or more`);
  }
  if (Object.keys(always).length + Object.keys(eventually).length === 0)
    throw new TypeError(`scenario ${name}: say in always or eventually what must hold`);
  return Object.freeze({ ...options, isScenario: true as const });
}

/** Is the value a scenario? */
export const isScenario = (value: unknown): value is Scenario =>
  (value as Partial<Scenario> | null | undefined)?.isScenario === true;
