// Kinds that are served in further versions than the one they are stored in: answers turned into the asked one.
// Invariant: handlers, hooks and storage see the stored form only; it is changed at decoding and here.
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { ResourceDefinition, StoredAs } from '../../api/definition.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { Reply, WatchFrame } from '../../api/wire/exchange.ts';
import { objectReply } from '../reply.ts';
import { deepFreeze } from '../watch/visible-object.ts';

/** The reply with its objects in the definition's version. Tables, metadata and Statuses are the same in all. */
export function inServedVersion(definition: ResourceDefinition, reply: Reply): Reply {
  const { storedAs } = definition;
  if (!storedAs) return reply;
  if (reply.kind === 'watch') return { ...reply, frames: turned(storedAs, reply.frames) };
  if (reply.kind !== 'body' || !reply.object) return reply;
  const object = reply.object();
  const shown =
    object.kind === definition.listKind
      ? turnedList(definition, storedAs, object)
      : turnedObject(storedAs, object);
  return shown === object ? reply : objectReply(deepFreeze(shown), reply.status);
}

function turnedObject(storedAs: StoredAs, object: LooseObject): LooseObject {
  return object.apiVersion === storedAs.apiVersion ? storedAs.fromStored(object) : object;
}

function turnedList(
  definition: ResourceDefinition,
  storedAs: StoredAs,
  list: LooseObject,
): LooseObject {
  const items = (list['items'] as LooseObject[]).map((item) => turnedObject(storedAs, item));
  return { ...list, apiVersion: apiVersionOf(definition.ref), items };
}

async function* turned(
  storedAs: StoredAs,
  frames: AsyncIterable<readonly WatchFrame[]>,
): AsyncGenerator<readonly WatchFrame[]> {
  for await (const batch of frames) yield batch.map((frame) => turnedFrame(storedAs, frame));
}

function turnedFrame(storedAs: StoredAs, frame: WatchFrame): WatchFrame {
  const { type, object } = frame.event();
  const shown = turnedObject(storedAs, object);
  if (shown === object) return frame;
  const event = deepFreeze({ type, object: shown });
  return { bytes: Buffer.from(`${JSON.stringify(event)}\n`), event: () => event };
}
