// Storage keys of objects. Invariant: keys of a collection, and no others, begin with its prefix.
import type { KindRef } from '../../api/kind-ref.ts';

function groupPart({ group, storedGroup = group }: KindRef): string {
  return storedGroup === '' ? 'core' : storedGroup;
}

/** The key of an object; `namespace` is not looked at for cluster-scoped kinds. */
export function objectKey(ref: KindRef, namespace: string, name: string): string {
  return `${collectionPrefix(ref, ref.namespaced ? namespace : '')}${name}`;
}

/** The prefix of a collection, of one namespace where one is given; ends in a slash. */
export function collectionPrefix(ref: KindRef, namespace = ''): string {
  const root = `/registry/${groupPart(ref)}/${ref.plural}/`;
  return ref.namespaced && namespace !== '' ? `${root}${namespace}/` : root;
}
