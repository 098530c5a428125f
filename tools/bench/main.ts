// The bench itself, run by ../bench.ts in a network namespace and below a temporary folder of its own: `main.ts [PART ...]`.
// Invariant: every figure printed was measured in this run, one part after the other; an interrupt ends what runs, in order.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { api } from './api.ts';
import { endCluster } from './bench-cluster.ts';
import { calibration } from './calibration.ts';
import { cluster } from './cluster.ts';
import { crds } from './crds.ts';
import { watch } from './fan-out.ts';
import { framework } from './framework.ts';
import { images } from './images.ts';
import { node, nodeIdle } from './node.ts';
import type { Figure, Part } from './part.ts';
import { start } from './start.ts';
import { tables } from './tables.ts';

const PARTS: readonly Part[] = [
  calibration,
  start,
  api,
  watch,
  crds,
  cluster,
  node,
  images,
  framework,
];
/** Each measures some of another one's figures again: run where it is named. */
const SHORT: readonly Part[] = [nodeIdle];

function chosen(names: readonly string[]): readonly Part[] {
  const all = [...PARTS, ...SHORT];
  const unknown = names.find((name) => !all.some((part) => part.name === name));
  if (unknown === undefined)
    return names.length === 0 ? PARTS : all.filter(({ name }) => names.includes(name));
  const known = all.map(({ name }) => name).join(', ');
  process.stderr.write(`bench: there is no part ${unknown}; there are: ${known}\n`);
  process.exit(2);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    process.stderr.write(`bench: ended by ${signal}\n`);
    void endCluster().finally(() => process.exit(130));
  });

const figures: Figure[] = [];
for (const part of chosen(process.argv.slice(2))) {
  process.stderr.write(`bench: ${part.name}\n`);
  const directory = mkdtempSync(join(tmpdir(), 'p-'));
  await part.measure((figure) => {
    figures.push(figure);
    const clients = figure.load ? `, ${figure.load.clients} clients` : '';
    process.stderr.write(`  ${figure.what}${clients}: ${figure.value.toFixed(2)} ${figure.unit}\n`);
  }, directory);
  rmSync(directory, { recursive: true, force: true });
}
process.stdout.write(tables(figures));
mkdirSync('bench-results', { recursive: true });
const file = join('bench-results', `${new Date().toISOString().replaceAll(':', '-')}.json`);
writeFileSync(file, `${JSON.stringify({ node: process.version, figures }, null, 2)}\n`);
process.stdout.write(`\nwritten to ${file}\n`);
process.exit(0);
