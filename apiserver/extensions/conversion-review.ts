// ConversionReviews (apiextensions.k8s.io/v1 and v1beta1): what a conversion webhook is asked, and what it may answer.
// Invariant: pure; of what comes back only labels and annotations of metadata are taken, and nothing that is not the object
// that was sent, in the version that was asked for. Wordings are those API users know.
import type { LooseObject, ObjectMeta } from '../../api/meta/object.ts';
import { validateAnnotations } from '../../api/meta/validate-meta.ts';
import { validateLabels } from '../../api/meta/validate-labels.ts';

const GROUP = 'apiextensions.k8s.io';
const KIND = 'ConversionReview';
const KNOWN_VERSIONS: readonly string[] = ['v1', 'v1beta1'];

/** What is asked. */
export interface Review {
  readonly uid: string;
  /** Of the review itself: `v1` or `v1beta1`. */
  readonly version: string;
  readonly desiredApiVersion: string;
  readonly objects: readonly LooseObject[];
}

/** The first version of reviews, in the webhook's order, that this server speaks too. */
export function reviewVersion(offered: readonly string[]): string | undefined {
  return offered.find((version) => KNOWN_VERSIONS.includes(version));
}

/** The review as it is sent; `texts` are its objects as JSON. */
export function reviewText({ uid, version, desiredApiVersion }: Review, texts: string[]): string {
  const head = JSON.stringify({ kind: KIND, apiVersion: `${GROUP}/${version}` }).slice(0, -1);
  const asked = JSON.stringify({ uid, desiredAPIVersion: desiredApiVersion }).slice(0, -1);
  return `${head},"request":${asked},"objects":[${texts.join()}]}}`;
}

/** An answer that is none. The message is all but who was asked. */
export class ConversionFault extends Error {}

/** The objects of an answer, in order. Throws ConversionFault. */
export function convertedObjects(answer: unknown, review: Review): LooseObject[] {
  const found = responseObjects(answer, review);
  const { length } = review.objects;
  if (found.length !== length)
    throw new ConversionFault(`returned ${found.length} objects, expected ${length}`);
  return review.objects.map((object, index) =>
    checked(object, found[index], { ...review, index: length === 1 ? undefined : index }),
  );
}

interface Answer {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly response?: {
    readonly uid?: unknown;
    readonly convertedObjects?: unknown;
    readonly result?: { readonly status?: unknown; readonly message?: unknown };
  };
}

function responseObjects(answer: unknown, { uid, version }: Review): readonly unknown[] {
  const { apiVersion, kind, response } = (isRecord(answer) ? answer : {}) as Answer;
  const wanted = `${GROUP}/${version}, Kind=${KIND}`;
  const got = `${shown(apiVersion)}, Kind=${shown(kind)}`;
  if (got !== wanted) throw failed(`expected webhook response of ${wanted}, got ${got}`);
  if (!isRecord(response)) throw failed('no response provided');
  const sentUid = typeof response.uid === 'string' ? response.uid : '';
  // The old form was answered without it.
  if (version === 'v1' && sentUid !== uid)
    throw failed(`expected response.uid=${quoted(uid)}, got ${quoted(sentUid)}`);
  const { status, message } = isRecord(response.result) ? response.result : {};
  if (status !== 'Success') {
    const said = typeof message === 'string' && message !== '' ? message : undefined;
    throw failed(said ?? `response.result.status was '${shown(status ?? '')}', not 'Success'`);
  }
  const objects = response.convertedObjects ?? [];
  if (!Array.isArray(objects)) throw failed('response.convertedObjects is no list');
  return objects;
}

interface Place {
  readonly desiredApiVersion: string;
  /** Undefined where one object was sent alone. */
  readonly index: number | undefined;
}

function checked(before: LooseObject, after: unknown, { desiredApiVersion, index }: Place) {
  const at = index === undefined ? 'object' : `converted object at index ${index}`;
  const wrong = wrongObject(before, after, desiredApiVersion);
  if (wrong !== undefined) throw new ConversionFault(`returned invalid ${at}: ${wrong}`);
  const { metadata, ...rest } = after as LooseObject;
  const kept = keptMetadata(before.metadata, metadata);
  if (typeof kept !== 'string') return { ...rest, metadata: kept };
  const where = index === undefined ? 'metadata' : `metadata in object at index ${index}`;
  throw new ConversionFault(`returned invalid ${where}: ${kept}`);
}

/** Why it is not the object that was sent, in the version that was asked for. */
function wrongObject(before: LooseObject, after: unknown, wanted: string): string | undefined {
  if (!isRecord(after)) return 'it is no object';
  const { apiVersion, kind, metadata } = after;
  if (apiVersion !== wanted)
    return `invalid groupVersion (expected ${wanted}, received ${shown(apiVersion)})`;
  const meta = isRecord(metadata) ? metadata : {};
  const same = [
    ['kind', before.kind, kind],
    ['name', before.metadata.name, meta['name']],
    ['namespace', before.metadata.namespace, meta['namespace']],
    ['UID', before.metadata.uid, meta['uid']],
  ] as const;
  for (const [what, was, is] of same)
    if ((is ?? '') !== (was ?? ''))
      return `must have the same ${what}: ${shown(was)} != ${shown(is)}`;
  return undefined;
}

/** The metadata that was sent, with the labels and annotations that came back; or why those are none. */
function keptMetadata(before: ObjectMeta, after: unknown): ObjectMeta | string {
  if (after === undefined) return 'missing metadata in converted object';
  if (!isRecord(after)) return `invalid metadata of type ${typeof after} in converted object`;
  const { labels: _l, annotations: _a, ...kept } = before;
  const texts: Record<string, Record<string, string>> = {};
  for (const field of ['labels', 'annotations'] as const) {
    const map = after[field] ?? undefined;
    if (map === undefined) continue;
    if (!isRecord(map)) return `metadata.${field}: must be a map of texts`;
    const odd = Object.entries(map).find(([, value]) => typeof value !== 'string');
    if (odd) return `metadata.${field}[${odd[0]}]: must be a text`;
    texts[field] = map as Record<string, string>;
  }
  const { labels, annotations } = texts;
  const [error] = [
    ...validateLabels(labels, 'metadata.labels'),
    ...validateAnnotations(annotations, 'metadata.annotations'),
  ];
  if (error) return `${error.field}: ${error.message}`;
  return { ...kept, ...(labels && { labels }), ...(annotations && { annotations }) };
}

const failed = (why: string): ConversionFault => new ConversionFault(`failed: ${why}`);

/** Characters of a webhook's own values that go into a message. */
const MAX_SHOWN_CHARS = 256;

const shown = (value: unknown): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, MAX_SHOWN_CHARS);
const quoted = (text: string): string => JSON.stringify(text.slice(0, MAX_SHOWN_CHARS));

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
