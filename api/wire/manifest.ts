// The objects of a manifest's text: YAML streams and JSON, as kubectl reads them (YAML 1.1).
// Invariant: a broken document hides none of the others; each problem names its text and line.
import { isScalar, LineCounter, parseAllDocuments, type Document, type ScalarTag } from 'yaml';
import type { KubeObject } from '../meta/object.ts';

/** A document that can be used, or why it cannot. */
export type ManifestDocument =
  | { readonly kind: 'object'; readonly object: KubeObject; readonly file: string }
  | { readonly kind: 'broken'; readonly problem: string };

/** kubectl's YAML has neither timestamps nor base-60 numbers. */
function kubernetesTags(tags: readonly (ScalarTag | string)[]): (ScalarTag | string)[] {
  return tags.filter((tag) => {
    if (typeof tag === 'string') return !['timestamp', 'intTime', 'floatTime'].includes(tag);
    return !(tag.tag.endsWith(':timestamp') || tag.format === 'TIME');
  });
}

/** The documents of one text; `from` names it in problems. Lists become their items. */
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
