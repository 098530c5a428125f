// Ingresses that name no class get the one that is marked as the default (upstream's DefaultIngressClass).
import type { Ingress } from '../../api/generated/types.ts';
import { IngressClasses, Ingresses } from '../../api/kinds.ts';
import { CLASS_ANNOTATION } from '../../api/networking/ingress-validation.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { AdmissionPlugin } from './admission.ts';
import { newestDefault } from './default-class.ts';

const DEFAULT_MARK = 'ingressclass.kubernetes.io/is-default-class';

/** The plugin. */
export function defaultIngressClass(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    mutate({ operation, definition, subresource, object }) {
      if (operation !== 'create' || definition.ref !== Ingresses || subresource) return;
      const { metadata, spec } = object as unknown as Ingress;
      const named = metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.ingressClassName;
      const name = newestDefault(store, IngressClasses, DEFAULT_MARK);
      if (spec && named === undefined && name !== undefined) spec.ingressClassName = name;
    },
  };
}
