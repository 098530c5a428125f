// Which changes of an object count: ready-made answers for a controller's `where`.
// Invariant: what comes, what goes and what is looked over again (a resync tells the same state twice) always counts.
import type { KubeObject } from '../../api/meta/object.ts';
import type { ObjectChange } from './reconciler.ts';
import { sameJson } from './same-json.ts';

/** Does the change from `old` (undefined for what comes or goes) to `object` count? */
export type ChangePredicate<T extends KubeObject = KubeObject> = (
  object: T,
  old: T | undefined,
  change: ObjectChange,
) => boolean;

/** Passes where `differs` finds a difference between two states that are not one and the same. */
const whereDiffers =
  (differs: (object: KubeObject, old: KubeObject) => boolean): ChangePredicate =>
  (object, old) =>
    old === undefined || old === object || differs(object, old);

/**
 * The desired state changed: kinds that keep a generation count it up with each change of the spec and as a deletion begins, so
 * that status, labels and annotations do not count. Of kinds that keep none, such as ConfigMaps, every change counts.
 */
export const generationChanged = whereDiffers(
  ({ metadata: { generation } }, old) =>
    generation === undefined || generation !== old.metadata.generation,
);

/** Labels changed. */
export const labelsChanged = whereDiffers(
  ({ metadata }, old) => !sameJson(metadata.labels ?? {}, old.metadata.labels ?? {}),
);

/** Annotations changed. */
export const annotationsChanged = whereDiffers(
  ({ metadata }, old) => !sameJson(metadata.annotations ?? {}, old.metadata.annotations ?? {}),
);

/** Anything was written: for sources whose informer is told the same state more than once. */
export const resourceVersionChanged = whereDiffers(
  ({ metadata }, old) => metadata.resourceVersion !== old.metadata.resourceVersion,
);

/** Counts where one of them says so; several calls of `where` all have to. */
export function anyOf<T extends KubeObject>(
  ...predicates: readonly ChangePredicate<T>[]
): ChangePredicate<T> {
  return (object, old, change) => predicates.some((each) => each(object, old, change));
}
