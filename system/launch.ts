// Starts programs without copying this process's memory tables (native-processes.ts), and tells their ends as node:child_process does.
// Invariants: every child is reaped, and its end told once, after which its number is not signalled any more; nothing of a program that
// could not be started stays open. Children do not keep this process running.
import { EventEmitter } from 'node:events';
import { accessSync, closeSync, constants as fileModes } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import {
  connectedCall,
  duplicateCall,
  endCall,
  type GivenDescriptor,
  processCall,
} from './native-processes.ts';
import type { Child, ChildDescriptor, LaunchOptions } from './system.ts';

/** Descriptors that every program has. */
const STANDARD = 3;

/** Starts programs, and knows which of them run. One for a process. */
export class Launcher {
  readonly #running = new Map<number, LaunchedChild>();
  readonly #reap = () => {
    const ended = Array.from(this.#running, ([pid, child]) => ({ pid, child, end: endCall(pid) }));
    for (const { pid, end } of ended) if (end) this.#running.delete(pid);
    if (this.#running.size === 0) process.off('SIGCHLD', this.#reap);
    // Only now, as whoever hears of it may start another.
    for (const { child, end } of ended) if (end) child.ended(end);
  };

  /** Never throws for what the program is: a failure to start it is its event `error`, as with node:child_process. */
  launch(command: string, args: readonly string[], options: LaunchOptions = {}): Child {
    const stdio = options.stdio ?? 'pipe';
    const child = new LaunchedChild(command);
    const theirs: number[] = [];
    const env = options.env ?? process.env;
    // A child may end before the call returns.
    if (this.#running.size === 0) process.on('SIGCHLD', this.#reap);
    try {
      // Before all that may fail: whoever started it finds its streams, as with Node's.
      const descriptors = child.connect(descriptorsOf(stdio), theirs);
      const pid = processCall({
        path: programAt(command, env['PATH']),
        args: [command, ...args],
        env: Object.entries(env).flatMap(([name, value]) =>
          value === undefined ? [] : [`${name}=${value}`],
        ),
        cwd: options.cwd,
        ownSession: options.detached ?? false,
        descriptors,
      });
      this.#running.set(pid, child);
      child.began(pid);
    } catch (error) {
      child.failed(error as NodeJS.ErrnoException);
    } finally {
      for (const descriptor of theirs) closeSync(descriptor);
    }
    if (this.#running.size === 0) process.off('SIGCHLD', this.#reap);
    return child;
  }
}

const all = (what: 'ignore' | 'pipe'): readonly ChildDescriptor[] => Array(STANDARD).fill(what);

/** What is to be in its descriptors: a program opens its files under the numbers that it was not given. */
const descriptorsOf = (stdio: NonNullable<LaunchOptions['stdio']>): readonly ChildDescriptor[] =>
  typeof stdio === 'string' ? all(stdio) : [...stdio, ...all('ignore').slice(stdio.length)];

/** Where a program is, by the rules of execvp(3): a name without a slash is looked for in the folders of PATH. */
function programAt(command: string, path = '/usr/bin:/bin'): string {
  if (command.includes('/')) return command;
  for (const folder of path.split(':'))
    try {
      const file = join(folder, command);
      accessSync(file, fileModes.X_OK);
      return file;
    } catch {
      continue;
    }
  throw Object.assign(new Error(`spawn ${command} ENOENT`), { code: 'ENOENT' });
}

const SIGNALS = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]),
);

class LaunchedChild extends EventEmitter implements Child {
  readonly #command: string;
  readonly #streams: (Socket | null)[] = [];
  /** Streams from the child that are still open, and its end. */
  #awaited = 1;
  #isOver = false;
  pid: number | undefined;
  exitCode: number | null = null;
  signalCode: NodeJS.Signals | null = null;

  constructor(command: string) {
    super();
    this.#command = command;
  }

  get stdio(): readonly (Readable | Writable | null)[] {
    return this.#streams;
  }

  get stdin(): Writable | null {
    return this.#streams[0] ?? null;
  }

  get stdout(): Readable | null {
    return this.#streams[1] ?? null;
  }

  get stderr(): Readable | null {
    return this.#streams[2] ?? null;
  }

  /** Makes its pipes. What the child is given goes to `theirs`: this process's to close once the child has it. */
  connect(stdio: readonly ChildDescriptor[], theirs: number[]): readonly GivenDescriptor[] {
    return stdio.map((wanted, number) => {
      if (wanted !== 'pipe') this.#streams.push(null);
      if (wanted === 'ignore') return 'null';
      const given = wanted === 'pipe' ? this.#pipe(number) : duplicateCall(wanted);
      theirs.push(given);
      return given;
    });
  }

  #pipe(number: number): number {
    const { ours, theirs } = connectedCall();
    const stream = new Socket({
      fd: ours,
      readable: number !== 0,
      writable: number === 0 || number >= STANDARD,
    });
    this.#streams.push(stream);
    if (number > 0) {
      this.#awaited += 1;
      stream.once('close', () => this.#done());
    }
    return theirs;
  }

  began(pid: number): void {
    this.pid = pid;
  }

  failed(error: NodeJS.ErrnoException): void {
    const why = Object.assign(new Error(`spawn ${this.#command} ${error.code}`), {
      code: error.code,
    });
    for (const stream of this.#streams) stream?.destroy();
    process.nextTick(() => this.emit('error', why));
  }

  ended({ code, signal }: { readonly code?: number; readonly signal?: number }): void {
    this.#isOver = true;
    this.exitCode = code ?? null;
    this.signalCode = (signal !== undefined && SIGNALS.get(signal)) || null;
    this.stdin?.destroy();
    this.emit('exit', this.exitCode, this.signalCode);
    // What nobody reads must not keep its streams open.
    process.nextTick(() => this.#streams.forEach((stream) => stream?.readable && stream.resume()));
    this.#done();
  }

  #done(): void {
    this.#awaited -= 1;
    if (this.#awaited === 0) this.emit('close', this.exitCode, this.signalCode);
  }

  kill(signal: NodeJS.Signals | number = 'SIGTERM'): boolean {
    if (this.pid === undefined || this.#isOver) return false;
    try {
      return process.kill(this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
      throw error;
    }
  }

  unref(): void {
    for (const stream of this.#streams) stream?.unref();
  }
}
