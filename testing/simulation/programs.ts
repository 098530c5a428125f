// The programs of a run: which processes of them are there, and their coming and going.
// Invariant: of one replica at most one process lives.
import type { FaultOptions, Program, Scenario } from './scenario.ts';
import type { Odd } from './odds.ts';
import { type ProcessRun, RunningProcess } from './process.ts';

const FAULT_OF: Readonly<Record<Odd['kind'], keyof FaultOptions>> = {
  hold: 'delays',
  lag: 'delays',
  lose: 'losses',
  refuse: 'refusals',
  end: 'watches',
  cut: 'watches',
  expire: 'watches',
  crash: 'crashes',
  pause: 'pauses',
  step: 'clocks',
};

/** May this befall a program under test? */
export const befallsPrograms = (faults: FaultOptions, odd: Odd): boolean =>
  faults[FAULT_OF[odd.kind]] !== false;

/** May this befall the story and what a cluster has of itself? They are only ever late. */
export const befallsOthers = (faults: FaultOptions, odd: Odd): boolean =>
  faults.builtIns !== false && FAULT_OF[odd.kind] === 'delays' && faults.delays !== false;

/** Every process of a run. */
export class Programs {
  readonly #run: ProcessRun;
  readonly #scenario: Scenario;
  /** By `program/replica`: the newest process. */
  readonly #newest = new Map<string, RunningProcess>();
  readonly #all: RunningProcess[] = [];

  constructor(run: ProcessRun, scenario: Scenario) {
    this.#run = run;
    this.#scenario = scenario;
  }

  /** Starts a part of the cluster itself as a program. */
  startBuiltIn(program: string, run: NonNullable<Program['run']>): void {
    const { faults = {} } = this.#scenario;
    const allows = (odd: Odd) => befallsOthers(faults, odd);
    this.#begin(
      new RunningProcess(this.#run, { program, replica: 0, restarts: 0, spec: { run }, allows }),
    );
  }

  /** Starts every program under test. */
  startAll(): void {
    for (const name of Object.keys(this.#scenario.programs)) this.start(name);
  }

  /** Starts the replicas of a program that do not run. */
  start(program: string): void {
    const { replicas = 1 } = this.#spec(program);
    for (let replica = 0; replica < replicas; replica++)
      if (this.#newest.get(`${program}/${replica}`)?.isDead !== false) this.#next(program, replica);
  }

  /** Ends every process of a program as `kill -9` does. */
  crash(program: string): void {
    this.#spec(program);
    for (const process of this.#all) if (process.spec.program === program) process.crash();
  }

  /** Starts the replica of a dead process again, unless that was done. */
  restart({ spec: { program, replica } }: RunningProcess): void {
    if (this.#newest.get(`${program}/${replica}`)?.isDead) this.#next(program, replica);
  }

  /** How many requests a program has made. */
  requests(program: string): number {
    return this.#all
      .filter(({ spec }) => spec.program === program)
      .reduce((sum, { requests }) => sum + requests, 0);
  }

  /** Ends them all. */
  close(): void {
    for (const process of this.#all) process.close();
  }

  #next(program: string, replica: number): void {
    const { faults = {} } = this.#scenario;
    const allows = (odd: Odd) => befallsPrograms(faults, odd);
    const before = this.#newest.get(`${program}/${replica}`);
    const restarts = before ? before.restarts + 1 : 0;
    const spec = this.#spec(program);
    this.#begin(new RunningProcess(this.#run, { program, replica, restarts, spec, allows }));
  }

  #begin(process: RunningProcess): void {
    const { program, replica } = process.spec;
    this.#newest.set(`${program}/${replica}`, process);
    this.#all.push(process);
    process.start();
  }

  #spec(program: string): Program {
    const spec = this.#scenario.programs[program];
    if (spec) return spec;
    const known = Object.keys(this.#scenario.programs).join(', ');
    throw new Error(`the scenario has no program ${program}; it has ${known}`);
  }
}
