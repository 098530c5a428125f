// Writes an object's status: nothing where nothing changes, again on a newer state where somebody wrote meanwhile.
// Invariant: a status worked out for one object is never written onto a new object of the same name.
import type { KubeObject } from '../../api/meta/object.ts';
import { isConflict } from '../../api/status.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import { sameJson } from './same-json.ts';

/** How often a write that meets a conflict is made anew before the conflict is thrown. */
export const MAX_STATUS_ATTEMPTS = 4;

/** An object that has a status. */
type WithStatus = KubeObject & { status?: unknown };

/** Where a status is written. */
export interface StatusTarget<T extends KubeObject> {
  readonly resource: ResourceClient<T>;
  readonly signal?: AbortSignal | undefined;
  /** How often it is tried; MAX_STATUS_ATTEMPTS unless given. 1 for a status that claims something: a Conflict is thrown at once. */
  readonly attempts?: number | undefined;
}

/**
 * Writes the status that `next` works out from the object (and, after a conflict, from its live state).
 * Answers the object as it now is: the same one where the status is as it should be already.
 */
export async function writeStatus<T extends WithStatus>(
  target: StatusTarget<T>,
  object: T,
  next: (current: T) => T['status'],
): Promise<T> {
  const { resource, signal, attempts = MAX_STATUS_ATTEMPTS } = target;
  let current = object;
  for (let attempt = 1; ; attempt++) {
    const status = next(current);
    if (sameJson(current.status, status)) return current;
    try {
      return await resource.updateStatus({ ...current, status }, { signal });
    } catch (error) {
      if (!isConflict(error) || attempt >= attempts) throw error;
      const { namespace, name = '' } = object.metadata;
      current = await resource.get({ namespace, name }, { signal });
      if (current.metadata.uid !== object.metadata.uid) throw error;
    }
  }
}
