// `npm run reference`: what the package exports, as Markdown in docs/reference/ (never committed).
// Invariant: pages of a former run that are no longer made are removed; exit status 1 where a doc comment is wrong.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { REFERENCE_CONFIG, REFERENCE_ENTRIES } from './reference/entries.ts';
import { referenceFaults } from './reference/faults.ts';
import { referencePages } from './reference/pages.ts';
import { readExports } from './reference/read-exports.ts';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'docs', 'reference');
const entries = readExports(root, REFERENCE_CONFIG, REFERENCE_ENTRIES);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [name, text] of referencePages(entries)) {
  writeFileSync(join(folder, name), text);
  process.stdout.write(`docs/reference/${name}\n`);
}
const faults = referenceFaults(root, entries);
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
