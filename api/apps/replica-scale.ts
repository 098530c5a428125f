// Where the scale subresource finds the figures of kinds that keep them in spec.replicas and status.replicas.
// Pure; a set copies the object.
import type { ScaleAccess } from '../definition.ts';
import type { KubeObject } from '../meta/object.ts';

/** A kind with its figures there. */
interface Replicated extends KubeObject {
  spec?: { replicas?: number | undefined } | undefined;
  status?: { replicas?: number | undefined } | undefined;
}

/** The scale of such a kind; `selector` gives the text form of its selector. */
export function replicaScale<T extends Replicated>(
  selector: (object: T) => string,
): ScaleAccess<T> {
  return {
    specReplicas: ({ spec }) => spec?.replicas ?? 1,
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector,
    withReplicas: (object, replicas) =>
      object.spec ? { ...object, spec: { ...object.spec, replicas } } : object,
  };
}
