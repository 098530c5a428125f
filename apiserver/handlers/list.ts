// GET of a collection: the objects' bytes joined; parsed only for selectors, Tables and metadata.
// Invariant: a page and its continuation show one revision; a token that is too old answers 410 with a fresh one.
import { breathe } from '../../base/breathe.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { ListMeta, LooseObject } from '../../api/meta/object.ts';
import { badRequest, expired } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import { partialMetadata } from '../../api/wire/table.ts';
import type { Exchange } from '../exchange.ts';
import { FILTER_BATCH } from '../options.ts';
import { JSON_TYPE, objectReply } from '../reply.ts';
import { servedObjects } from '../registry/served-objects.ts';
import { StorageError, type Stored } from '../storage/storage.ts';
import { type ObjectStore, VisibleObject } from '../watch/object-store.ts';
import { decodeToken, encodeToken } from './continue-token.ts';
import { atLeast, parseRevision, refuseFuture } from './get.ts';
import { checkListOptions, numbersOf } from './list-options.ts';
import { presentationOf, tableOf } from './presentation.ts';
import { prefixOf, type Selection, selectionOf } from './selection.ts';

/** What a list comes to before it is shown. */
interface Listed {
  readonly items: readonly VisibleObject[];
  readonly meta: ListMeta;
}

/** Which part of the collection, at which revision. */
interface Span {
  readonly prefix: string;
  readonly limit: number | undefined;
  readonly after: string | undefined;
  /** A past revision; undefined for now. */
  readonly at: bigint | undefined;
}

/** Answers a list. */
export async function list(exchange: Exchange): Promise<Reply> {
  const form = presentationOf(exchange);
  const selection = selectionOf(exchange);
  const span = await spanOf(exchange, prefixOf(exchange, selection));
  const listed = await collect(exchange, span, selection);
  const { definition } = exchange;
  if (form === 'object') return joined(definition.listKind, apiVersionOf(definition.ref), listed);
  const objects = listed.items.map((item) => item.object());
  if (form === 'table')
    return objectReply(tableOf(exchange, objects, { listMeta: listed.meta, columns: true }));
  return objectReply({
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    metadata: listed.meta,
    items: objects.map(partialMetadata),
  });
}

/** The rules of limit, continue, resourceVersion and resourceVersionMatch (API concepts, "Resource versions"). */
async function spanOf(exchange: Exchange, prefix: string): Promise<Span> {
  const { query } = exchange.request;
  checkListOptions(query);
  const { limit } = numbersOf(query);
  const token = query.get('continue') ?? '';
  const asked = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  if (token !== '') {
    if (asked !== '' && asked !== '0')
      throw badRequest(
        'resourceVersion: Forbidden: specifying resource version is not allowed when using continue',
      );
    const { revision, after } = decodeToken(token);
    return { prefix, limit, after: prefix + after, at: revision };
  }
  if (match === 'Exact') return { prefix, limit, after: undefined, at: parseRevision(asked) };
  await atLeast(exchange, asked);
  return { prefix, limit, after: undefined, at: undefined };
}

async function collect(exchange: Exchange, span: Span, selection: Selection): Promise<Listed> {
  const { limit = Infinity } = span;
  const found: VisibleObject[] = [];
  let { after, at } = span;
  let fetched = 0;
  for (;;) {
    const stored = await pageOf(exchange, {
      ...span,
      after,
      at,
      limit: selection.predicate ? FILTER_BATCH : span.limit,
    });
    const page = { ...stored, items: await servedObjects(exchange.definition, stored.items) };
    fetched += page.items.length;
    if (span.limit !== undefined) at ??= page.revision;
    const rest = takeInto(found, { page, limit, predicate: selection.predicate });
    after = rest.last?.key ?? after;
    if (!rest.left || found.length >= limit) {
      // Only memory knows how many are left.
      const from = page.remaining === undefined ? 'storage' : 'cache';
      const returned = found.length;
      exchange.server.lists.count(exchange.definition.ref, { from, fetched, returned });
      return { items: found, meta: metaOf({ page, span, selection, after, left: rest.left }) };
    }
    await breathe();
  }
}

/** Moves what is selected into `found` until that is full; tells the last one looked at, and whether any are left. */
function takeInto(
  found: VisibleObject[],
  from: { page: AnyPage; limit: number; predicate: Selection['predicate'] },
): { last: VisibleObject | undefined; left: boolean } {
  const { page, limit, predicate } = from;
  let taken = 0;
  for (const item of page.items) {
    if (found.length >= limit) break;
    taken += 1;
    if (!predicate || predicate(item.object())) found.push(item);
  }
  return { last: page.items[taken - 1], left: taken < page.items.length || page.more };
}

interface PageEnd {
  readonly page: AnyPage;
  readonly span: Span;
  readonly selection: Selection;
  readonly after: string | undefined;
  readonly left: boolean;
}

function metaOf({ page, span, selection, after, left }: PageEnd): ListMeta {
  const resourceVersion = String(page.revision);
  if (!left || after === undefined) return { resourceVersion };
  const token = encodeToken({ revision: page.revision, after: after.slice(span.prefix.length) });
  const remaining = selection.predicate ? undefined : page.remaining;
  const count = remaining === undefined ? {} : { remainingItemCount: remaining };
  return { resourceVersion, continue: token, ...count };
}

interface AnyPage {
  readonly items: readonly VisibleObject[];
  readonly revision: bigint;
  readonly more: boolean;
  readonly remaining?: number;
}

/** A page of the present out of memory, or of the past out of storage. */
async function pageOf({ server }: Exchange, span: Span): Promise<AnyPage> {
  const { store } = server;
  const part = {
    ...(span.limit === undefined ? {} : { limit: span.limit }),
    ...(span.after === undefined ? {} : { after: span.after }),
  };
  if (span.at === undefined || span.at === store.revision) return store.list(span.prefix, part);
  refuseFuture(server, span.at);
  try {
    const page = await store.pageAt(span.prefix, { ...part, at: span.at });
    return { ...page, items: page.items.map((item) => sharedWith(store, item)) };
  } catch (error) {
    if (!(error instanceof StorageError) || error.reason !== 'Expired') throw error;
    const fresh =
      span.after === undefined
        ? undefined
        : encodeToken({ revision: store.revision, after: span.after.slice(span.prefix.length) });
    throw expired(
      'The provided continue parameter is too old to display a consistent list result.',
      fresh,
    );
  }
}

/** What has not changed since is shared with all other readers: parsed once, and converted once. */
function sharedWith(store: ObjectStore, item: Stored): VisibleObject {
  const now = store.get(item.key);
  return now?.revision === item.revision ? now : new VisibleObject(item);
}

const COMMA = Buffer.from(',');
const END = Buffer.from(']}\n');

function joined(kind: string, apiVersion: string, { items, meta }: Listed): Reply {
  const head = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${JSON.stringify(meta)},"items":[`;
  const body: Uint8Array[] = [Buffer.from(head)];
  items.forEach((item, i) => {
    if (i > 0) body.push(COMMA);
    body.push(item.bytes);
  });
  body.push(END);
  return {
    kind: 'body',
    status: 200,
    headers: { 'content-type': JSON_TYPE },
    body,
    object: () =>
      ({
        kind,
        apiVersion,
        metadata: meta,
        items: items.map((item) => item.object()),
      }) as unknown as LooseObject,
  };
}
