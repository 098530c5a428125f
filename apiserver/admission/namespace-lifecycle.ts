// Nothing is created in a namespace that is not there or is ending; three namespaces cannot be deleted.
import { Namespaces } from '../../api/kinds.ts';
import { forbidden, namespaceTerminating, notFound } from '../../api/status.ts';
import { objectKey } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

/** Namespaces that every cluster has. */
export const PERMANENT_NAMESPACES = ['default', 'kube-system', 'kube-public'];

/** The plugin. */
export function namespaceLifecycle(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    // Before the object's own rules are looked at, so that a missing namespace is what its writer hears of first.
    mutate: (request) => refuseOutside(store, request),
    validate(request) {
      const { operation, definition, name } = request;
      const { ref } = definition;
      if (operation === 'delete' && ref.plural === 'namespaces' && ref.group === '')
        if (PERMANENT_NAMESPACES.includes(name))
          throw forbidden(ref, name, 'this namespace may not be deleted');
      refuseOutside(store, request);
    },
  };
}

function refuseOutside(store: ObjectStore, request: AdmissionRequest): void {
  const { operation, definition, namespace, object } = request;
  const { ref } = definition;
  if (operation !== 'create' || !ref.namespaced) return;
  const found = store.get(objectKey(Namespaces, '', namespace));
  if (!found) throw notFound(Namespaces, namespace);
  if (found.object().metadata.deletionTimestamp !== undefined)
    throw namespaceTerminating(ref, object.metadata.name ?? '', namespace);
}
