// Starts conmon, the small process that holds a container's pipes, writes its log and its exit code, and outlives this agent.
// Invariant: conmon begins only after the start byte, and a launch that fails or takes too long leaves no conmon behind.
import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { type ContainerConfig, RuntimeError, START_ERROR } from '../runtime.ts';
import { type Context, findRunc, PROGRAM_FOLDERS, runcMessage } from './context.ts';
import type { ContainerPaths } from './layout.ts';

/** How long `runc create` or `runc exec` may take under conmon. */
const LAUNCH_TIMEOUT_MS = 60_000;
/** Longest message on the sync pipe: runc's error text. */
const MAX_SYNC_BYTES = 64 * 1024;
/** What runc says where the host has no room for a container; of its own state it tells no more than that. A program's name is quoted. */
const OF_HOST =
  /^runc create failed: (?:[a-z ]+: )*unable to store init state: |: no space left on device$/;

/** One line of the sync pipe: a pid or exit code, or -1 and why. */
export interface SyncMessage {
  readonly data: number;
  readonly message?: string;
}

/** Reads JSON lines off a pipe of conmon. */
export class SyncPipe {
  readonly #lines: SyncMessage[] = [];
  readonly #waiting: ((message: SyncMessage | undefined) => void)[] = [];
  #text = '';
  #ended = false;

