// `npm run check`: types, lint, format and tidy, side by side; prints each part's time and fails when one fails.
import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';

interface Part {
  readonly name: string;
  readonly command: readonly string[];
}

const bin = (name: string): string => `node_modules/.bin/${name}`;
const parts: readonly Part[] = [
  { name: 'types', command: [bin('tsc'), '-p', '.'] },
  { name: 'lint', command: [bin('oxlint'), '--deny-warnings'] },
  { name: 'format', command: [bin('biome'), 'format', '.'] },
  { name: 'tidy', command: [bin('vitest'), 'run', 'test/tidy', '--reporter=dot'] },
];

function run(part: Part): Promise<boolean> {
  const [command = '', ...args] = part.command;
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('close', (code) => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      process.stdout.write(`${code === 0 ? 'ok  ' : 'FAIL'} ${part.name} (${seconds} s)\n`);
      if (code !== 0) process.stdout.write(Buffer.concat(output));
      resolve(code === 0);
    });
  });
}

const results = await Promise.all(parts.map(run));
process.exit(results.every(Boolean) ? 0 : 1);
