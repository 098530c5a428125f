// Commands in running containers: to their end (probes), with live streams, or on a terminal; and attaching to the container itself.
// Invariants: a command that is given up is killed inside the container too, and its files are removed; where the kernel does not let go
// of it, nobody waits for it any longer.
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import type { System } from '../../../system/system.ts';
import { type ExecResult, type ExecSession, RuntimeError } from '../runtime.ts';
import {
  type Conmon,
  conmonArguments,
  flags,
  launchFailure,
  spawnConmon,
  within,
} from './conmon.ts';
import { type Context, newId, runcMessage } from './context.ts';
import type { Exits } from './exits.ts';
import { type PacketStreams, packetStreams } from './packet-session.ts';
import type { ContainerRecord } from './records.ts';
import type { RuntimeSpec } from './runtime-spec.ts';

/** Output of a command run to its end; the rest is thrown away. */
const EXEC_OUTPUT_BYTES = 1024 * 1024;
/** Longest that a session may last without being ended by its user. */
const ATTACH_POLL_MS = 24 * 3600 * 1000;
const KILLED_EXIT_CODE = 137;
/** How long a command may take to end once it is killed. One that waits for a device, or is frozen, may never. */
export const KILLED_COMMAND_MS = 2_000;
/** How long a finished command's output may still take: an orphan in the container may hold the terminal open. */
const LAST_OUTPUT_MS = 1000;

interface RuncExec {
  readonly child: ReturnType<System['spawn']>;
  readonly exit: Promise<number>;
  /** Ends the command in the container, then runc; `exit` is known within `KILLED_COMMAND_MS`. What is written from now on is not read. */
  readonly kill: () => void;
  /** Was the command given up, as it did not end when it was killed? */
  readonly left: () => boolean;
  /** Does the command run, or has it? */
  readonly started: () => boolean;
}

function runcExec(
  context: Context,
  record: ContainerRecord,
  options: { command: readonly string[]; stdin: boolean },
): RuncExec {
  const { layout, system, random } = context;
  const file = join(layout.container(record.id).execs, newId(random));
  const [pidFile, logFile] = [`${file}.pid`, `${file}.log`];
  const own = ['--root', layout.runcRoot, '--log', logFile];
  const args = [...own, 'exec', '--pid-file', pidFile, record.id];
  const child = system.spawn('runc', [...args, ...options.command], {
    stdio: [options.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  let begun = false;
  const started = () => (begun ||= existsSync(pidFile));
  const exit = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const failed = !started() && code !== null && code !== 0;
      const said = failed ? (system.read(logFile) ?? '') : '';
      for (const path of [pidFile, logFile]) rmSync(path, { force: true });
      if (failed) reject(notRun(runcMessage(said)));
      else resolve(code ?? KILLED_EXIT_CODE);
    });
  });
  // Output may end before the exit code is asked for; the caller sees the rejection when it awaits.
  exit.catch(() => undefined);
  child.stdin?.on('error', () => undefined);
  let left = false;
  const kill = () => {
    const pid = readPid(pidFile);
    if (pid !== undefined && child.exitCode === null) system.kill(pid, 'SIGKILL');
    else child.kill('SIGKILL');
    // Whoever came from the command may hold its output for ever.
    for (const stream of [child.stdout, child.stderr]) stream?.destroy();
    givenUpLate(context, { record, pid, exit }, () => {
      left = true;
      child.kill('SIGKILL');
    });
  };
  return { child, exit, kill, started, left: () => left };
}

/** Calls back when a command that was killed has not ended in time; its process is left to the kernel. */
function givenUpLate(
  { clock, logger }: Context,
  command: { record: ContainerRecord; pid: number | undefined; exit: Promise<unknown> },
  onLate: () => void,
): void {
  const { record, pid, exit } = command;
  const timer = clock.timer(KILLED_COMMAND_MS, () => {
    logger.warn('a command in a container was killed and does not end; it is left', {
      container: record.id,
      pid,
    });
    onLate();
  });
  exit.catch(() => undefined).finally(() => timer.cancel());
}

/** The failure of a command that could not be started; upstream's words, the same at each try. */
function notRun(said: string): RuntimeError {
  return new RuntimeError(
    'ExecError',
    `OCI runtime exec failed: ${said || 'runc did not say why'}`,
  );
}

