// Waits until deleted objects are gone, as `pinnace delete` promises it.
// Invariant: an object counts as gone only once the server shows none of its name, or one of another uid under it;
// a watch that merely ends proves nothing.
import type { Clock } from '../../base/clock.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { isExpired } from '../../api/status.ts';
import type { ObjectRef, ResourceClient } from '../../client/rest/client.ts';

/** How long after a watch has ended the object is looked for again. */
export const LOOK_AGAIN_MS = 100;

/** The uid of what a delete was about, from the server's answer to it: the object, or a Status. */
export function deletedUid(answer: KubeObject): string | undefined {
  const { details } = answer as { readonly details?: { readonly uid?: string } };
  return answer.metadata?.uid ?? details?.uid;
}

/** An object that was deleted. */
export interface Deletion {
  readonly client: ResourceClient<KubeObject>;
  readonly ref: ObjectRef;
  /** Where it is unknown, the first object seen under the name is meant. */
  readonly uid: string | undefined;
}

/** Resolves once the object is gone; rejects with the signal's reason when that aborts first. */
export async function untilGone(
  { client, ref, uid }: Deletion,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<void> {
  const { namespace, name } = ref;
  const only = { namespace, fieldSelector: `metadata.name=${name}`, signal };
  let meant = uid;
  for (;;) {
    const { items, metadata } = await client.list(only);
    const [found] = items;
    meant ??= found?.metadata.uid;
    if (!found || found.metadata.uid !== meant) return;
    try {
      const { resourceVersion } = metadata;
      for await (const events of client.watch({ ...only, resourceVersion }))
        for (const { type, object } of events)
          if (type === 'DELETED' || object.metadata.uid !== meant) return;
    } catch (error) {
      if (!isExpired(error)) throw error;
    }
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}
