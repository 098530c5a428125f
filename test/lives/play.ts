// What a scenario's container does, said once: a script of the test image's shell for real runtimes, a life for the fake one.
// Invariant: both come to the same exit codes, log lines, messages and files at the same times from the container's start.
import type { LaterLine } from '../../kubelet/runtime/fake/life.ts';
import type { PodLife } from '../../testing/nodes/pod-life.ts';

/** One thing that a container does; they happen one after the other, and past the last one it ends with code 0. */
export type PlayStep =
  | { readonly says: string }
  | { readonly complains: string }
  | { readonly sleeps: number }
  | { readonly touches: string }
  | { readonly removes: string }
  /** Writes its termination message. */
  | { readonly tells: string; readonly to?: string }
  | { readonly exits: number }
  /** Runs on until it is told to end. */
  | { readonly runs: true }
  /** Takes more memory than it has. */
  | { readonly eats: 'memory' }
  /** Lines of shell, where there is a shell: nothing on the fake runtime. */
  | { readonly sh: string };

/** What it makes of its stop signal: ends at once with code 0 unless said. */
export interface OnStop {
  readonly signal?: string;
  readonly says?: string;
  /** Seconds until it ends. */
  readonly takes?: number;
  readonly exits?: number;
}

/** What a container does. */
export interface Play {
  readonly steps: readonly PlayStep[];
  readonly onStop?: OnStop | 'ignores';
}

/** Plays of a container that does one thing the first time, and another when it is started again. */
export interface PlayByAttempt {
  readonly first: Play;
  readonly later: Play;
}

/** A play of these steps. */
export const play = (...steps: PlayStep[]): Play => ({ steps });
/** Runs on, and ends when it is told to. */
export const steady: Play = play({ runs: true });
/** Runs on whatever it is told. */
export const stubborn: Play = { steps: [{ runs: true }], onStop: 'ignores' };

/** Where PlayByAttempt keeps how often it was started; an emptyDir that the runner adds. */
export const ATTEMPTS_PATH = '/attempts';

/** The script. `name` is the container's. */
export function scriptOf(played: Play | PlayByAttempt, name: string): string {
  if ('steps' in played) return lines(played);
  const count = `${ATTEMPTS_PATH}/${name}`;
  return [
    `if [ -e ${count} ]; then`,
    lines(played.later),
    'else',
    `touch ${count}`,
    lines(played.first),
    'fi',
  ].join('\n');
}

function lines({ steps, onStop }: Play): string {
  return [trapOf(onStop), ...steps.map(lineOf)].join('\n');
}

function trapOf(onStop: Play['onStop']): string {
  if (onStop === 'ignores') return "trap '' TERM";
  const { signal = 'TERM', says, takes, exits = 0 } = onStop ?? {};
  const acts = [
    ...(says === undefined ? [] : [`echo ${quoted(says)}`]),
    ...(takes === undefined ? [] : [`sleep ${takes}`]),
    `exit ${exits}`,
  ];
  return `trap "${acts.join('; ')}" ${signal}`;
}

function lineOf(step: PlayStep): string {
  if ('says' in step) return `echo ${quoted(step.says)}`;
  if ('complains' in step) return `echo ${quoted(step.complains)} >&2`;
  if ('sleeps' in step) return `sleep ${step.sleeps} & wait $!`;
  if ('touches' in step) return `touch ${step.touches}`;
  if ('removes' in step) return `rm -f ${step.removes}`;
  if ('tells' in step)
    return `printf %s ${quoted(step.tells)} > ${step.to ?? '/dev/termination-log'}`;
  if ('exits' in step) return `exit ${step.exits}`;
  if ('runs' in step) return 'while :; do sleep 1000 & wait $!; done';
  if ('eats' in step) return 'exec dd if=/dev/zero of=/dev/null bs=200M count=1';
  return step.sh;
}

/** A word of the shell; texts of plays hold no quotes, which would have to pass through a trap. */
function quoted(text: string): string {
  if (/['"$`\\]/.test(text)) throw new Error(`a play says no quotes and no dollars: ${text}`);
  return `'${text}'`;
}

/** The life, for a container that starts about now. */
export function lifeOf(
  played: Play | PlayByAttempt,
  attempt: number,
  clock: { now(): number },
): PodLife {
  const { steps, onStop } =
    'steps' in played ? played : attempt === 0 ? played.first : played.later;
  const log: (string | LaterLine)[] = [];
  const files: { atMs: number; path: string; there: boolean }[] = [];
  let atMs = 0;
  let message: string | undefined;
  let end: number | undefined = 0;
  for (const step of steps) {
    if ('says' in step) log.push({ atMs, line: step.says });
    else if ('complains' in step) log.push({ atMs, line: step.complains });
    else if ('sleeps' in step) atMs += step.sleeps * 1000;
    else if ('touches' in step) files.push({ atMs, path: step.touches, there: true });
    else if ('removes' in step) files.push({ atMs, path: step.removes, there: false });
    else if ('tells' in step) message = step.tells;
    else if ('exits' in step || 'runs' in step || 'eats' in step) {
      end = 'exits' in step ? step.exits : 'runs' in step ? undefined : 137;
      break;
    }
  }
  const startedAtMs = clock.now();
  return {
    log: log.map((each) => (typeof each !== 'string' && each.atMs === 0 ? each.line : each)),
    ...(message === undefined ? {} : { message }),
    ...(end === undefined ? stopOf(onStop) : { exitAfterMs: atMs, exitCode: end }),
    ...(onStop === 'ignores' ? { stubborn: true } : {}),
    exec: (command) => commandIn(files, command, () => clock.now() - startedAtMs),
  };
}

function stopOf(onStop: Play['onStop']): Pick<PodLife, 'stopMs' | 'exitCode'> {
  if (onStop === 'ignores' || onStop === undefined) return {};
  return { stopMs: (onStop.takes ?? 0) * 1000, exitCode: onStop.exits ?? 0 };
}

/** The few programs of the image that probes, hooks and steps use: on files that the play and they themselves make. */
function commandIn(
  files: { atMs: number; path: string; there: boolean }[],
  command: readonly string[],
  at: () => number,
): { exitCode: number; stdout?: string } {
  const [program = '', path = ''] = command;
  const now = at();
  const last = files.filter((each) => each.path === path && each.atMs <= now).at(-1);
  switch (program) {
    case 'touch':
    case 'rm':
      files.push({ atMs: now, path: command.at(-1) ?? '', there: program === 'touch' });
      return { exitCode: 0 };
    case 'cat':
      return { exitCode: last?.there ? 0 : 1 };
    case '/bin/sh':
      return { exitCode: Number(/^exit (\d+)$/.exec(command.at(-1) ?? '')?.[1] ?? 0) };
    default:
      return { exitCode: 0 };
  }
}
