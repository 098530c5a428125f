// `pinnace crd diff`: what the kinds of modules change about definitions that are there, field by field.
// Invariant: nothing is written, to the cluster or to files.
import {
  type DefinitionChange,
  definitionChanges,
} from '../../controllers/framework/kinds/definition-diff.ts';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import type { Kind } from '../../controllers/framework/kinds/kind.ts';
import { connected, type ConnectionFlags } from './connection.ts';
import { definitionIn, definitionsOf, loadKinds, nameOf, UNCONVERTED } from './crd-kinds.ts';

/** What to compare with. */
export interface DiffFlags extends ConnectionFlags {
  readonly against?: string;
}

/** Prints the differences; exit status 1 where there are some. */
export async function diffKinds(files: readonly string[], flags: DiffFlags): Promise<void> {
  const kinds = await loadKinds(files);
  const tell = (kind: Kind, old: CustomResourceDefinition | undefined) => {
    const lines = diffLines(kind, old);
    process.stdout.write(`${lines.join('\n')}\n`);
    if (lines.length > 1 || old === undefined) process.exitCode = 1;
  };
  if (flags.against !== undefined) {
    const known = definitionsOf(flags.against);
    for (const kind of kinds) tell(kind, known.get(nameOf(kind)));
    return;
  }
  await connected(flags, async ({ client }) => {
    for (const kind of kinds) tell(kind, await definitionIn(client, nameOf(kind)));
  });
}

/** A heading, and a line for each difference. */
export function diffLines(kind: Kind, old: CustomResourceDefinition | undefined): string[] {
  const name = nameOf(kind);
  if (old === undefined) return [`${name}: new`];
  const changes = definitionChanges(old, kind.definition(UNCONVERTED));
  if (changes.length === 0) return [`${name}: unchanged`];
  return [`${name}:`, ...changes.map(lineOf)];
}

function lineOf({ sort, version, path, what }: DefinitionChange): string {
  const place = [version, path].filter((part) => part !== '').join(' ');
  return `  ${sort.padEnd(8)}  ${place}: ${what}`;
}
