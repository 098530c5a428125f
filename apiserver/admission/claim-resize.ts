// Claims grow only where the class of their volume says that it can (upstream's PersistentVolumeClaimResize).
// Invariant: a claim asks for more than it had only while it is bound, and of a class with allowVolumeExpansion.
import { storageClassOf, storageSize } from '../../api/core/volume-matching.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../api/generated/types.ts';
import { PersistentVolumeClaims, StorageClasses } from '../../api/kinds.ts';
import { forbidden } from '../../api/status.ts';
import { objectKey } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { AdmissionPlugin } from './admission.ts';

const NOT_BOUND = 'Only bound persistent volume claims can be expanded';
const NOT_ALLOWED =
  'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';

/** The plugin. */
export function claimResize(store: ObjectStore): AdmissionPlugin {
  const isAllowed = (className: string): boolean => {
    const found = store.get(objectKey(StorageClasses, '', className));
    return (found?.object() as unknown as StorageClass | undefined)?.allowVolumeExpansion === true;
  };
  return {
    name: 'PersistentVolumeClaimResize',
    validate({ operation, definition, subresource, name, object, old }) {
      if (operation !== 'update' || definition.ref !== PersistentVolumeClaims || subresource)
        return;
      const claim = object as unknown as PersistentVolumeClaim;
      const before = old as unknown as PersistentVolumeClaim;
      if (storageSize(claim) <= storageSize(before)) return;
      if (before.status?.phase !== 'Bound') throw forbidden(definition.ref, name, NOT_BOUND);
      const className = storageClassOf(claim);
      if (className !== storageClassOf(before) || !isAllowed(className))
        throw forbidden(definition.ref, name, NOT_ALLOWED);
    },
  };
}
