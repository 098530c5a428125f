// A network namespace for clusters of tests and of the bench: addresses, ports and tables of its own, so they never meet the host's.
// Invariant: dispose removes it; a process that ends early removes it too.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createLinuxSystem } from '../system/linux.ts';
import type { System } from '../system/system.ts';

/** What a program in the namespace came to. */
export interface Outcome {
  /** Exit code; -1 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is run. */
export interface RunHow {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** 150 s unless given; past it the program is killed. */
  readonly timeoutMs?: number;
}

/** A namespace and ways to run programs in it. */
export interface HostNamespace {
  readonly name: string;
  /** A System whose programs run inside. */
  readonly system: System;
  run(program: string, args: readonly string[], how?: RunHow): Promise<Outcome>;
  start(program: string, args: readonly string[], how?: Omit<RunHow, 'input'>): ChildProcess;
  dispose(): void;
}

/** Makes a namespace with its loopback up, and nothing else: no way out. */
export function aHostNamespace(): HostNamespace {
  const name = `t-${randomBytes(4).toString('hex')}`;
  const path = `/run/netns/${name}`;
  must('ip', ['netns', 'add', name]);
  const dispose = () => {
    process.off('exit', dispose);
    spawnSync('ip', ['netns', 'del', name]);
  };
  process.on('exit', dispose);
  const enter = (program: string, args: readonly string[]) => [
    `--net=${path}`,
    '--',
    program,
    ...args,
  ];
  // `ip netns exec` would mount /sys anew and so hide the cgroups.
  must('nsenter', enter('ip', ['link', 'set', 'lo', 'up']));
  const start: HostNamespace['start'] = (program, args, how = {}) =>
    spawn('/usr/bin/nsenter', enter(program, args), {
      env: { ...process.env, ...how.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  const linux = createLinuxSystem();
  const system: System = {
    ...linux,
    run: (program, args, options) => linux.run('nsenter', enter(program, args), options),
  };
  return {
    name,
    system,
    start,
    run: (program, args, how = {}) => collect(start(program, args, how), how),
    dispose,
  };
}

function must(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

/** What a child says until it ends; `how` gives its input and its ceiling. */
export async function collect(child: ChildProcess, how: RunHow): Promise<Outcome> {
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
      text[stream] += chunk;
    });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(how.input ?? '');
  const killer = setTimeout(() => child.kill('SIGKILL'), how.timeoutMs ?? 150_000);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? -1));
  });
  clearTimeout(killer);
  return { code, ...text };
}
