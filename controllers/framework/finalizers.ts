// Finalizers: cleaning up outside the cluster before an object may go.
// Invariant: what `apply` set up is only ever there while the finalizer is, and `cleanup` runs before it is taken off. What else of the
// object changes meanwhile, by `cleanup` itself or by others, does not keep it from being taken off.
import type { KubeObject } from '../../api/meta/object.ts';
import { conflict, isInvalid, isNotFound } from '../../api/status.ts';
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
  const { namespace, name = '', resourceVersion, finalizers = [] } = object.metadata;
  // The revision makes the patch fail where the list was changed by somebody else meanwhile.
  const body = { metadata: { resourceVersion, finalizers: [...finalizers, finalizer] } };
  return resource.patch({ namespace, name }, { type: 'merge', body });
}

/**
 * Takes the finalizer off; the object may be gone afterwards, or before. Throws Conflict where its finalizers have changed since it
 * was read, or another object has its name; other changes are in nobody's way.
 */
export async function removeFinalizer<T extends KubeObject>(
  resource: ResourceClient<T>,
  object: T,
  finalizer: string,
): Promise<T> {
  const { namespace, name = '', uid, finalizers = [] } = object.metadata;
  const at = finalizers.indexOf(finalizer);
  if (at < 0) return object;
  const path = `/metadata/finalizers/${at}`;
  const body = [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'test', path, value: finalizer },
    { op: 'remove', path },
  ];
  try {
    return await resource.patch({ namespace, name }, { type: 'json', body });
  } catch (error) {
    if (isNotFound(error)) return object;
    if (!isInvalid(error)) throw error;
    return whereItStays(resource, object, { at, finalizer, error });
  }
}

/** A test that fails is Invalid, as is much else: only a look can tell. Answers the object where it is gone, else throws. */
async function whereItStays<T extends KubeObject>(
  resource: ResourceClient<T>,
  object: T,
  { at, finalizer, error }: { at: number; finalizer: string; error: unknown },
): Promise<T> {
  const { namespace, name = '', uid } = object.metadata;
  try {
    const { metadata } = await resource.get({ namespace, name });
    if (metadata.uid === uid && metadata.finalizers?.[at] === finalizer) throw error;
  } catch (failure) {
    if (isNotFound(failure)) return object;
    throw failure;
  }
  throw conflict(resource.ref, name, 'its finalizers have changed; look at them again');
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
