// Supervisor: keeps the processes of a cluster running. Starts children, restarts those that die, stops all in order.
// Invariants: a child that dies is started again within a second of its death, later only when it keeps dying; what it ran (ip, nft,
// runc) ends with it, so that nothing of it acts behind its successor's back; children end by themselves when the supervisor is gone
// (they watch their IPC channel).
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { System } from '../../system/system.ts';
import { backoffDelay } from '../../base/backoff.ts';
import type { RotatingFile } from './rotating-file.ts';

/** Restart delays: at once first, then doubling. */
const RESTART_BACKOFF = { initialMs: 100, maxMs: 5_000 };
/** A child that ended this often before it ever served will not: whoever waits for it is told. */
const MAX_EARLY_DEATHS = 6;
/** A child that ran this long has its failures forgotten. */
const STABLE_MS = 30_000;
/** How long a child may take to end after SIGTERM before it is killed. */
const STOP_CEILING_MS = 15_000;
/** Exit status of a child that cannot ever work as configured (sysexits' EX_CONFIG): not restarted. */
export const EXIT_CONFIG = 78;

/** A child to keep running. */
export interface ChildSpec {
  readonly name: string;
  /** Arguments of this Node: the program and its own. */
  readonly args: readonly string[];
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
  /** Added to this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly log: RotatingFile;
}

/** What a child tells over its IPC channel. */
export type ChildMessage =
  | { readonly kind: 'ready'; readonly figures?: Readonly<Record<string, number>> }
  | { readonly kind: 'failed'; readonly message: string }
  /** When it is told to end, it needs so much longer than others. */
  | { readonly kind: 'farewell'; readonly ms: number };

/** What happened to a child. */
export type ChildEvent =
  | { readonly kind: 'started'; readonly name: string; readonly pid: number }
  | { readonly kind: 'ready'; readonly name: string; readonly message: ChildMessage }
  | { readonly kind: 'exited'; readonly name: string; readonly code: number | null };

interface Doors {
  readonly system: System;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each event. */
  readonly onEvent: (event: ChildEvent) => void;
}

/** One child and its restarts. */
export class SupervisedChild {
  readonly #spec: ChildSpec;
  readonly #doors: Doors;
  #process: ChildProcess | undefined;
  #failures = 0;
  #stopping = false;
  #served = false;
  readonly #first: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #cancelRestart: (() => void) | undefined;
  #farewellMs = 0;

  constructor(spec: ChildSpec, doors: Doors) {
    this.#spec = spec;
    this.#doors = doors;
    // A rejection before anybody waits is still seen by the one who waits later.
    this.#first.promise.catch(() => undefined);
  }

  /** Resolves at the first `ready`; rejects when the child says it can never work, or ends again and again before. */
  get ready(): Promise<void> {
    return this.#first.promise;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts the child, now and after each death, until stop. */
  start(): void {
    const { name, args, nodeFlags = [], env, log } = this.#spec;
    const startedAt = this.#doors.clock.monotonic();
    const child = this.#doors.system.spawnProgram([...nodeFlags, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A process group of its own; conmon leaves it, as what is to outlive the child must.
      detached: true,
      env: { ...process.env, ...env },
    });
    this.#process = child;
    child.stdout?.on('data', (chunk: Buffer) => log.write(chunk));
    child.stderr?.on('data', (chunk: Buffer) => log.write(chunk));
    child.on('message', (message) => this.#heard(message as ChildMessage));
    child.on('error', (err) => {
      this.#doors.logger.error('child failed', { name, err });
      // One that could not even be spawned never exits.
      if (child.pid === undefined) this.#exited({ code: null, signal: null, startedAt });
    });
    child.on('exit', (code, signal) => {
      if (child.pid !== undefined) this.#doors.system.kill(-child.pid, 'SIGKILL');
      this.#exited({ code, signal, startedAt });
    });
    if (child.pid !== undefined) this.#doors.onEvent({ kind: 'started', name, pid: child.pid });
  }

  /** Ends the child (SIGTERM, then SIGKILL past the ceiling) and restarts it no more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelRestart?.();
    const child = this.#process;
    const never = child?.pid === undefined;
    if (!child || never || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const ceilingMs = STOP_CEILING_MS + this.#farewellMs;
    const killer = this.#doors.clock.timer(ceilingMs, () => child.kill('SIGKILL'));
    await ended;
    killer.cancel();
  }

  #heard(message: ChildMessage): void {
    switch (message.kind) {
      case 'ready':
        this.#served = true;
        this.#first.resolve();
        this.#doors.onEvent({ kind: 'ready', name: this.#spec.name, message });
        return;
      case 'farewell':
        this.#farewellMs = message.ms;
        return;
      case 'failed':
        this.#first.reject(new Error(message.message));
        return;
    }
  }

  #exited(end: { code: number | null; signal: string | null; startedAt: number }): void {
    const { name } = this.#spec;
    this.#doors.onEvent({ kind: 'exited', name, code: end.code });
    if (this.#stopping) return;
    // A child that has served before is started again whatever it says: what is in its way may go.
    if (end.code === EXIT_CONFIG && !this.#served) {
      this.#first.reject(new Error(`${name} cannot run; see its log`));
      return;
    }
    const ran = this.#doors.clock.monotonic() - end.startedAt;
    if (ran > STABLE_MS) this.#failures = 0;
    const wait = this.#failures === 0 ? 0 : backoffDelay(this.#failures - 1, RESTART_BACKOFF);
    this.#failures += 1;
    if (!this.#served && this.#failures >= MAX_EARLY_DEATHS)
      this.#first.reject(
        new Error(
          `${name} ended ${this.#failures} times before it served; see ${this.#spec.log.path}`,
        ),
      );
    this.#doors.logger.warn('child ended; starting it again', {
      name,
      code: end.code,
      signal: end.signal,
      waitMs: wait,
    });
    // A sleep, not a timer: while no child lives, nothing else may keep this process alive.
    const cancelled = new AbortController();
    this.#cancelRestart = () => cancelled.abort();
    void this.#doors.clock.sleep(wait, cancelled.signal).then(
      () => this.start(),
      () => undefined,
    );
  }
}