  constructor(pipe: Readable) {
    pipe.setEncoding('utf8');
    pipe.on('data', (text: string) => this.#take(text));
    pipe.on('error', () => this.#end());
    pipe.on('close', () => this.#end());
    pipe.on('end', () => this.#end());
  }

  /** The next message; undefined when conmon closed the pipe. */
  next(): Promise<SyncMessage | undefined> {
    const line = this.#lines.shift();
    if (line || this.#ended) return Promise.resolve(line);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #take(text: string): void {
    this.#text += text;
    if (this.#text.length > MAX_SYNC_BYTES) this.#end();
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n')) {
      this.#give(this.#text.slice(0, end));
      this.#text = this.#text.slice(end + 1);
    }
  }

  #give(line: string): void {
    const message = parseSync(line);
    if (!message) return;
    const waiter = this.#waiting.shift();
    if (waiter) waiter(message);
    else this.#lines.push(message);
  }

  #end(): void {
    if (this.#ended) return;
    this.#give(this.#text);
    this.#ended = true;
    for (const waiter of this.#waiting.splice(0)) waiter(undefined);
  }
}

function parseSync(line: string): SyncMessage | undefined {
  try {
    const value = JSON.parse(line) as SyncMessage;
    return typeof value.data === 'number' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A conmon that has been told to begin. */
export interface Conmon {
  readonly sync: SyncPipe;
  /** Only of an exec with attach: tells when the attach socket is ready. */
  readonly attach: SyncPipe | undefined;
  /** Lets it go on: at once for a container, after attaching for an exec. */
  goOn(): void;
  kill(): void;
}

/** Spawns conmon with its pipes; stderr goes to a file, since conmon outlives us. */
export function spawnConmon(
  context: Context,
  args: readonly string[],
  options: { directory: string; attach: boolean },
): Conmon {
  const log = openSync(join(options.directory, 'conmon.log'), 'a', 0o600);
  try {
    const child = context.system.spawn('conmon', args, {
      detached: true,
      cwd: options.directory,
      env: {
        PATH: PROGRAM_FOLDERS.join(':'),
        _OCI_SYNCPIPE: '3',
        _OCI_STARTPIPE: '4',
        ...(options.attach && { _OCI_ATTACHPIPE: '5' }),
      },
      stdio: [
        'ignore',
        'ignore',
        log,
        'pipe',
        'pipe',
        ...(options.attach ? ['pipe' as const] : []),
      ],
    });
    child.on('error', (error) => {
      context.logger.error('conmon did not start', { err: error });
      (child.stdio[3] as Readable | null)?.destroy();
    });
    const start = child.stdio[4] as Writable;
    start.on('error', () => undefined);
    child.unref();
    const stdio: readonly unknown[] = child.stdio;
    return {
      sync: new SyncPipe(child.stdio[3] as Readable),
      attach: options.attach ? new SyncPipe(stdio[5] as Readable) : undefined,
      goOn: () => void start.write('\0'),
      kill: () => void child.kill('SIGKILL'),
    };
  } finally {
    closeSync(log);
  }
}

/** The arguments that containers and execs share. */
export function conmonArguments(
  context: Context,
  ids: { container: string; session: string },
): string[] {
  const { layout } = context;
  // Without a `--persist-dir`: conmon tells of an end only once it could write it there too, and where memory is full it cannot.
  return [
    '--no-sync-log',
    ...flags({
      '--api-version': '1',
      '-c': ids.container,
      '-u': ids.session,
      '-r': findRunc(context.system),
      '--runtime-arg': `--root=${layout.runcRoot}`,
      // Of a log that the disk does not take, a warning for each write would fill memory.
      '--log-level': 'error',
      '--socket-dir-path': layout.sockets,
    }),
  ];
}

/** Options with their values, in a row. */
export function flags(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flat();
}

/** Starts conmon for a new container and waits for `runc create`. Answers the container's pid. */
export async function launchContainer(
  context: Context,
  paths: ContainerPaths,
  options: Pick<ContainerConfig, 'logPath' | 'logMaxBytes' | 'tty' | 'stdin' | 'stdinOnce'> & {
    readonly id: string;
  },
): Promise<number> {
  const { id, logMaxBytes } = options;
  const args = [
    ...conmonArguments(context, { container: id, session: id }),
    ...flags({
      '-n': id,
      '-b': paths.bundle,
      '-p': paths.pidFile,
      '-P': paths.conmonPidFile,
      '-l': `k8s-file:${options.logPath}`,
      '--exit-dir': context.layout.exits,
      ...(logMaxBytes !== undefined && { '--log-size-max': `${logMaxBytes}` }),
    }),
    ...(options.tty ? ['-t'] : []),
    ...(options.stdin ? ['-i'] : []),
    ...(options.stdin && !options.stdinOnce ? ['--leave-stdin-open'] : []),
  ];
  writeFileSync(options.logPath, '', { flag: 'a', mode: 0o640 });
  const conmon = spawnConmon(context, args, { directory: paths.bundle, attach: false });
  conmon.goOn();
  const message = await within(context, conmon.sync.next(), () => conmon.kill());
  if (message && message.data > 0) return message.data;
  const why = launchFailure(message, paths.bundle);
  // What runc says is mostly the container's fault; where it says nothing, conmon or the host is at fault.
  const isOfContainer = message?.message?.trim() && !OF_HOST.test(why);
  const reason = isOfContainer ? START_ERROR : 'CreateContainerError';
  // What is no container has no log: logs are counted as restarts.
  if (reason !== START_ERROR) removeEmpty(options.logPath);
  throw new RuntimeError(reason, why);
}

function removeEmpty(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.size === 0) rmSync(path);
}

/** A readable reason: what runc said through conmon, or what conmon wrote into its log. */
export function launchFailure(message: SyncMessage | undefined, directory: string): string {
  const said = message?.message?.trim();
  if (said) return runcMessage(said);
  const logged = readFileSync(join(directory, 'conmon.log'), 'utf8').trim();
  return logged.split('\n').at(-1) || 'conmon ended without saying why';
}

/** Waits for conmon, at most as long as a launch may take. */
export function within<T>(
  context: Context,
  promise: Promise<T>,
  onTimeout: () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = context.clock.timer(LAUNCH_TIMEOUT_MS, () => {
      onTimeout();
      reject(new RuntimeError('CreateContainerError', 'conmon did not answer in time'));
    });
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
