// What a pod that a node makes for itself (a mirror pod) may look like: upstream's NodeRestriction.
// Invariant: such a pod is owned by its node alone, and names no object of the API that its node could read by way of it.
import { referencedBy } from '../../api/core/pod-references.ts';
import type { Pod } from '../../api/generated/types.ts';
import { Nodes } from '../../api/kinds.ts';
import { objectKey } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import { MIRROR_POD } from './service-account.ts';

/** Why the node may not create the pod; undefined where it may. */
export function mirrorPodRefusal(store: ObjectStore, node: string, pod: Pod): string | undefined {
  if (pod.metadata.annotations?.[MIRROR_POD] === undefined)
    return `pod does not have "${MIRROR_POD}" annotation, node "${node}" can only create mirror pods`;
  return (
    placeRefusal(node, pod) ?? ownerRefusal(store, node, pod) ?? referenceRefusal(node, pod.spec)
  );
}

function placeRefusal(node: string, { spec }: Pod): string | undefined {
  if (spec?.nodeName === node) return undefined;
  return `node "${node}" can only create pods with spec.nodeName set to itself`;
}

function ownerRefusal(store: ObjectStore, node: string, { metadata }: Pod): string | undefined {
  const [owner, ...others] = metadata.ownerReferences ?? [];
  const only = (what: string) => `node "${node}" can only create pods with ${what} set to itself`;
  if (others.length > 0) return only('a single owner reference');
  const { apiVersion, kind } = owner ?? {};
  if (apiVersion !== 'v1' || kind !== Nodes.kind || owner?.name !== node)
    return only('an owner reference');
  if (owner.controller !== true) return only('a controller owner reference');
  if (owner.blockOwnerDeletion === true)
    return `node "${node}" must not set blockOwnerDeletion on an owner reference`;
  const known = store.get(objectKey(Nodes, '', node))?.object();
  return known?.metadata.uid === owner.uid
    ? undefined
    : `node "${node}" can only create pods with its own uid in the owner reference`;
}

function referenceRefusal(node: string, spec: Pod['spec']): string | undefined {
  const what = referencedBy(spec);
  return what === undefined
    ? undefined
    : `node "${node}" can not create pods that reference ${what}`;
}
