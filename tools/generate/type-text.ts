// Takes the package's type texts apart, so that both writers read them in one way.
// Invariant: a text of unknown form throws; nothing is guessed.

/** A type text as a tree. */
export type TypeTree =
  | { readonly kind: 'list'; readonly of: TypeTree }
  | { readonly kind: 'map'; readonly of: TypeTree }
  | { readonly kind: 'plain'; readonly name: PlainName }
  | { readonly kind: 'model'; readonly name: string };

type PlainName = 'string' | 'number' | 'boolean' | 'Date' | 'any' | 'IntOrString';

const PLAIN: ReadonlySet<string> = new Set([
  'string',
  'number',
  'boolean',
  'Date',
  'any',
  'IntOrString',
]);

/** Parses `Array<T>`, `{ [key: string]: T; }`, a plain name or a model class name. */
export function parseType(text: string): TypeTree {
  const list = /^Array<(.*)>$/.exec(text)?.[1];
  if (list !== undefined) return { kind: 'list', of: parseType(list) };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(text)?.[1];
  if (map !== undefined) return { kind: 'map', of: parseType(map) };
  // Microsecond times have a class of their own in the package; on the wire they are texts.
  if (text === 'V1MicroTime') return { kind: 'plain', name: 'Date' };
  if (PLAIN.has(text)) return { kind: 'plain', name: text as PlainName };
  if (/^[A-Z]\w*$/.test(text)) return { kind: 'model', name: text };
  throw new Error(`unknown type text: ${text}`);
}

/** The model class that a tree names, if it names one. */
export function modelIn(tree: TypeTree): string | undefined {
  if (tree.kind === 'model') return tree.name;
  return tree.kind === 'plain' ? undefined : modelIn(tree.of);
}
