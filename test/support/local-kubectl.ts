// The real kubectl against a server in the test's own process: for what the test itself answers, such as webhooks.
// Invariant: its home is a folder of its own, which goes with close(); no call outlives its ceiling.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome, RunHow } from '../../tools/host-namespace.ts';
import { type Kubectl, kubectlFor } from './kubectl.ts';

const CEILING_MS = 60_000;

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

async function run(program: string, args: readonly string[], how: RunHow = {}): Promise<Outcome> {
  const child = start(program, args, how);
  const timer = setTimeout(() => child.kill('SIGKILL'), how.timeoutMs ?? CEILING_MS);
  const texts = [child.stdout, child.stderr].map(async (stream) => {
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) text += chunk as string;
    return text;
  });
  child.stdin.on('error', () => undefined).end(how.input ?? '');
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('close', (status) => resolve(status ?? -1));
  });
  clearTimeout(timer);
  const [stdout = '', stderr = ''] = await Promise.all(texts);
  return { code, stdout, stderr };
}
