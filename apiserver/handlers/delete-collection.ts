// DELETE of a collection: each selected object as if deleted by itself.
import type { Reply } from '../../api/wire/exchange.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import { isNotFound } from '../../api/status.ts';
import type { Exchange } from '../exchange.ts';
import { collectionPrefix } from '../registry/keys.ts';
import { objectReply } from '../reply.ts';
import { readDeleteOptions, removeObject } from './delete.ts';
import { selectionOf } from './selection.ts';

/** Deletes what the selectors select; answers the objects as a list. */
export async function removeCollection(exchange: Exchange): Promise<Reply> {
  const { definition, info, server } = exchange;
  const options = readDeleteOptions(exchange);
  const { predicate } = selectionOf(exchange);
  const { items, revision } = server.store.list(collectionPrefix(definition.ref, info.namespace));
  const removed: object[] = [];
  for (const item of items) {
    const object = item.object();
    if (predicate && !predicate(object)) continue;
    const { name = '', namespace = '' } = object.metadata;
    const one = { ...exchange, info: { ...info, name, namespace } };
    try {
      removed.push((await removeObject(one, name, options)).stored.object());
    } catch (error) {
      // Somebody else deleted it meanwhile: what was asked for has happened.
      if (!isNotFound(error)) throw error;
    }
  }
  return objectReply({
    kind: definition.listKind,
    apiVersion: apiVersionOf(definition.ref),
    metadata: { resourceVersion: String(revision) },
    items: removed,
  });
}
