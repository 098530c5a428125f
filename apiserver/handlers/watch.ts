// Watch of a collection or of one object: frames made once for all watchers, or shown as Tables or metadata.
// Invariant: no event after the start is missed or sent twice; a watcher that falls behind is ended with Expired.
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { badRequest, expired } from '../../api/status.ts';
import type { Reply, WatchEventObject, WatchFrame } from '../../api/wire/exchange.ts';
import { isTrue } from '../../api/wire/query-flag.ts';
import { partialMetadata } from '../../api/wire/table.ts';
import type { Exchange } from '../exchange.ts';
import { WATCH_TIMEOUT_MS } from '../options.ts';
import { JSON_TYPE } from '../reply.ts';
import { servedEvents, watchedObjects } from '../registry/served-objects.ts';
import { StorageError } from '../storage/storage.ts';
import { selectedWatch, type SelectedWatchOptions } from '../watch/selected-watch.ts';
import { errorFrame } from '../watch/watch-frames.ts';
import { atLeast, parseRevision, refuseFuture } from './get.ts';
import { checkWatchOptions, numbersOf } from './list-options.ts';
import { type Presentation, presentationOf, tableOf } from './presentation.ts';
import { prefixOf, selectionOf } from './selection.ts';

/** Answers a stream of events. One that history no longer covers is a lone ERROR event with 410, as upstream's. */
export async function watch(exchange: Exchange): Promise<Reply> {
  const { definition, request, server } = exchange;
  const { query } = request;
  const form = presentationOf(exchange);
  const selection = selectionOf(exchange);
  const initial = isTrue(query.get('sendInitialEvents'));
  checkWatchOptions(query);
  checkBookmarks(query, initial);
  const { timeoutMs = WATCH_TIMEOUT_MS * (1 + server.random.next()) } = numbersOf(query);
  const start = await startOf(exchange, initial);
  const { ref } = definition;
  const ending = new AbortController();
  // Runs on every way out, also when nobody ever reads a frame.
  const finish = () => {
    timer.cancel();
    request.signal.removeEventListener('abort', finish);
    definition.gone?.removeEventListener('abort', finish);
    ending.abort(new Error('the watch ends'));
  };
  const timer = server.clock.timer(timeoutMs, finish);
  for (const signal of [request.signal, definition.gone]) {
    if (signal?.aborted) finish();
    else signal?.addEventListener('abort', finish, { once: true });
  }
  const allowBookmarks = isTrue(query.get('allowWatchBookmarks'));
  try {
    const frames = selectedWatch(server.store, {
      clock: server.clock,
      signal: ending.signal,
      prefix: prefixOf(exchange, selection),
      start,
      predicate: selection.predicate,
      allowBookmarks,
      initialEventsEnd: initial && allowBookmarks,
      apiVersion: apiVersionOf(ref),
      kind: ref.kind,
      over: finish,
      ...(definition.form && { served: servedBy(definition) }),
    });
    return streamed(form === 'object' ? frames : shown(exchange, form, frames));
  } catch (error) {
    finish();
    if (!(error instanceof StorageError) || error.reason !== 'Expired') throw error;
    return streamed(only(errorFrame(expired(error.message))));
  }
}

/** What is watched as the kind serves it. */
function servedBy(definition: Exchange['definition']): SelectedWatchOptions['served'] {
  return {
    objects: (items) => watchedObjects(definition, items),
    events: (batch) => servedEvents(definition, batch),
  };
}

function streamed(frames: Extract<Reply, { kind: 'watch' }>['frames']): Reply {
  return { kind: 'watch', status: 200, headers: { 'content-type': JSON_TYPE }, frames };
}

// oxlint-disable-next-line typescript/require-await -- an async generator is what gives the iterable
async function* only(frame: WatchFrame): AsyncGenerator<readonly WatchFrame[]> {
  yield [frame];
}

function checkBookmarks(query: URLSearchParams, initial: boolean): void {
  if (initial && !isTrue(query.get('allowWatchBookmarks')))
    throw badRequest(
      'sendInitialEvents: Forbidden: allowWatchBookmarks=true is needed with sendInitialEvents',
    );
}

/**
 * resourceVersion unset or 0: the present objects first, then changes; else the changes after it. One that is still to come
 * is another history's (a store put back): it is refused, as a list is, where upstream's watch would pass over all that
 * happens until the numbers are reached. Clients read everything again then.
 */
async function startOf(exchange: Exchange, initial: boolean): Promise<'list' | 'now' | bigint> {
  const { server } = exchange;
  const { query } = exchange.request;
  const asked = query.get('resourceVersion');
  if (initial) {
    await atLeast(exchange, asked);
    return 'list';
  }
  if (query.has('sendInitialEvents') && (asked === null || asked === '' || asked === '0'))
    return 'now';
  if (asked === null || asked === '' || asked === '0') return 'list';
  const revision = parseRevision(asked);
  if (revision > server.store.revision) {
    await server.store.barrier();
    refuseFuture(server, revision);
  }
  return revision;
}

/** The frames with their objects in another form. Bookmarks and errors stay; the columns come with the first Table only. */
async function* shown(
  exchange: Exchange,
  form: Exclude<Presentation, 'object'>,
  frames: AsyncIterable<readonly WatchFrame[]>,
): AsyncGenerator<readonly WatchFrame[]> {
  let columns = true;
  for await (const batch of frames) {
    const out: WatchFrame[] = [];
    for (const frame of batch) {
      const { type, object } = frame.event();
      if (type === 'ERROR' || (type === 'BOOKMARK' && form === 'metadata')) {
        out.push(frame);
        continue;
      }
      const listMeta = { resourceVersion: object.metadata.resourceVersion ?? '' };
      const objects = type === 'BOOKMARK' ? [] : [object];
      const shape =
        form === 'metadata'
          ? partialMetadata(object)
          : tableOf(exchange, objects, { listMeta, columns });
      columns = false;
      out.push(frameOfValue({ type, object: shape as LooseObject }));
    }
    yield out;
  }
}

function frameOfValue(event: WatchEventObject): WatchFrame {
  return { bytes: Buffer.from(`${JSON.stringify(event)}\n`), event: () => event };
}
