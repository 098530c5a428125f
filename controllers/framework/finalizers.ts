// Finalizers: cleaning up outside the cluster before an object may go.
// Invariant: what `apply` set up is only ever there while the finalizer is, and `cleanup` runs before it is taken off.
import type { KubeObject } from '../../api/meta/object.ts';
import { isNotFound } from '../../api/status.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import { checkedResult } from './checked-result.ts';
import type { Result } from './reconciler.ts';
import { done } from './reconciler.ts';

/** Does the object carry the finalizer? */
export function hasFinalizer(object: KubeObject, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) ?? false;
}

/** Puts the finalizer on. Throws Conflict where the object has changed since it was read. */
export function addFinalizer<T extends KubeObject>(
  resource: ResourceClient<T>,
  object: T,
  finalizer: string,
): Promise<T> {
  if (hasFinalizer(object, finalizer)) return Promise.resolve(object);
  return setFinalizers(resource, object, [...(object.metadata.finalizers ?? []), finalizer]);
}

/** Takes the finalizer off; the object may be gone afterwards, or before. Throws Conflict as addFinalizer does. */
export async function removeFinalizer<T extends KubeObject>(
  resource: ResourceClient<T>,
  object: T,
  finalizer: string,
): Promise<T> {
  if (!hasFinalizer(object, finalizer)) return object;
  const left = (object.metadata.finalizers ?? []).filter((each) => each !== finalizer);
  try {
    return await setFinalizers(resource, object, left);
  } catch (error) {
    if (isNotFound(error)) return object;
    throw error;
  }
}

/** What to do while an object lives, and before it goes. */
export interface FinalizerSteps<T> {
  /** May be repeated; the finalizer is on. */
  apply(object: T): Promise<Result>;
  /** May be repeated; the finalizer is taken off once it answers done or nothing, not while it asks to come again. */
  cleanup(object: T): Promise<Result | void>;
}

/** Runs the step that is due, keeping the finalizer as the invariant asks. For use in a reconciler. */
export async function reconcileWithFinalizer<T extends KubeObject>(
  target: { readonly resource: ResourceClient<T>; readonly finalizer: string },
  object: T,
  steps: FinalizerSteps<T>,
): Promise<Result> {
  const { resource, finalizer } = target;
  if (object.metadata.deletionTimestamp === undefined)
    return steps.apply(await addFinalizer(resource, object, finalizer));
  if (!hasFinalizer(object, finalizer)) return done;
  const cleaned = checkedResult(await steps.cleanup(object));
  if (cleaned?.kind === 'requeueAfter') return cleaned;
  await removeFinalizer(resource, object, finalizer);
  return done;
}

function setFinalizers<T extends KubeObject>(
  resource: ResourceClient<T>,
  object: T,
  finalizers: readonly string[],
): Promise<T> {
  const { namespace, name = '', resourceVersion } = object.metadata;
  // The revision makes the patch fail where the list was changed by somebody else meanwhile.
  const body = { metadata: { resourceVersion, finalizers } };
  return resource.patch({ namespace, name }, { type: 'merge', body });
}
