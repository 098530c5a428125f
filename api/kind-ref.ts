// KindRef: how code names a kind and its resource; carries the TypeScript type for typed clients.
import type { KubeObject } from './meta/object.ts';

/** A kind at one version together with the resource that serves it. `T` is the type of its objects. */
export interface KindRef<T extends KubeObject = KubeObject> {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Lower-case plural as it stands in URLs. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** The group under which its objects are stored, where that is another one's. */
  readonly storedGroup?: string;
  /** Never present; ties the type to the value. */
  readonly _type?: T;
}

/** `group/version`, or the version alone for the core group. */
export function apiVersionOf(ref: Pick<KindRef, 'group' | 'version'>): string {
  return ref.group === '' ? ref.version : `${ref.group}/${ref.version}`;
}

/** The URL path of a collection, an object, or an object's subresource. */
export function resourcePath(
  ref: KindRef,
  at: {
    namespace?: string | undefined;
    name?: string | undefined;
    subresource?: string | undefined;
  },
): string {
  const root = ref.group === '' ? `/api/${ref.version}` : `/apis/${ref.group}/${ref.version}`;
  const scope =
    ref.namespaced && at.namespace ? `/namespaces/${encodeURIComponent(at.namespace)}` : '';
  const name = at.name === undefined ? '' : `/${encodeURIComponent(at.name)}`;
  const subresource = at.subresource ? `/${at.subresource}` : '';
  return `${root}${scope}/${ref.plural}${name}${subresource}`;
}
