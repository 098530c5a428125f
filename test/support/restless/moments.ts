// Moments to kill at: some time after the last recovery, a few milliseconds after something happened on the host or in the
// API, or while a process that was killed starts again. Invariant: the whole plan follows from the seed.
import { type FSWatcher, readdirSync, readFileSync, watch } from 'node:fs';
import { basename, join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import type { Random } from '../../../base/random.ts';
import type { TestCluster } from '../cluster.ts';
import { runtimeLayout } from './host-pods.ts';
import { pause } from './pause.ts';

/** What may happen; each is seen within a millisecond or so. */
const HAPPENINGS = [
  'pod changes',
  'write is acknowledged',
  'checkpoint is written',
  'volumes are made',
  'network is recorded',
  'namespace is made',
  'sandbox is recorded',
  'container is recorded',
  'container is made by runc',
  'container ends',
  'rule is written',
] as const;
export type Happening = (typeof HAPPENINGS)[number];

/** Programs that the node agent runs; `runc start` is runc with start among its arguments. */
const PROGRAMS = ['runc start', 'runc exec', 'runc delete', 'conmon', 'nft'] as const;
export type Program = (typeof PROGRAMS)[number];

/** A process of the cluster. */
export type Victim = 'control-plane' | 'node';

/** When to kill. */
export type Moment =
  | { readonly kind: 'after recovery'; readonly ms: number }
  | { readonly kind: 'on'; readonly what: Happening; readonly ms: number }
  | { readonly kind: 'while the agent runs'; readonly what: Program; readonly ms: number }
  | { readonly kind: 'while it starts again'; readonly ms: number };

/** Whom to kill, and when. */
export interface Kill {
  readonly victims: readonly Victim[];
  /** So long a slow host keeps the programs that the node agent runs (runc, nft) from ending after its death. */
  readonly lingerMs: number;
  readonly moment: Moment;
}

/** Longest wait for something to happen: past it the kill comes without. */
const PATIENCE_MS = 3_000;
const MOST_AFTER_RECOVERY_MS = 1_500;
const MOST_AFTER_EVENT_MS = 120;
const MOST_INTO_PROGRAM_MS = 20;
const MOST_INTO_START_MS = 500;
const MOST_LINGER_MS = 1_500;

/** A plan of so many kills. */
export function planKills(random: Random, count: number): Kill[] {
  const one = <T>(all: readonly T[]): T => all[Math.floor(random.next() * all.length)] as T;
  const victims: readonly (readonly Victim[])[] = [
    ['control-plane'],
    ['node'],
    ['node'],
    ['control-plane', 'node'],
  ];
  return Array.from({ length: count }, (_, i) => {
    const pick = random.next();
    const share = random.next();
    const who = one(victims);
    const what = one(HAPPENINGS);
    const program = one(PROGRAMS);
    const lingers = random.next() < 0.5 && who.includes('node');
    const lingerMs = random.next() * (lingers ? MOST_LINGER_MS : 0);
    const kill = (moment: Moment): Kill => ({ victims: who, lingerMs, moment });
    if (pick < 0.25) return kill({ kind: 'after recovery', ms: share * MOST_AFTER_RECOVERY_MS });
    // The first milliseconds are where most is under way.
    if (pick < 0.55) return kill({ kind: 'on', what, ms: share * share * MOST_AFTER_EVENT_MS });
    if (pick < 0.8 || i === 0)
      return kill({
        kind: 'while the agent runs',
        what: program,
        ms: share * MOST_INTO_PROGRAM_MS,
      });
    return kill({ kind: 'while it starts again', ms: share * MOST_INTO_START_MS });
  });
}

/** A kill in words. */
export function inWords({ victims, lingerMs, moment }: Kill): string {
  const what = 'what' in moment ? ` ${moment.what}` : '';
  const lingers = lingerMs > 0 ? `, its programs ${lingerMs.toFixed(0)} ms later` : '';
  return `${victims.join(' and ')}, ${moment.kind}${what} + ${moment.ms.toFixed(1)} ms${lingers}`;
}

/** Kills a process, and keeps the programs that it ran from going on for a while, `runc create` below conmon too. */
export function killHard(pid: number, lingerMs: number, clusterRun: string): void {
  // Stopped first, so that it starts nothing more.
  if (lingerMs > 0) signal(pid, 'SIGSTOP');
  const programs = lingerMs > 0 ? [...childrenOf(pid), ...runcProcesses(clusterRun)] : [];
  for (const program of programs) signal(program, 'SIGSTOP');
  signal(pid, 'SIGKILL');
  void pause(lingerMs).then(() => programs.map((program) => signal(program, 'SIGCONT')));
}

/** Resolves while a process runs the program; or not, when it is long in coming. */
export async function running(pid: number, program: Program): Promise<void> {
  const [name = '', verb] = program.split(' ');
  const isIt = (child: number) => {
    const [command = '', ...args] = argumentsOf(child);
    return basename(command) === name && (verb === undefined || args.includes(verb));
  };
  const due = performance.now() + PATIENCE_MS;
  while (performance.now() < due && !childrenOf(pid).some(isIt)) await pause(1);
}

/** Those that are given this cluster's directory in /run. */
function runcProcesses(clusterRun: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const [command = '', ...args] = argumentsOf(pid);
      return basename(command) === 'runc' && args.some((arg) => arg.includes(clusterRun));
    });
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Signals a process that may have ended meanwhile. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended already.
    return;
  }
}

/** Sees what happens in a cluster. */
export class Happenings {
  readonly #waiting = new Map<Happening, Set<() => void>>();
  readonly #watchers: FSWatcher[];
  readonly #rules: ChildProcess;

  constructor(cluster: TestCluster) {
    const { node } = cluster.paths;
    const { containers, sandboxes, exits, runcRoot } = runtimeLayout(cluster);
    const folders: readonly (readonly [string, Happening])[] = [
      [join(node, 'checkpoints'), 'checkpoint is written'],
      [join(node, 'pods'), 'volumes are made'],
      [join(node, 'network', 'pods'), 'network is recorded'],
      ['/run/netns', 'namespace is made'],
      [sandboxes, 'sandbox is recorded'],
      [containers, 'container is recorded'],
      [runcRoot, 'container is made by runc'],
      [exits, 'container ends'],
    ];
    this.#watchers = folders.map(([folder, what]) => watch(folder, () => this.tell(what)));
    this.#rules = cluster.host.start('nft', ['monitor']);
    this.#rules.stdout?.on('data', () => this.tell('rule is written'));
  }

  /** It happened. */
  tell(what: Happening): void {
    for (const resolve of this.#waiting.get(what) ?? []) resolve();
    this.#waiting.delete(what);
  }

  /** The next time; or not, when it is long in coming. */
  async next(what: Happening): Promise<void> {
    const waiting = this.#waiting.get(what) ?? new Set();
    this.#waiting.set(what, waiting);
    await Promise.race([new Promise<void>((resolve) => waiting.add(resolve)), pause(PATIENCE_MS)]);
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#rules.kill('SIGKILL');
  }
}
