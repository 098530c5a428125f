// Owner references: how controllers say, and find out, whose an object is.
// Invariant: an owner is known by its uid; a new object of the same name is another owner.
import type { KindRef } from '../../api/kind-ref.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { KubeObject, OwnerReference } from '../../api/meta/object.ts';
import { controllerOf, keyOf } from '../../api/meta/object.ts';
import type { Informer } from '../../client/informer/informer.ts';

/** The reference by which `owner` controls another object; its deletion in the foreground waits for that object. */
export function ownerReferenceFor(owner: KubeObject, ref: KindRef): OwnerReference {
  return {
    apiVersion: apiVersionOf(ref),
    kind: ref.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Does `owner` control the object? */
export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  const reference = controllerOf(object);
  return reference !== undefined && reference.uid === owner.metadata.uid;
}

/** The key of the object's controller, if that is of this kind; for a Source's `keys`. */
export function controllerKeys(object: KubeObject, ref: KindRef): readonly string[] {
  const owner = controllerOf(object);
  if (!owner || owner.kind !== ref.kind || !isOfGroup(owner, ref)) return [];
  const namespace = ref.namespaced ? object.metadata.namespace : undefined;
  return [keyOf({ metadata: { name: owner.name, ...(namespace ? { namespace } : {}) } })];
}

/** The name of the index that `indexByController` adds. */
const BY_CONTROLLER = 'metadata.ownerReferences.controller';

/** Gives the informer an index by the uid of the controlling owner; may be called again. */
export function indexByController<T extends KubeObject>(informer: Informer<T>): void {
  informer.addIndex(BY_CONTROLLER, (object) => {
    const owner = controllerOf(object);
    return owner ? [owner.uid] : [];
  });
}

/** What the owner controls, from the index. */
export function controlledBy<T extends KubeObject>(informer: Informer<T>, owner: KubeObject): T[] {
  return informer.byIndex(BY_CONTROLLER, owner.metadata.uid ?? '');
}

function isOfGroup(owner: OwnerReference, ref: KindRef): boolean {
  const slash = owner.apiVersion.indexOf('/');
  return (slash < 0 ? '' : owner.apiVersion.slice(0, slash)) === ref.group;
}
