// DELETE of a collection: each selected object as if deleted by itself.
import type { Reply } from '../../api/wire/exchange.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { isNotFound } from '../../api/status.ts';
import type { Exchange } from '../exchange.ts';
import { objectReply } from '../reply.ts';
import { servedObjects } from '../registry/served-objects.ts';
import { type DeleteOptions, readDeleteOptions, removeObject } from './delete.ts';
import { numbersOf } from './list-options.ts';
import { prefixOf, selectionOf } from './selection.ts';

/** Objects deleted at once: their writes share one flush. */
const BATCH = 64;

/** Deletes what the selectors select, as many as `limit` allows; answers the objects as a list. */
export async function removeCollection(exchange: Exchange): Promise<Reply> {
  const { definition, server } = exchange;
  const options = readDeleteOptions(exchange);
  const selection = selectionOf(exchange);
  const { limit = Infinity } = numbersOf(exchange.request.query);
  const { items: stored, revision } = server.store.list(prefixOf(exchange, selection));
  const items = await servedObjects(definition, stored);
  const removed: object[] = [];
  let taken = 0;
  for (let at = 0; at < items.length && taken < limit; at += BATCH) {
    const batch = items
      .slice(at, at + BATCH)
      .map((item) => item.object())
      .filter((object) => !selection.predicate || selection.predicate(object))
      .slice(0, limit - taken);
    taken += batch.length;
    const outcomes = await Promise.allSettled(
      batch.map((object) => removeOne(exchange, object, options)),
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason;
      if (outcome.value) removed.push(outcome.value);
    }
  }
  return objectReply({
    kind: definition.listKind,
    apiVersion: apiVersionOf(definition.ref),
    metadata: { resourceVersion: String(revision) },
    items: removed,
  });
}

/** The object as it is now, or was last; undefined when somebody else was first: what was asked for has happened. */
async function removeOne(
  exchange: Exchange,
  { metadata }: LooseObject,
  options: DeleteOptions,
): Promise<object | undefined> {
  const { name = '', namespace = '' } = metadata;
  const one = { ...exchange, info: { ...exchange.info, name, namespace } };
  try {
    return (await removeObject(one, name, options)).stored.object();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
