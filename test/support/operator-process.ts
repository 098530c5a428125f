// An operator of the examples as its users run it: a process of its own, on a kubeconfig.
// Invariant: whoever starts one ends it; what it said is at hand where it ends by itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A process that runs, or ran. */
export interface OperatorProcess {
  /** As `kill -9`: nothing is released. Resolves once it is gone. */
  kill(): Promise<void>;
  /** As Kubernetes ends it: answers its exit code. */
  stop(): Promise<number | null>;
  /** All that it logged. */
  log(): string;
}

/** Starts `main`, a path in this repository. */
export function startOperatorProcess(
  main: string,
  environment: Readonly<Record<string, string>>,
): OperatorProcess {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    child.kill(signal);
    return (await ended)[0];
  };
  return {
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    log: () => log,
  };
}