/** With a log file of its own, runc writes one line into the command's standard error: why it could not run it. */
const RUNC_LINE = /^(?:exec failed|cannot exec|container .* (?:does not exist|not running))/;

/** Standard error of the command alone. What runc may have written waits until the command is known to run. */
function ownStderr(from: Readable, started: () => boolean): Readable {
  const held: Buffer[] = [];
  let open = false;
  const release = (stream: Transform) => {
    open = true;
    for (const chunk of held.splice(0)) stream.push(chunk);
  };
  const own = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (!open && !started() && RUNC_LINE.test(chunk.toString('latin1'))) held.push(chunk);
      else {
        release(own);
        own.push(chunk);
      }
      done();
    },
    flush(done) {
      if (started()) release(own);
      done();
    },
  });
  return from.pipe(own);
}

function readPid(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs a command to its end. Rejects with reason `ExecTimeout` when it takes longer than `timeoutMs`: it is killed then, and waited for
 * no longer than `KILLED_COMMAND_MS`.
 */
export async function execSync(
  context: Context,
  record: ContainerRecord,
  options: { command: readonly string[]; timeoutMs: number },
): Promise<ExecResult> {
  const { child, exit, kill, left } = runcExec(context, record, { ...options, stdin: false });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  let timedOut = false;
  const timer = context.clock.timer(options.timeoutMs, () => {
    timedOut = true;
    kill();
  });
  try {
    const exitCode = await exit;
    if (timedOut) {
      const late = `command timed out after ${options.timeoutMs} ms`;
      const fate = left() ? '; it was killed, and does not end' : '';
      throw new RuntimeError('ExecTimeout', late + fate);
    }
    return { exitCode, stdout: stdout(), stderr: stderr() };
  } finally {
    timer.cancel();
  }
}

/** Keeps the beginning and lets the rest flow by, so that the command never blocks. */
function collect(stream: Readable | null): () => Uint8Array {
  const chunks: Buffer[] = [];
  let room = EXEC_OUTPUT_BYTES;
  stream?.on('data', (chunk: Buffer) => {
    if (room > 0) chunks.push(chunk.subarray(0, room));
    room -= chunk.length;
  });
  return () => Buffer.concat(chunks);
}

/** Runs a command with live streams. */
export async function exec(
  context: Context,
  record: ContainerRecord,
  options: { command: readonly string[]; tty: boolean; stdin: boolean },
): Promise<ExecSession> {
  if (options.tty) return execOnTerminal(context, record, options);
  const { child, exit, kill, started } = runcExec(context, record, options);
  if (!child.stdout) throw new RuntimeError('ExecError', 'runc was started without its output');
  return {
    stdin: child.stdin ?? undefined,
    stdout: child.stdout,
    stderr: child.stderr ? ownStderr(child.stderr, started) : undefined,
    resize: () => undefined,
    exit,
    kill,
  };
}

/** A terminal needs somebody to hold its other end: conmon, with an attach socket of its own. */
interface TerminalKeeper {
  readonly conmon: Conmon;
  readonly directory: string;
  readonly attachSocket: string;
  /** Removes its files. */
  readonly discard: () => void;
  /** Ends it, whatever becomes of the command, and removes its files. */
  readonly giveUp: () => void;
}

function spawnKeeper(
  context: Context,
  record: ContainerRecord,
  command: readonly string[],
): TerminalKeeper {
  const { layout, random, system } = context;
  const paths = layout.container(record.id);
  const session = newId(random);
  const directory = join(paths.execs, session);
  const sockets = join(layout.sockets, session);
  mkdirSync(directory, { mode: 0o700 });
  const specFile = join(directory, 'process.json');
  writeFileSync(specFile, terminalProcess(paths.bundle, command), { mode: 0o600 });
  const pidFile = join(directory, 'conmon.pid');
  const files = {
    '--exec-process-spec': specFile,
    '-b': directory,
    '-p': join(directory, 'pid'),
    '-P': pidFile,
    '-l': 'k8s-file:/dev/null',
  };
  const own = ['-e', '--exec-attach', '-t', '-i', ...flags(files)];
  const shared = conmonArguments(context, { container: record.id, session });
  const conmon = spawnConmon(context, [...shared, ...own], { directory, attach: true });
  const discard = () => {
    for (const path of [sockets, directory]) rmSync(path, { recursive: true, force: true });
  };
  const giveUp = () => {
    conmon.kill();
    // What was spawned has ended once the conmon that it forks is under way.
    const pid = readPid(pidFile);
    if (pid !== undefined) system.kill(pid, 'SIGKILL');
    discard();
  };
  return { conmon, directory, attachSocket: join(sockets, 'attach'), discard, giveUp };
}

async function execOnTerminal(
  context: Context,
  record: ContainerRecord,
  options: { command: readonly string[]; stdin: boolean },
): Promise<ExecSession> {
  const { system, clock } = context;
  const keeper = spawnKeeper(context, record, options.command);
  const { conmon, directory, giveUp } = keeper;
  try {
    conmon.goOn();
    await within(context, conmon.attach?.next() ?? Promise.resolve(undefined), giveUp);
    const socket = system.connectPackets(keeper.attachSocket);
    const streams = packetStreams(clock, socket, { stdin: options.stdin, tty: true });
    conmon.goOn();
    const started = await within(context, conmon.sync.next(), giveUp);
    if (!started || started.data <= 0) {
      streams.close();
      throw notRun(launchFailure(started, directory));
    }
    const exit = conmon.sync.next().then(async (message) => {
      await lastOutput(context, streams);
      keeper.discard();
      return message?.data ?? KILLED_EXIT_CODE;
    });
    return {
      ...streams,
      stderr: undefined,
      resize: (size) => resizeTerminal(join(directory, 'ctl'), size),
      exit,
      kill: () => {
        system.kill(started.data, 'SIGKILL');
        streams.close();
        // conmon's end is the end of its pipe, which `exit` waits for.
        givenUpLate(context, { record, pid: started.data, exit }, giveUp);
      },
    };
  } catch (error) {
    giveUp();
    throw error;
  }
}

/** Lets the last output through: it may still be in the socket when the exit code is known. */
function lastOutput(context: Context, streams: PacketStreams): Promise<void> {
  return new Promise((resolve) => {
    const timer = context.clock.timer(LAST_OUTPUT_MS, () => {
      streams.close();
      resolve();
    });
    void streams.closed.then(() => {
      timer.cancel();
      resolve();
    });
  });
}

function terminalProcess(bundle: string, command: readonly string[]): string {
  const spec = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as RuntimeSpec;
  const { process: own } = spec;
  const hasTerm = own.env.some((entry) => entry.startsWith('TERM='));
  const env = hasTerm ? own.env : [...own.env, 'TERM=xterm'];
  return JSON.stringify({ ...own, terminal: true, args: command, env });
}

/** Joins the streams of the container's own process. `exit` is the container's exit code, or 0 when the session is closed before. */
export function attach(
  doors: { context: Context; exits: Exits },
  record: ContainerRecord,
  options: { stdin: boolean },
): ExecSession {
  const { context, exits } = doors;
  const paths = context.layout.container(record.id);
  const { tty } = record.config;
  const socket = context.system.connectPackets(paths.attachSocket);
  const streams = packetStreams(context.clock, socket, {
    stdin: options.stdin && record.config.stdin,
    tty,
  });
  const ended = exits.wait(record.id, ATTACH_POLL_MS).then(() => {
    return context.records.containers.get(record.id)?.exitCode ?? 0;
  });
  let left = false;
  const exit = streams.closed.then(() => (left ? 0 : ended));
  return {
    stdin: streams.stdin,
    stdout: streams.stdout,
    stderr: streams.stderr,
    resize: (size) => {
      if (tty) resizeTerminal(paths.control, size);
    },
    exit,
    kill: () => {
      left = true;
      streams.close();
    },
  };
}

/** conmon reads lines from this pipe: `1 rows columns` sets the size, `2 0 0` reopens the log. */
export function writeControl(pipe: string, line: string): void {
  const fd = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    writeSync(fd, `${line}\n`);
  } finally {
    closeSync(fd);
  }
}

function resizeTerminal(pipe: string, size: { columns: number; rows: number }): void {
  try {
    writeControl(pipe, `1 ${size.rows} ${size.columns}`);
  } catch {
    // The terminal went away with its process: there is nothing left to resize.
    return;
  }
}
