// New claims and volumes carry the finalizers that keep them while they are used (upstream's StorageObjectInUseProtection).
// Controllers take them off. Invariant: there is no moment at which a claim is there, used, and not kept.
import { PersistentVolumeClaims, PersistentVolumes } from '../../api/kinds.ts';
import type { AdmissionPlugin } from './admission.ts';

const FINALIZERS = new Map<unknown, string>([
  [PersistentVolumeClaims, 'kubernetes.io/pvc-protection'],
  [PersistentVolumes, 'kubernetes.io/pv-protection'],
]);

/** The plugin. */
export const storageInUse: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  mutate({ operation, definition, subresource, object }) {
    const finalizer = FINALIZERS.get(definition.ref);
    if (operation !== 'create' || subresource || finalizer === undefined || !object) return;
    const { metadata } = object;
    if (metadata.finalizers?.includes(finalizer)) return;
    metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
  },
};
