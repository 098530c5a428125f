// ConversionReviews (apiextensions.k8s.io/v1 and v1beta1): what a conversion webhook is asked, and what it may answer.
// Invariant: pure; of what comes back only labels and annotations of metadata are taken, and nothing that is not the object
// that was sent, in the version that was asked for. Wordings are those API users know.
import { deepEqual } from '../../api/meta/deep-equal.ts';
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

function responseObjects(answer: unknown, review: Review): readonly unknown[] {
  const { apiVersion, kind, response } = (isRecord(answer) ? answer : {}) as Answer;
  // Answers of the old form are taken without what tells whom they are for.
  const strict = review.version === 'v1';
  const wanted = `${GROUP}/${review.version}, Kind=${KIND}`;
  const got = typeText(apiVersion, kind);
  if (strict && got !== wanted) throw failed(`expected webhook response of ${wanted}, got ${got}`);
  if (!isRecord(response)) throw failed('no response provided');
  if (strict) checkUid(response.uid, review.uid);
  checkResult(response.result);
  const objects = response.convertedObjects ?? [];
  if (!Array.isArray(objects)) throw failed('response.convertedObjects is no list');
  return objects;
}

function checkUid(uid: unknown, wanted: string): void {
  if (uid === wanted) return;
  const got = typeof uid === 'string' ? uid : '';
  throw failed(`expected response.uid=${quoted(wanted)}, got ${quoted(got)}`);
}

function checkResult(result: NonNullable<Answer['response']>['result']): void {
  const { status, message } = isRecord(result) ? result : {};
  if (status === 'Success') return;
  if (typeof message === 'string' && message !== '') throw failed(message);
  throw failed(`response.result.status was '${shown(status ?? '')}', not 'Success'`);
}

interface Place {
  readonly desiredApiVersion: string;
  /** Undefined where one object was sent alone. */
  readonly index: number | undefined;
}

function checked(before: LooseObject, after: unknown, { desiredApiVersion, index }: Place) {
  const at = index === undefined ? 'object' : `converted object at index ${index}`;
  const type = wrongType(before, after, desiredApiVersion);
  if (type !== undefined) {
    const first = index === undefined ? 'object at index 0' : at;
    throw new ConversionFault(`returned invalid ${first}: ${type}`);
  }
  const wrong = wrongObject(before, after as LooseObject);
  if (wrong !== undefined) throw new ConversionFault(`returned invalid ${at}: ${wrong}`);
  const { metadata, ...rest } = after as LooseObject;
  const kept = keptMetadata(before.metadata, metadata);
  if (typeof kept !== 'string') return { ...rest, metadata: kept };
  const where = index === undefined ? 'metadata' : `metadata in object at index ${index}`;
  throw new ConversionFault(`returned invalid ${where}: ${kept}`);
}

/** Why it is not of the kind that was sent, in the version that was asked for. */
function wrongType({ kind }: LooseObject, after: unknown, wanted: string): string | undefined {
  if (!isRecord(after)) return 'it is no object';
  const { apiVersion, kind: got } = after;
  if (apiVersion !== wanted)
    return `invalid groupVersion (expected ${wanted}, received ${shown(apiVersion)})`;
  return got === kind ? undefined : `invalid kind (expected ${kind}, received ${shown(got)})`;
}

/** Why it is not the object that was sent. */
function wrongObject(before: LooseObject, { metadata }: LooseObject): string | undefined {
  const meta: Readonly<Record<string, unknown>> = isRecord(metadata) ? metadata : {};
  const same = [
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
  if (!isRecord(after)) return `invalid metadata of type ${goType(after)} in converted object`;
  const { labels: _l, annotations: _a, ...kept } = before;
  const texts: Record<string, Record<string, string>> = {};
  for (const field of ['labels', 'annotations'] as const) {
    const map = after[field] ?? undefined;
    if (map === undefined) continue;
    if (!isRecord(map))
      return `invalid metadata.${field} of type ${goType(map)} in converted object`;
    const odd = Object.entries(map).find(([, value]) => typeof value !== 'string');
    if (odd)
      return `metadata.${field}[${odd[0]}] must be a string, but is ${goType(odd[1])} in converted object`;
    texts[field] = map as Record<string, string>;
  }
  const { labels, annotations } = texts;
  // What was there before is not held to rules of today.
  const errors = [
    ...(deepEqual(labels, before.labels) ? [] : validateLabels(labels, 'metadata.labels')),
    ...(deepEqual(annotations, before.annotations)
      ? []
      : validateAnnotations(annotations, 'metadata.annotation')),
  ].map(({ field, message }) => `${field}: ${message}`);
  if (errors.length > 0) return errors.length === 1 ? String(errors[0]) : `[${errors.join(', ')}]`;
  return { ...kept, ...(labels && { labels }), ...(annotations && { annotations }) };
}

/** What upstream calls the type of a JSON value. */
function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}

const failed = (why: string): ConversionFault => new ConversionFault(`failed: ${why}`);

/** Characters of a webhook's own values that go into a message. */
const MAX_SHOWN_CHARS = 256;

const shown = (value: unknown): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, MAX_SHOWN_CHARS);
function typeText(apiVersion: unknown, kind: unknown): string {
  const text = shown(apiVersion);
  return `${text.includes('/') ? '' : '/'}${text}, Kind=${shown(kind)}`;
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, MAX_SHOWN_CHARS));

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
