// The real kubectl against a server in the test's own process: for what the test itself answers, such as webhooks.
// Invariant: its home is a folder of its own, which goes with close(); no call outlives its ceiling.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect, type Outcome, type RunHow } from '../../tools/host-namespace.ts';
import { type Kubectl, kubectlFor } from './kubectl.ts';

/** kubectl, and the way to tidy up after it. */
export interface LocalKubectl {
  readonly kubectl: Kubectl;
  close(): void;
}

/** kubectl for a kubeconfig. */
export function localKubectl(kubeconfig: string): LocalKubectl {
  const home = mkdtempSync(join(tmpdir(), 'local-kubectl-'));
  return {
    kubectl: kubectlFor({ host: { run, start }, kubeconfig, home }),
    close: () => rmSync(home, { recursive: true, force: true }),
  };
}

function start(program: string, args: readonly string[], { env }: Pick<RunHow, 'env'> = {}) {
  return spawn(program, args, { env: { PATH: '/usr/bin:/bin', ...env } });
}

const run = (program: string, args: readonly string[], how: RunHow = {}): Promise<Outcome> =>
  collect(start(program, args, how), how);
