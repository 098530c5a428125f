// Writes that make what is not there and change what is: applies, and PUTs of kinds that allow it.
// Invariant: whoever was first in between, the write is decided anew on what is there then; attempts are bounded.
import { isAlreadyExists, isNotFound } from '../../api/status.ts';
import type { Exchange } from '../exchange.ts';
import { MAX_UPDATE_ATTEMPTS } from '../options.ts';
import { objectKey } from '../registry/keys.ts';

/** What to do with an object that is there, and with one that is not. */
export interface CreateOrChange<T> {
  create(): Promise<T>;
  change(): Promise<T>;
}

/** Does the one or the other; again where another writer made or removed the object meanwhile. Throws what the last attempt did. */
export async function createOrChange<T>(exchange: Exchange, ways: CreateOrChange<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const isThere = exists(exchange);
    try {
      return await (isThere ? ways.change() : ways.create());
    } catch (error) {
      const raced = isThere ? isNotFound(error) : isAlreadyExists(error);
      if (!raced || exists(exchange) === isThere || attempt >= MAX_UPDATE_ATTEMPTS) throw error;
    }
  }
}

function exists({ definition, info, server }: Exchange): boolean {
  const key = objectKey(definition.ref, info.namespace, info.name ?? '');
  return server.store.latest(key) !== undefined;
}
