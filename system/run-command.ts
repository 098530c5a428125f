// Runs one child process to its end. Invariant: it has a time limit, its output a size limit, and when either is passed it is killed and reaped.
import { spawn } from 'node:child_process';
import { systemClock } from '../base/clock.ts';
import {
  type Child,
  CommandError,
  type RunOptions,
  type RunResult,
  type System,
} from './system.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024;

/** Node's own way to start a child: a copy of this process that becomes the program. */
export const spawnChild: System['spawn'] = (command, args, { stdio = 'pipe', ...options } = {}) => {
  const descriptors = typeof stdio === 'string' ? stdio : [...stdio];
  return spawn(command, args, { ...options, stdio: descriptors });
};

/** Runs `command` without a shell. Rejects with CommandError unless it ends with 0. */
export const runCommand = runnerOf(spawnChild);

/** The same, with children that are started by `start`. */
export function runnerOf(start: System['spawn']): System['run'] {
  return (command, args, options) => runChild(start, [command, ...args], options);
}

function runChild(
  start: System['spawn'],
  [command, ...args]: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<RunResult> {
  const shown = [command, ...args].join(' ').slice(0, 500);
  const env = options.env ?? (options.moreEnv && { ...process.env, ...options.moreEnv });
  const child = start(command, args, {
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(env && { env }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  return new Promise((resolve, reject) => {
    const limits = watchLimits(child, options);
    const fail = (why: string | undefined, exitCode?: number) => {
      const { stdout, stderr } = limits.output();
      const outcome = { exitCode, stdout, stderr };
      reject(new CommandError(shown, why === undefined ? outcome : { ...outcome, why }));
    };
    child.once('error', (error: Error) => {
      limits.end();
      fail(error.message);
    });
    child.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
      limits.end();
      const why = limits.broken() ?? (signal === null ? undefined : `killed by ${signal}`);
      if (code === 0 && why === undefined) resolve(limits.output());
      else fail(why, code ?? undefined);
    });
    // A child that does not read its input must not crash the parent; its exit code tells the story.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);
  });
}

interface Limits {
  output(): RunResult;
  /** Why the child was killed, if it was by us. */
  broken(): string | undefined;
  end(): void;
}

/** Collects output and kills the child once a limit is passed. */
function watchLimits(child: Child, options: RunOptions): Limits {
  const limit = options.outputLimitBytes ?? DEFAULT_OUTPUT_LIMIT_BYTES;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
  let size = 0;
  let why: string | undefined;
  const kill = (reason: string) => {
    why ??= reason;
    child.kill('SIGKILL');
    // Its own children may hold the other ends for ever; what they say is of no interest any more.
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  const collect = (name: 'stdout' | 'stderr') =>
    child[name]?.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) kill(`more than ${limit} bytes of output`);
      else chunks[name].push(chunk);
    });
  collect('stdout');
  collect('stderr');
  const timer = systemClock.timer(timeoutMs, () => kill(`did not end within ${timeoutMs} ms`));
  const onAbort = () => kill('aborted');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted) onAbort();
  return {
    output: () => ({
      stdout: Buffer.concat(chunks.stdout).toString(),
      stderr: Buffer.concat(chunks.stderr).toString(),
    }),
    broken: () => why,
    end: () => {
      timer.cancel();
      options.signal?.removeEventListener('abort', onAbort);
    },
  };
}
