// Which objects of the API a pod's specification names. Pure.
// Invariant: a pod that a node makes for itself may name none (Kubernetes docs: Static Pods).
import type { PodSpec } from '../generated/types.ts';

/** Fields that name an object, and what it is. */
const REFERENCES: ReadonlyMap<string, string> = new Map([
  ['secret', 'secrets'],
  ['secretRef', 'secrets'],
  ['secretName', 'secrets'],
  ['secretKeyRef', 'secrets'],
  ['nodePublishSecretRef', 'secrets'],
  ['imagePullSecrets', 'secrets'],
  ['configMap', 'configmaps'],
  ['configMapRef', 'configmaps'],
  ['configMapKeyRef', 'configmaps'],
  ['persistentVolumeClaim', 'persistentvolumeclaims'],
  ['ephemeral', 'persistentvolumeclaims'],
  ['resourceClaims', 'resourceclaims'],
  ['serviceAccountToken', 'service account tokens'],
  ['clusterTrustBundle', 'clustertrustbundles'],
]);

/** What kind of object the specification names, the first that is found; undefined when none. */
export function referencedBy(spec: PodSpec | undefined): string | undefined {
  if (spec?.serviceAccountName) return 'a service account';
  const { volumes, containers, initContainers, ephemeralContainers } = spec ?? {};
  const { imagePullSecrets, resourceClaims } = spec ?? {};
  return (
    referenced({ imagePullSecrets, resourceClaims }) ??
    referenced([volumes, containers, initContainers, ephemeralContainers])
  );
}

/** The first thing that is named anywhere inside. */
function referenced(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [field, inner] of Object.entries(value)) {
    const isEmpty = inner === undefined || (Array.isArray(inner) && inner.length === 0);
    const what = isEmpty ? undefined : (REFERENCES.get(field) ?? referenced(inner));
    if (what !== undefined) return what;
  }
  return undefined;
}
