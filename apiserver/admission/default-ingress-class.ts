// Ingresses that name no class get the one that is marked as the default (upstream's DefaultIngressClass).
import type { Ingress, IngressClass } from '../../api/generated/types.ts';
import { IngressClasses, Ingresses } from '../../api/kinds.ts';
import { CLASS_ANNOTATION } from '../../api/networking/ingress-validation.ts';
import { collectionPrefix } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { AdmissionPlugin } from './admission.ts';

const DEFAULT_MARK = 'ingressclass.kubernetes.io/is-default-class';

/** The plugin. */
export function defaultIngressClass(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    mutate({ operation, definition, subresource, object }) {
      if (operation !== 'create' || definition.ref !== Ingresses || subresource) return;
      const { metadata, spec } = object as unknown as Ingress;
      const named = metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.ingressClassName;
      const name = newestDefault(store);
      if (spec && named === undefined && name !== undefined) spec.ingressClassName = name;
    },
  };
}

/** Of several defaults the newest counts; of equally new ones the first by name. */
function newestDefault(store: ObjectStore): string | undefined {
  const [chosen] = store
    .list(collectionPrefix(IngressClasses))
    .items.map((item) => (item.object() as unknown as IngressClass).metadata)
    .filter(({ annotations }) => annotations?.[DEFAULT_MARK] === 'true')
    .toSorted((a, b) => {
      const [ours = '', theirs = ''] = [a.creationTimestamp, b.creationTimestamp];
      if (ours !== theirs) return ours < theirs ? 1 : -1;
      return (a.name ?? '') < (b.name ?? '') ? -1 : 1;
    });
  return chosen?.name;
}
