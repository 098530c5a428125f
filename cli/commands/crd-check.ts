// `pinnace crd check`: would the objects that a cluster has stored outlive a new definition? Each is read and held to it.
// Invariant: nothing is written; objects are read a page at a time, and no more than MAX_NAMED of them are named.
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { Client } from '../../client/rest/client.ts';
import { listAll } from '../../client/rest/list-all.ts';
import { changeFaults } from '../../controllers/framework/kinds/definition-check.ts';
import {
  storedObjectCheck,
  type StoredObjectFinding,
} from '../../controllers/framework/kinds/stored-objects.ts';
import type { Kind } from '../../controllers/framework/kinds/kind.ts';
import { connected, type ConnectionFlags } from './connection.ts';
import { definitionIn, loadKinds, nameOf, UNCONVERTED } from './crd-kinds.ts';
import { diffLines } from './crd-diff.ts';

/** Objects of one kind that are named; of more, only how many they are. */
export const MAX_NAMED = 100;

/** Prints what would become of definitions and objects; exit status 1 where one would be refused, invalid or lose fields. */
export async function checkKinds(files: readonly string[], flags: ConnectionFlags): Promise<void> {
  const kinds = await loadKinds(files);
  await connected(flags, async ({ client }) => {
    for (const kind of kinds) {
      const lines = await checkedLines(client, kind);
      process.stdout.write(`${lines.join('\n')}\n`);
    }
  });
}

async function checkedLines(client: Client, kind: Kind): Promise<string[]> {
  const old = await definitionIn(client, nameOf(kind));
  const lines = diffLines(kind, old);
  if (old === undefined) return lines;
  const refused = changeFaults(old, kind.definition(UNCONVERTED));
  const told = refused.map(
    ({ path, message }) => `  the server would refuse it: ${path}: ${message}`,
  );
  const objects = await objectLines(client, kind, old);
  if (told.length > 0 || objects.broken > 0) process.exitCode = 1;
  return [...lines, ...told, ...objects.lines];
}

async function objectLines(client: Client, kind: Kind, old: CustomResourceDefinition) {
  const version = readIn(kind, old);
  if (version === undefined)
    return { lines: ['  objects: no version is served here and there'], broken: 0 };
  const check = storedObjectCheck(kind, old);
  const { kind: name, plural } = old.spec.names;
  const namespaced = old.spec.scope === 'Namespaced';
  const ref = { group: old.spec.group, version, kind: name, plural, namespaced };
  const lines: string[] = [];
  const counts = { all: 0, broken: 0 };
  for await (const object of listAll(client.resource(ref))) {
    counts.all += 1;
    // Items of a list do not say what they are.
    const typed = { ...object, apiVersion: `${ref.group}/${version}`, kind: name };
    const finding = check(typed);
    if (finding === undefined) continue;
    counts.broken += 1;
    if (counts.broken <= MAX_NAMED) lines.push(...findingLines(finding));
  }
  if (counts.broken > MAX_NAMED) lines.push(`  and ${counts.broken - MAX_NAMED} more`);
  const sum =
    counts.broken === 0
      ? `  objects: all ${counts.all} stay as they are`
      : `  objects: ${counts.broken} of ${counts.all} would be invalid or lose fields`;
  return { lines: [...lines, sum], broken: counts.broken };
}

/** A version that the server serves and the kind knows: the one that is to be stored, where it can be. */
function readIn(kind: Kind, { spec }: CustomResourceDefinition): string | undefined {
  const common = spec.versions.filter(({ name, served }) => served && kind.versions.has(name));
  const names = common.map(({ name }) => name);
  return [kind.storageVersion, kind.version].find((name) => names.includes(name)) ?? names[0];
}

function findingLines({ object, errors, lost }: StoredObjectFinding): string[] {
  const name = keyOf(object);
  return [
    ...errors.map(({ field, message }) => `  ${name} would be invalid: ${field}: ${message}`),
    ...lost.map((path) => `  ${name} would lose ${path}`),
  ];
}
