// Claims that name no class get the one that is marked as the default (upstream's DefaultStorageClass).
// A claim that names the class '' wants none.
import { CLASS_ANNOTATION } from '../../api/core/claim-validation.ts';
import type { PersistentVolumeClaim } from '../../api/generated/types.ts';
import { PersistentVolumeClaims, StorageClasses } from '../../api/kinds.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { AdmissionPlugin } from './admission.ts';
import { newestDefault } from './default-class.ts';

const MARKS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

/** The plugin. */
export function defaultStorageClass(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    mutate({ operation, definition, subresource, object }) {
      if (operation !== 'create' || definition.ref !== PersistentVolumeClaims || subresource)
        return;
      const { metadata, spec } = object as unknown as PersistentVolumeClaim;
      const named = metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName;
      if (!spec || named !== undefined) return;
      const name = newestDefault(store, StorageClasses, ...MARKS);
      if (name !== undefined) spec.storageClassName = name;
    },
  };
}
