// One process of a program: one start of one replica, with a line to the server and a clock of its own.
// Invariant: after `crash` nothing of it happens any more: no message is sent or arrives, no timer fires; what the server had got is done.
import type { Logger, LogFields } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { SUPERUSERS } from '../../api/rbac/evaluate.ts';
import type { Handler } from '../../api/wire/exchange.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import type { ControllerFactory, ControllerSpec } from '../../controllers/framework/reconciler.ts';
import { Line, type LineEnd, type LineRun } from './line.ts';
import type { Odd } from './odds.ts';
import { ProcessClock } from './process-clock.ts';
import type { Program, SimulatedProcess } from './scenario.ts';

/** What a process needs of its run. */
export interface ProcessRun extends LineRun {
  readonly server: Handler;
  randomFor(who: string): Random;
  /** Something that a process must not do; the run ends with it. */
  found(text: string): void;
  /** Runs a function so that what it uses of the host is noticed as this process's. */
  within<T>(process: RunningProcess, fn: () => T): T;
  /** A reconcile begins; false when it must not, as the process is in a hot loop. */
  mayReconcile(process: RunningProcess, controller: string, key: string): boolean;
  /** The process died by something odd, and is to be started again after a while. */
  startAgain(process: RunningProcess, ms: number): void;
  /** Something lasts until this moment, before which nothing is judged. */
  disturbedUntil(moment: number): void;
}

/** Which process. */
export interface ProcessSpec {
  readonly program: string;
  readonly replica: number;
  readonly restarts: number;
  readonly spec: Program;
  /** Which odd things may befall it. */
  allows(odd: Odd): boolean;
}

/** A process that runs, or ran. */
export class RunningProcess implements LineEnd, SimulatedProcess {
  /** `operator`, `operator-1`; with `#1` and so on after restarts. */
  readonly name: string;
  readonly restarts: number;
  readonly spec: ProcessSpec;
  readonly clock: ProcessClock;
  readonly random: Random;
  readonly logger: Logger;
  readonly client: SimulatedProcess['client'];
  isDead = false;
  pausedUntil = 0;
  readonly #run: ProcessRun;
  readonly #line: Line;
  readonly #signal = new AbortController();

  constructor(run: ProcessRun, spec: ProcessSpec) {
    const replica = spec.replica === 0 ? spec.program : `${spec.program}-${spec.replica}`;
    this.name = spec.restarts === 0 ? replica : `${replica}#${spec.restarts}`;
    this.restarts = spec.restarts;
    this.spec = spec;
    this.#run = run;
    this.clock = new ProcessClock(run.agenda, this);
    this.random = run.randomFor(this.name);
    this.logger = notedLogger((text) => run.history.note(this.name, text), {});
    this.#line = new Line(run, this, run.server);
    const user = { username: spec.program, groups: [SUPERUSERS, 'system:authenticated'] };
    const options = { userAgent: spec.program, clock: this.clock };
    const transport = createInProcessTransport(this.#line.handler, user, options);
    this.client = createClient(transport, { fieldManager: spec.program });
  }

  /** How many requests it has made. */
  get requests(): number {
    return this.#line.requests;
  }

  /** Lets it begin. */
  start(): void {
    const { name } = this;
    const ended = (how: string) => {
      if (!this.isDead) this.#run.found(`the program ${name} ended by itself${how}`);
    };
    this.#run.history.note(name, 'starts');
    this.#run.within(this, () => {
      this.#work().then(
        () => ended(''),
        (error: unknown) => ended(`: ${error instanceof Error ? error.message : String(error)}`),
      );
    });
  }

  allows(odd: Odd): boolean {
    return this.spec.allows(odd);
  }

  befall(odd: Odd): void {
    const { agenda } = this.#run;
    if (odd.kind === 'crash') {
      this.crash();
      this.#run.startAgain(this, odd.ms);
    } else if (odd.kind === 'pause') {
      this.pausedUntil = Math.max(this.pausedUntil, agenda.now + odd.ms);
      this.#run.disturbedUntil(this.pausedUntil);
    } else if (odd.kind === 'step') this.clock.stepWall(odd.ms);
  }

  /** Ends it as `kill -9` does. */
  crash(): void {
    if (this.isDead) return;
    this.#run.history.note(this.name, 'is killed');
    this.#die();
  }

  /** The run is over. Only now does its signal abort, so that its code lets go of what it holds; none of its messages is sent any more. */
  close(): void {
    this.#die();
    this.#signal.abort(new Error('the run is over'));
  }

  #die(): void {
    this.isDead = true;
    this.#line.cut();
  }

  async #work(): Promise<void> {
    const { spec, program } = this.spec;
    const { signal } = this.#signal;
    if (spec.run) return spec.run(this, signal);
    const { client, clock, random, logger } = this;
    const election = spec.leaderElection;
    const lease = typeof election === 'object' ? election : { namespace: 'default', name: program };
    const factories = (spec.controllers?.(this) ?? []).map((factory) => this.#watched(factory));
    await runControllers(
      factories,
      {
        client,
        clock,
        random,
        logger,
        leaderElection: election ? { ...lease, identity: this.name } : undefined,
      },
      signal,
    );
  }

  /** The same controller, its reconciles noted, and none begun in a hot loop. */
  #watched(factory: ControllerFactory): ControllerFactory {
    // Refused by runControllers, in its own words.
    if (typeof factory !== 'function') return factory;
    return (context) => {
      const spec = factory(context);
      const reconcile: ControllerSpec['reconcile'] = (key, about) => {
        if (!this.#run.mayReconcile(this, spec.name, key)) return new Promise(() => undefined);
        this.#run.history.note(this.name, `${spec.name} reconciles ${key}`);
        return spec.reconcile(key, about);
      };
      return Object.assign(Object.create(spec) as ControllerSpec, { reconcile });
    };
  }
}

/** Notes warnings and errors. */
function notedLogger(note: (text: string) => void, fields: LogFields): Logger {
  const line =
    (level: string) =>
    (message: string, more: LogFields = {}) => {
      const { err, controller, key } = { ...fields, ...more };
      const about = [controller, key].filter((each) => typeof each === 'string').join(' ');
      const cause = err instanceof Error ? `: ${err.message}` : '';
      note(`logs ${level}: ${about === '' ? '' : `${about}: `}${message}${cause}`);
    };
  const silent = () => undefined;
  return {
    debug: silent,
    info: silent,
    warn: line('warn'),
    error: line('error'),
    child: (more) => notedLogger(note, { ...fields, ...more }),
  };
}
