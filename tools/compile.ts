// Compiles the programs of a cluster ahead of their first start, which then takes half as long: types stripped and code
// compiled once, where cli/pinnace.mjs has every process look for it.
// Invariant: repeatable; does nothing when this Node has done it in this clone. What changes later is compiled as it is used.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flagsOf, PROGRAMS, programOf } from '../cli/serve/programs.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, 'node_modules', '.cache');
const stamp = join(cache, 'compiled-by');

/** Runs Node, which writes what it compiled as it ends. Rejects when it fails. */
async function compile(args: readonly string[]): Promise<void> {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(cache, 'compile') };
  const child = spawn(process.execPath, [...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with status ${code}`);
}

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== process.version) {
  process.stderr.write('setup: compiling\n');
  await compile(['--disable-warning=ExperimentalWarning', join(root, 'cli/pinnace.mjs'), '--help']);
  // Compiled code belongs to the flags that it was compiled under.
  for (const name of PROGRAMS) {
    const load = `import ${JSON.stringify(programOf(name))};`;
    await compile([...flagsOf(name), '--input-type=module', '--eval', load]);
  }
  writeFileSync(stamp, process.version);
}
