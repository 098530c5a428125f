// What the caches of the built-in controllers keep: definitions of custom resources without their schemas, which none reads there.
import { outlineOf } from '../../api/apiextensions/outline.ts';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { CustomResourceDefinitions } from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';

/** For the built-in controllers' caches. */
export function keptByControllers(ref: KindRef, object: KubeObject): KubeObject {
  const { group, plural } = CustomResourceDefinitions;
  const isDefinition = ref.group === group && ref.plural === plural;
  return isDefinition ? outlineOf(object as CustomResourceDefinition) : object;
}
