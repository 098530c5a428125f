// The `pinnace` command as a process of its own, against a server of the test.
// Invariant: it sees nothing of the host's home; whatever it does, it is over when the call answers.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Outcome } from '../../tools/host-namespace.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const NODE = join(ROOT, 'node_modules', '.bin', 'node');

/** How to run it. */
export interface PinnaceRun {
  readonly kubeconfig?: string;
  readonly input?: string;
  /** Another program of the repository than the command. */
  readonly program?: string;
  /** Closes standard output at once, as `| head -0` does. */
  readonly deaf?: boolean;
  /** Tells it to end (SIGINT) once its standard error matches. */
  readonly endAfter?: RegExp;
}

/** Runs it to its end. */
export async function runPinnace(args: readonly string[], how: PinnaceRun = {}): Promise<Outcome> {
  const { program = 'cli/pinnace.ts', kubeconfig, input } = how;
  const { KUBECONFIG: _, ...env } = process.env;
  const child = spawn(NODE, [join(ROOT, program), ...args], {
    env: {
      ...env,
      HOME: '/nonexistent',
      NODE_NO_WARNINGS: '1',
      ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }),
    },
  });
  let stdout = '';
  let stderr = '';
  let told = false;
  if (how.deaf) child.stdout.destroy();
  else child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
    // A second signal would not wait for the end in order.
    if (!told && how.endAfter?.test(stderr)) told = child.kill('SIGINT');
  });
  child.stdin.end(input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout, stderr };
}
