// kubectl's client-side apply leaves the last configuration in an annotation. Server-side applies by kubectl take over
// what it says, and keep it up to date, so that users can go back and forth.
// Invariant: an annotation that cannot be read gives nothing away.
import { compare } from '../../api/fieldset/compare.ts';
import { FieldSetError } from '../../api/fieldset/field-set-error.ts';
import { difference, EMPTY_SET, type FieldSet } from '../../api/fieldset/field-set.ts';
import { misfitsOf } from '../../api/fieldset/check-config.ts';
import { toFieldSet } from '../../api/fieldset/to-field-set.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { ANNOTATIONS_LIMIT_BYTES } from '../../api/meta/validate-meta.ts';
import { type KindView, ownable } from './object-views.ts';

/** The annotation. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Fields whose value is still the one that was applied last on the client: kubectl may change those, whoever owns them. */
export function fieldsOfLastApplied(view: KindView, live: LooseObject | undefined): FieldSet {
  const text = live?.metadata.annotations?.[LAST_APPLIED];
  if (!live || !text) return EMPTY_SET;
  const applied = parsed(text);
  if (applied?.apiVersion !== view.apiVersion || misfitsOf(view.type, applied).length > 0)
    return EMPTY_SET;
  try {
    const { changed, removed } = compare(
      ownable(view.type, 'everything'),
      applied,
      view.show(live),
    );
    return difference(difference(toFieldSet(view.type, applied), changed), removed);
  } catch (error) {
    if (error instanceof FieldSetError) return EMPTY_SET;
    throw error;
  }
}

function parsed(text: string): LooseObject | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? (value as LooseObject) : undefined;
  } catch {
    return undefined;
  }
}

/** The object with the annotation, where it has one, saying what was applied now. One that would be too long is dropped. */
export function withNewLastApplied(object: LooseObject, config: LooseObject): LooseObject {
  const { [LAST_APPLIED]: old, ...others } = object.metadata.annotations ?? {};
  if (!old) return object;
  const { [LAST_APPLIED]: _, ...applied } = config.metadata.annotations ?? {};
  const { annotations: _annotations, ...metadata } = config.metadata;
  const annotated =
    Object.keys(applied).length > 0 ? { ...metadata, annotations: applied } : metadata;
  const text = `${JSON.stringify(sorted({ ...config, metadata: annotated }))}\n`;
  const annotations = { ...others, [LAST_APPLIED]: text };
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  const kept = bytes > ANNOTATIONS_LIMIT_BYTES ? others : annotations;
  return { ...object, metadata: { ...object.metadata, annotations: kept } };
}

/** Keys in order, as kubectl writes the annotation. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
