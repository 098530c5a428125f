// The kinds that modules of the user export, and definitions to compare them with.
// Invariant: a module runs as it would anywhere else; what keeps it from loading is told with its file, never as a stack.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import { CustomResourceDefinitions } from '../../api/kinds.ts';
import { isNotFound } from '../../api/status.ts';
import type { Client } from '../../client/rest/client.ts';
import { isKind, type Kind } from '../../controllers/framework/kinds/kind.ts';
import { CommandFailure } from './command-failure.ts';
import { readManifests } from './manifests.ts';

/** How kinds are compared: where versions are converted is no part of it. */
export const UNCONVERTED = { conversion: { strategy: 'None' } } as const;

/** The name of a kind's definition. */
export const nameOf = ({ group, plural }: Pick<Kind, 'group' | 'plural'>): string =>
  `${plural}.${group}`;

/** The kinds of all modules, by the name of their definition. Throws where a module has none, or two are defined alike. */
export async function loadKinds(files: readonly string[]): Promise<Kind[]> {
  const found = new Map<string, Kind>();
  for (const file of files) {
    const kinds = Object.values(await loaded(file)).filter(isKind);
    if (kinds.length === 0)
      throw new CommandFailure(`${file} exports no kind: export what defineKind answers`);
    for (const kind of new Set(kinds)) addKind(found, kind, file);
  }
  return [...found.values()];
}

/** Older versions are often exported, too: they are parts of the kind that names them. */
function addKind(found: Map<string, Kind>, kind: Kind, file: string): void {
  const name = nameOf(kind);
  const other = found.get(name);
  if (other === undefined || other === kind || kind.versions.has(other.version)) {
    found.set(name, kind);
    return;
  }
  if (other.versions.has(kind.version)) return;
  throw new CommandFailure(
    `${file} defines ${name} in ${kind.version}, which is defined in ${other.version} already: name one of them in the versions of the other`,
  );
}

async function loaded(file: string): Promise<Record<string, unknown>> {
  if (!existsSync(file)) throw new CommandFailure(`the path "${file}" does not exist`);
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(`cannot load ${file}: ${why}`);
  }
}

/** The definition as the cluster has it; undefined where it has none. */
export async function definitionIn(
  client: Client,
  name: string,
): Promise<CustomResourceDefinition | undefined> {
  try {
    return await client.resource(CustomResourceDefinitions).get({ name });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The definitions of files or folders, by name. Throws CommandFailure for what is none. */
export function definitionsOf(path: string): ReadonlyMap<string, CustomResourceDefinition> {
  const definitions = new Map<string, CustomResourceDefinition>();
  for (const document of readManifests([path])) {
    if (document.kind === 'broken') throw new CommandFailure(document.problem);
    const { object } = document;
    if (object.kind === CustomResourceDefinitions.kind)
      definitions.set(object.metadata.name ?? '', object as CustomResourceDefinition);
  }
  return definitions;
}
