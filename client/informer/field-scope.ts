// What a cache can tell by itself of a field selector: of every kind, an object's name and namespace.
// Invariant: never says of an object what the server would not; of other fields, only that it is not known here.
import { type FieldTerm, matchesFields } from '../../api/meta/field-selector.ts';
import type { KubeObject } from '../../api/meta/object.ts';

const KNOWN: ReadonlySet<string> = new Set(['metadata.name', 'metadata.namespace']);

/** Whether the object is within all terms; `unknown` where that hangs on a field that only the server can judge. */
export function fieldVerdict(
  terms: readonly FieldTerm[],
  { metadata }: Pick<KubeObject, 'metadata'>,
): 'within' | 'outside' | 'unknown' {
  const known = terms.filter(({ field }) => KNOWN.has(field));
  const read = (field: string) =>
    (field === 'metadata.name' ? metadata.name : metadata.namespace) ?? '';
  if (!matchesFields(known, read)) return 'outside';
  return known.length === terms.length ? 'within' : 'unknown';
}
