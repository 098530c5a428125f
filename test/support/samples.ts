// The sample definitions of crds/ with the objects beside them, as texts and as values.
// Invariant: whatever definition is put into the folder is here; one without a right and a wrong object is an error.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'crds');
/** Opens each line of a wrong object's comment that says what the server tells. */
const ERROR_MARK = '# error: ';

/** A definition and two objects. */
export interface Sample {
  readonly name: string;
  /** Paths, for kubectl. */
  readonly files: { readonly definition: string; readonly right: string };
  readonly definition: CustomResourceDefinition;
  /** YAML of the object that is accepted. */
  readonly right: string;
  /** Objects that are refused. */
  readonly wrong: readonly WrongObject[];
}

/** An object that is refused. */
export interface WrongObject {
  readonly file: string;
  readonly text: string;
  /** What the refusal says, one text for each broken rule. */
  readonly errors: readonly string[];
}

/** All samples, by name. */
export function samples(): Sample[] {
  return readdirSync(FOLDER)
    .filter((file) => /^[a-z-]+\.yaml$/.test(file))
    .sort()
    .map((file) => sampleOf(file.slice(0, -'.yaml'.length)));
}

function sampleOf(name: string): Sample {
  const file = (part: string) => join(FOLDER, `${name}${part}.yaml`);
  const files = { definition: file(''), right: file('.right') };
  const wrong = readdirSync(FOLDER).filter((other) => other.startsWith(`${name}.wrong`));
  if (wrong.length === 0) throw new Error(`${name} has no wrong object beside it`);
  return {
    name,
    files,
    definition: parse(readFileSync(files.definition, 'utf8')) as CustomResourceDefinition,
    right: readFileSync(files.right, 'utf8'),
    wrong: wrong.map((other) => wrongObject(join(FOLDER, other))),
  };
}

function wrongObject(file: string): WrongObject {
  const text = readFileSync(file, 'utf8');
  const marked = text.split('\n').filter((line) => line.startsWith(ERROR_MARK));
  return { file, text, errors: marked.map((line) => line.slice(ERROR_MARK.length)) };
}

/** Where the objects of a definition's storage version are; those of namespaced kinds in `default`. */
export function collectionOf({ spec }: CustomResourceDefinition): string {
  const version = spec.versions.find(({ storage }) => storage)?.name ?? '';
  const place = spec.scope === 'Namespaced' ? 'namespaces/default/' : '';
  return `/apis/${spec.group}/${version}/${place}${spec.names.plural}`;
}
