// Webhooks of one's own on one page: pods get the registry that their namespace's ImageRules name, are refused images from
// elsewhere, and ImageRules of both versions are turned into one another.
import { type Pod, Pods } from 'pinnace/client';
import {
  type AdmissionTools,
  allow,
  converting,
  deny,
  mutating,
  validating,
} from 'pinnace/controllers';
import { ImageRules } from './kind.ts';

/** Not about the cluster's own pods: they have to start while this program cannot be asked. */
const namespaceSelector = {
  matchExpressions: [
    { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] },
  ],
};

/** Images that name no registry come from the first that the namespace allows. */
export const namedRegistries = mutating(Pods, {
  operations: ['CREATE'],
  namespaceSelector,
  async admit({ object, namespace, signal }, tools) {
    const [registry] = await registriesOf(tools, namespace, signal);
    if (registry === undefined) return object;
    const containers = object.spec?.containers.map((container) =>
      hasRegistry(container.image)
        ? container
        : { ...container, image: `${registry}/${container.image}` },
    );
    return { ...object, spec: { ...object.spec, containers: containers ?? [] } };
  },
});

/** Images come from registries that the namespace allows; from anywhere, where it has no ImageRule. */
export const allowedImages = validating(Pods, {
  operations: ['CREATE'],
  namespaceSelector,
  async admit({ object, namespace, signal }, tools) {
    const registries = await registriesOf(tools, namespace, signal);
    if (registries.length === 0) return allow({ warnings: [`${namespace} has no ImageRule`] });
    const causes = imagesOf(object)
      .filter(({ image }) => !registries.some((registry) => image.startsWith(`${registry}/`)))
      .map(({ field, image }) => ({ field, message: `${image} is from elsewhere` }));
    if (causes.length === 0) return allow();
    return deny(`images have to come from ${registries.join(' or ')}`, {
      reason: 'Invalid',
      causes,
    });
  },
});

/** ImageRules of every version, by the converters that the kind has. */
export const imageRuleVersions = converting(ImageRules, ImageRules.converters);

/** From a cache that the webhook server keeps: no request of its own for each question. */
async function registriesOf(
  { informers }: AdmissionTools,
  namespace: string,
  signal: AbortSignal,
): Promise<string[]> {
  const rules = informers.informer(ImageRules);
  await rules.synced(signal);
  return rules.list(namespace).flatMap(({ spec }) => spec.registries);
}

function imagesOf({ spec }: Pod): { field: string; image: string }[] {
  const containers = {
    initContainers: spec?.initContainers ?? [],
    containers: spec?.containers ?? [],
  };
  return Object.entries(containers).flatMap(([list, items]) =>
    items.map(({ image = '' }, index) => ({ field: `spec.${list}[${index}].image`, image })),
  );
}

/** A registry is a first part with a dot or a port in it, as container runtimes read it. */
const hasRegistry = (image = ''): boolean => /^[^/]*[.:][^/]*\//.test(image);
