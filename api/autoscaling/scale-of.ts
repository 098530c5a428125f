// The Scale of an object that has replicas (autoscaling/v1), as its subresource shows it.
// Invariant: pure; the object itself stays as it is.
import type { ResourceDefinition, ScaleAccess } from '../definition.ts';
import type { KubeObject, LooseObject } from '../meta/object.ts';

/** Schema of a Scale. */
export const SCALE_SCHEMA = 'io.k8s.api.autoscaling.v1.Scale';

/** A Scale. */
export interface Scale extends LooseObject {
  spec?: { replicas?: number };
}

/** Is a request about the scale of an object, rather than the object? */
export function isScaled(
  definition: ResourceDefinition,
  subresource: string | undefined,
): definition is ResourceDefinition & { readonly scale: ScaleAccess<KubeObject> } {
  return subresource === 'scale' && definition.scale !== undefined;
}

/** The Scale of an object. None asked for, and no selector, are left out, as upstream's types have it. */
export function scaleOf(access: ScaleAccess<KubeObject>, object: LooseObject): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const metadata = { name, namespace, uid, resourceVersion, creationTimestamp };
  const replicas = access.specReplicas(object);
  const selector = access.selector(object);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: JSON.parse(JSON.stringify(metadata)) as LooseObject['metadata'],
    spec: replicas ? { replicas } : {},
    status: { replicas: access.statusReplicas(object), ...(selector && { selector }) },
  };
}
