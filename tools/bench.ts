// `npm run bench [-- PART ...]`: runs bench/main.ts in a network namespace and a temporary folder of its own, and cleans up after it.
// Invariant: however it ends, short of being killed itself, no cluster, namespace or file is left behind but bench-results/.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aHostNamespace, type HostNamespace } from './host-namespace.ts';

const MAIN = fileURLToPath(new URL('bench/main.ts', import.meta.url));
const COMMAND = fileURLToPath(new URL('../cli/pinnace.mjs', import.meta.url));

/** Ends what a bench that was killed left running. */
async function endClusters(namespace: HostNamespace, folder: string): Promise<void> {
  for (const name of readdirSync(folder)) {
    const dataDir = join(folder, name);
    if (existsSync(join(dataDir, 'supervisor.json')))
      await namespace.run(process.execPath, [COMMAND, 'down', '--data-dir', dataDir]);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const namespace = aHostNamespace();
const args = [...process.execArgv, MAIN, ...process.argv.slice(2)];
const child = namespace.start(process.execPath, args, { env: { TMPDIR: folder } });
child.stdin?.end();
child.stdout?.pipe(process.stdout);
child.stderr?.pipe(process.stderr);
const end = () => child.kill('SIGTERM');
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end);
const closed = once(child, 'close');
const [code] = (await once(child, 'exit')) as [number | null];
// What is left running still holds the output open.
await endClusters(namespace, folder);
await closed;
namespace.dispose();
rmSync(folder, { recursive: true, force: true });
process.exit(code ?? 1);
