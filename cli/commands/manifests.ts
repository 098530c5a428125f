// Reads manifests: files, folders, standard input; YAML streams and JSON, as kubectl reads them (YAML 1.1).
// Invariant: a broken document hides none of the others; each problem names its file and line.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isScalar, LineCounter, parseAllDocuments, type Document, type ScalarTag } from 'yaml';
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { CommandFailure } from './command-failure.ts';

/** A document that can be used, or why it cannot. */
export type ManifestDocument =
  | { readonly kind: 'object'; readonly object: KubeObject; readonly file: string }
  | { readonly kind: 'broken'; readonly problem: string };

const ENDINGS = ['.json', '.yaml', '.yml'];

/** How folders are read. */
export interface ManifestReading {
  /** Folders within folders, too. */
  readonly recursive?: boolean | undefined;
}

/** All documents of the named files and folders, in order. `-` is standard input. A folder without any is refused. */
export function readManifests(
  paths: readonly string[],
  reading: ManifestReading = {},
): ManifestDocument[] {
  return paths.flatMap((path) =>
    filesOf(path, reading).flatMap((file) => parseManifest(textOf(file), file)),
  );
}

function filesOf(path: string, { recursive = false }: ManifestReading): string[] {
  if (path === '-') return [path];
  try {
    if (!statSync(path).isDirectory()) return [path];
  } catch {
    throw new CommandFailure(`the path "${path}" does not exist`);
  }
  const files = readdirSync(path, { recursive, encoding: 'utf8' })
    .filter((name) => ENDINGS.some((ending) => name.endsWith(ending)))
    .sort()
    .map((name) => join(path, name));
  if (files.length === 0)
    throw new CommandFailure(
      `error reading [${path}]: recognized file extensions are [${ENDINGS.join(' ')}]`,
    );
  return files;
}

function textOf(file: string): string {
  return readFileSync(file === '-' ? 0 : file, 'utf8');
}

/** kubectl's YAML has neither timestamps nor base-60 numbers. */
function kubernetesTags(tags: readonly (ScalarTag | string)[]): (ScalarTag | string)[] {
  return tags.filter((tag) => {
    if (typeof tag === 'string') return !['timestamp', 'intTime', 'floatTime'].includes(tag);
    return !(tag.tag.endsWith(':timestamp') || tag.format === 'TIME');
  });
}

/** The documents of one text. */
export function parseManifest(text: string, from: string): ManifestDocument[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: '1.1',
    merge: true,
    lineCounter: lines,
    customTags: (tags) => kubernetesTags(tags as (ScalarTag | string)[]) as typeof tags,
  });
  if ('empty' in documents) return [];
  return (documents as Document.Parsed[]).flatMap((document) =>
    documentOf(document, { from, lines }),
  );
}

function documentOf(
  document: Document.Parsed,
  at: { from: string; lines: LineCounter },
): ManifestDocument[] {
  const [error] = document.errors;
  if (error) {
    const line = error.linePos?.[0].line ?? at.lines.linePos(document.range[0]).line;
    const problem = `error parsing ${at.from}: line ${line}: ${error.message.split('\n')[0]}`;
    return [{ kind: 'broken', problem }];
  }
  if (
    document.contents === null ||
    (isScalar(document.contents) && document.contents.value === null)
  )
    return [];
  const line = at.lines.linePos(document.range[0]).line;
  return objectsOf(document.toJS({ maxAliasCount: 100 }), { file: at.from, line });
}

function objectsOf(value: unknown, at: { file: string; line: number }): ManifestDocument[] {
  const from = `${at.file} line ${at.line}`;
  const object = value as Partial<KubeObject> & { items?: unknown[] };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [{ kind: 'broken', problem: `${from}: not an object` }];
  if (object.kind === 'List' && Array.isArray(object.items))
    return object.items.flatMap((item) => objectsOf(item, at));
  for (const field of ['apiVersion', 'kind'] as const)
    if (typeof object[field] !== 'string' || object[field] === '')
      return [{ kind: 'broken', problem: `${from}: Object '${field}' is missing` }];
  if (typeof object.metadata !== 'object' || object.metadata === null)
    return [{ kind: 'broken', problem: `${from}: metadata is missing` }];
  return [{ kind: 'object', object: object as KubeObject, file: at.file }];
}

/** Which namespace manifests go to. */
export interface NamespaceChoice {
  /** For objects that name none. */
  readonly namespace?: string;
  /** The user asked for that namespace (-n): an object that names another is refused. */
  readonly namespaceAsked?: boolean;
}

/** Where an object goes; undefined for a kind without namespaces. Throws where it may not go there. */
export function namespaceFor(
  ref: KindRef,
  { metadata }: KubeObject,
  { namespace = 'default', namespaceAsked = false }: NamespaceChoice,
): string | undefined {
  if (!ref.namespaced) return undefined;
  const own = metadata.namespace || namespace;
  if (namespaceAsked && own !== namespace)
    throw new CommandFailure(
      `the namespace from the provided object "${own}" does not match the namespace "${namespace}". You must pass '--namespace=${own}' to perform this operation.`,
    );
  return own;
}
