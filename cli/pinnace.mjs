#!/usr/bin/env node
// The `pinnace` command on any Node from 20 on: runs pinnace.ts with a Node that takes TypeScript.
// Invariant: same arguments, same streams, same exit status as the program behind it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where Node keeps sources with their types stripped, and compiled: each process of a cluster then starts sooner and
 * stays some 30 MB smaller, since it never loads the stripper. Passed on to every process by the environment.
 */
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
  new URL('../node_modules/.cache/compile', import.meta.url),
);
const main = join(dirname(fileURLToPath(import.meta.url)), 'pinnace.ts');

/** The Node 24 that the repository brings along, for a host whose own is older than 22.18. */
function broughtNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve(
      `node-${process.platform}-${process.arch}/package.json`,
    );
    const node = join(dirname(manifest), 'bin', 'node');
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined;
  }
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  nodeModule.enableCompileCache?.();
  await import('./pinnace.ts');
} else {
  const node = broughtNode();
  if (node === undefined) {
    process.stderr.write('pinnace: Node 22.18 or newer is needed (or run `npm run setup` first)\n');
    process.exit(1);
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal signals the whole group itself, and a second SIGINT does nothing more; what is sent to this process alone is passed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
