// Stored objects as they are served: for most kinds, and for what was written under the present schema, their very bytes.
// Invariants: an object is turned once for each served version, whoever reads it, and not at all where nothing is to be
// done; what could not be turned is tried again by the next reader.
import { breathe } from '../../base/breathe.ts';
import type { ResourceDefinition, StoredForm } from '../../api/definition.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { StatusError } from '../../api/status.ts';
import { FILTER_BATCH } from '../options.ts';
import { parseExactJson } from '../../base/exact-json.ts';
import { encodeObject, fillRevision, withRevision } from '../storage/revision-gap.ts';
import type { StoreEvent } from '../watch/visible-object.ts';
import { VisibleObject } from '../watch/visible-object.ts';

type Formed = Pick<ResourceDefinition, 'form'>;
type Turned = VisibleObject | Promise<VisibleObject>;

/** Requests that wait for objects of one version while a webhook is asked; further ones are to come again. */
export const MAX_WAITING_READERS = 100;

/** What became of the objects that were turned, by form: they are kept for as long as the objects are. */
const turnedBy = new WeakMap<StoredForm, WeakMap<VisibleObject, Turned>>();

/** The object as the definition serves it. Throws the StatusError of its form. */
export function servedObject({ form }: Formed, item: VisibleObject): Turned {
  if (!form || form.isServed(item.revision)) return item;
  const [one] = turned(form, [item]) as [Turned];
  return one instanceof Promise ? inTurn(form)(one) : one;
}

/** As servedObject, of many, in order; other work is let in between. */
export function servedObjects(
  { form }: Formed,
  items: readonly VisibleObject[],
): readonly VisibleObject[] | Promise<readonly VisibleObject[]> {
  if (!form || items.every(({ revision }) => form.isServed(revision))) return items;
  return allTurned(form, items, inTurn(form));
}

/** As servedObjects, for a watch: it waits however many do, and holds nobody up. */
export function watchedObjects(
  { form }: Formed,
  items: readonly VisibleObject[],
): readonly VisibleObject[] | Promise<readonly VisibleObject[]> {
  if (!form || items.every(({ revision }) => form.isServed(revision))) return items;
  return allTurned(form, items, patiently);
}

/** How an object that is on its way is waited for. */
type Wait = (one: Promise<VisibleObject>) => Promise<VisibleObject>;

const patiently: Wait = (one) => one;

const waiting = new WeakMap<StoredForm, number>();

/** As one of few: while a webhook hangs, what asks for its objects must not take the room of all other requests. */
function inTurn(form: StoredForm): Wait {
  return async (one) => {
    const before = waiting.get(form) ?? 0;
    if (before >= MAX_WAITING_READERS) {
      const why = `too many requests wait for the conversion of these objects, more than ${MAX_WAITING_READERS}`;
      throw new StatusError('TooManyRequests', why, { details: { retryAfterSeconds: 1 } });
    }
    waiting.set(form, before + 1);
    try {
      return await one;
    } finally {
      waiting.set(form, (waiting.get(form) ?? 1) - 1);
    }
  };
}

async function allTurned(
  form: StoredForm,
  items: readonly VisibleObject[],
  wait: Wait,
): Promise<readonly VisibleObject[]> {
  const served: VisibleObject[] = [];
  for (let at = 0; at < items.length; at += FILTER_BATCH) {
    if (at > 0) await breathe();
    const batch = items.slice(at, at + FILTER_BATCH);
    const stale = batch.filter(({ revision }) => !form.isServed(revision));
    const made = await madeOf(form, stale, wait);
    for (const item of batch) served.push(made.get(item) ?? item);
  }
  return served;
}

const servedEvent = new WeakMap<StoredForm, WeakMap<StoreEvent, StoreEvent>>();

/** Events with their objects as the definition serves them: the same events for all who watch it. */
export function servedEvents(
  { form }: Formed,
  events: readonly StoreEvent[],
): readonly StoreEvent[] | Promise<readonly StoreEvent[]> {
  if (!form || events.every((event) => staleParts(form, event).length === 0)) return events;
  return eventsTurned(form, events);
}

