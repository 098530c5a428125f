// `pinnace crd generate`: the definitions of kinds as YAML, to be applied or kept beside the program.
// Invariant: the same module gives the same text; a file is written whole or not at all.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kind } from '../../controllers/framework/kinds/kind.ts';
import { KindError } from '../../controllers/framework/kinds/kind-error.ts';
import { toYaml } from '../printers/yaml-printer.ts';
import { CommandFailure } from './command-failure.ts';
import { loadKinds, nameOf } from './crd-kinds.ts';

/** How to write them. */
export interface GenerateFlags {
  readonly out?: string;
  readonly reference?: boolean;
}

/** Writes the kinds of all modules. */
export async function generateDefinitions(
  files: readonly string[],
  { out, reference = false }: GenerateFlags,
): Promise<void> {
  const kinds = await loadKinds(files);
  const texts = kinds.map((kind) => (reference ? kind.reference() : definitionText(kind)));
  if (out === undefined) {
    process.stdout.write(texts.join(reference ? '\n' : '---\n'));
    return;
  }
  mkdirSync(out, { recursive: true });
  kinds.forEach((kind, i) => {
    const file = join(out, `${nameOf(kind)}.${reference ? 'md' : 'yaml'}`);
    const half = `${file}.part`;
    writeFileSync(half, texts[i] ?? '');
    renameSync(half, file);
    process.stdout.write(`${file}\n`);
  });
}

function definitionText(kind: Kind): string {
  try {
    return toYaml(kind.definition());
  } catch (error) {
    throw error instanceof KindError ? new CommandFailure(error.message) : error;
  }
}
