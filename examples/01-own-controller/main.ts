// A controller of one's own on one page: every ConfigMap labelled `mirror-to: NAMESPACE` gets a copy there,
// kept in step (keys that go here go there), owned by nobody, and marked with where it is from: a ConfigMap without
// that mark is somebody's own and left alone.
// Run it against any cluster: `KUBECONFIG=FILE node_modules/.bin/node examples/01-own-controller/main.ts`.
import { ConfigMaps, isNotFound } from 'pinnace/client';
import { controllerFor, done, runOperator } from 'pinnace/controllers';

const LABEL = 'mirror-to';
const SOURCE = 'mirrored-from';

/** The controller: what wakes it, and what it does. */
export const mirror = controllerFor(ConfigMaps)
  .named('mirror')
  .where(({ metadata }) => metadata.labels?.[LABEL] !== undefined)
  .reconcile(async (config, { client, logger }) => {
    const namespace = config.metadata.labels?.[LABEL] ?? '';
    const name = config.metadata.name ?? '';
    const configs = client.resource(ConfigMaps);
    const annotations = { [SOURCE]: config.metadata.namespace ?? '' };
    const { data, binaryData } = config;
    try {
      const copy = await configs.get({ namespace, name });
      // Somebody's own ConfigMap of that name is not ours to overwrite.
      if (copy.metadata.annotations?.[SOURCE] !== annotations[SOURCE]) {
        logger.warn('left alone: it is no copy of ours', { namespace, name });
        return done;
      }
      const { apiVersion, kind, metadata } = copy;
      // The whole object, not a patch, so that a key that is gone here is gone there.
      await configs.update({ apiVersion, kind, metadata, data, binaryData });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const metadata = { name, namespace, annotations };
      await configs.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data, binaryData });
    }
    logger.info('mirrored', { from: config.metadata.namespace, to: namespace, name });
    return done;
  });

if (import.meta.main) await runOperator({ name: 'mirror', controllers: [mirror] });