/** What of an event is not served as it stands. What a delete shows is its last state, older than its revision. */
function staleParts(form: StoredForm, { type, value, previous }: StoreEvent): VisibleObject[] {
  const parts = previous === undefined ? [] : [previous];
  if (type === 'put') parts.push(value);
  const stale = parts.filter(({ revision }) => !form.isServed(revision));
  return type === 'delete' && previous === undefined ? [value] : stale;
}

async function eventsTurned(
  form: StoredForm,
  events: readonly StoreEvent[],
): Promise<readonly StoreEvent[]> {
  // All at once, so that whoever is asked is asked once.
  const stale = events.flatMap((event) => staleParts(form, event));
  const made = await madeOf(form, stale, patiently);
  const known = memoOf(servedEvent, form);
  return events.map((event) => {
    let shown = known.get(event);
    if (!shown) known.set(event, (shown = eventOf(event, made)));
    return shown;
  });
}

function eventOf(event: StoreEvent, made: ReadonlyMap<VisibleObject, VisibleObject>): StoreEvent {
  const { type, value, previous, revision } = event;
  const before = previous && (made.get(previous) ?? previous);
  if (type === 'delete' && before !== undefined)
    return before === previous
      ? event
      : { ...event, value: asDeleted(before, revision), previous: before };
  const now = made.get(value) ?? value;
  return now === value && before === previous ? event : { ...event, value: now, previous: before };
}

/** What became of each. */
async function madeOf(
  form: StoredForm,
  items: readonly VisibleObject[],
  wait: Wait,
): Promise<ReadonlyMap<VisibleObject, VisibleObject>> {
  const made = new Map<VisibleObject, VisibleObject>();
  for (const [i, one] of turned(form, items).entries())
    made.set(items[i] as VisibleObject, one instanceof Promise ? await wait(one) : one);
  return made;
}

/** Each of the objects, turned or on its way; those that nobody turned yet go together. */
function turned(form: StoredForm, items: readonly VisibleObject[]): readonly Turned[] {
  const known = memoOf(turnedBy, form);
  const fresh = new Set(items.filter((item) => !known.has(item)));
  if (fresh.size > 0) turn(form, [...fresh], known);
  return items.map((item) => known.get(item) as Turned);
}

function turn(
  form: StoredForm,
  items: readonly VisibleObject[],
  known: WeakMap<VisibleObject, Turned>,
): void {
  // Parsed for this alone: most readers want bytes.
  const objects = items.map((item) => parsed(item.bytes));
  const shownIn = (shown: readonly LooseObject[]) =>
    items.map((item, i) => shownAs(item, objects[i], shown[i]));
  const keep = (made: readonly VisibleObject[]) =>
    items.forEach((item, i) => known.set(item, made[i] as VisibleObject));
  const result = form.serve(objects);
  if (!(result instanceof Promise)) {
    keep(shownIn(result));
    return;
  }
  const made = result.then(shownIn);
  items.forEach((item, i) => {
    const one = made.then((all) => all[i] as VisibleObject);
    // Whoever waits is told; that nobody waits any more is no failure of its own.
    one.catch(() => undefined);
    known.set(item, one);
  });
  made.then(keep, () => {
    for (const item of items) known.delete(item);
  });
}

function shownAs(
  item: VisibleObject,
  before: LooseObject | undefined,
  shown: LooseObject | undefined,
): VisibleObject {
  if (shown === undefined || shown === before) return item;
  return withBytesOf(item, shown);
}

function withBytesOf({ key, revision }: VisibleObject, object: LooseObject): VisibleObject {
  const { bytes, revisionAt } = encodeObject(object);
  fillRevision(bytes, revisionAt, revision);
  return new VisibleObject({ key, revision, bytes, revisionAt });
}

/** The last state of a deleted object, with the revision of its end. */
export function asDeleted(last: VisibleObject, revision: bigint): VisibleObject {
  const { key, revisionAt } = last;
  return new VisibleObject({ key, revision, bytes: withRevision(last, revision), revisionAt });
}

function parsed({ buffer, byteOffset, byteLength }: Uint8Array): LooseObject {
  return parseExactJson(Buffer.from(buffer, byteOffset, byteLength).toString()) as LooseObject;
}

function memoOf<K extends object, V>(
  memos: WeakMap<StoredForm, WeakMap<K, V>>,
  form: StoredForm,
): WeakMap<K, V> {
  let memo = memos.get(form);
  if (!memo) memos.set(form, (memo = new WeakMap()));
  return memo;
}
