// Writes the git-ignored api/generated/ from the model classes of @kubernetes/client-node:
// types.ts (TypeScript interfaces) and schemas.json (OpenAPI v3 schemas by upstream name).
// Does nothing when what is there came from the same package version and the same generator.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModels } from './generate/read-models.ts';
import { writeSchemas } from './generate/write-schemas.ts';
import { writeTypes } from './generate/write-types.ts';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, '../node_modules/@kubernetes/client-node');
const target = join(here, '../api/generated');
const OUTPUTS = ['types.ts', 'schemas.json'] as const;

/** The package's version and a digest of this generator: equal stamps mean equal output. */
function stamp(): string {
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as {
    version: string;
  };
  const digest = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)));
  for (const file of readdirSync(join(here, 'generate')).sort()) {
    digest.update(file).update(readFileSync(join(here, 'generate', file)));
  }
  return `${version} ${digest.digest('hex').slice(0, 16)}\n`;
}

/** Whole files only: another process may be reading. */
function writeWhole(name: string, text: string): void {
  const partial = join(target, `.${name}.${process.pid}`);
  writeFileSync(partial, text);
  renameSync(partial, join(target, name));
}

function generate(): void {
  const current = stamp();
  const stampFile = join(target, '.version');
  const complete = [stampFile, ...OUTPUTS.map((name) => join(target, name))].every(existsSync);
  if (complete && readFileSync(stampFile, 'utf8') === current) return;
  const models = readModels(join(source, 'dist/gen'));
  mkdirSync(target, { recursive: true });
  writeWhole('types.ts', writeTypes(models.models));
  writeWhole('schemas.json', writeSchemas(models));
  writeWhole('.version', current);
  process.stdout.write(`api/generated: ${models.models.size} kinds and parts of kinds\n`);
}

generate();
