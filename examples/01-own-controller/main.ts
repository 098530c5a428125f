// A controller of one's own in fifty lines: every ConfigMap labelled `mirror-to: NAMESPACE` gets a copy there,
// kept in step, owned by nobody, and marked so that it is never mirrored again.
// Run it against any cluster: `node examples/01-own-controller/main.ts`, with KUBECONFIG set.
import {
  ConfigMaps,
  createClient,
  createHttpTransport,
  createLogger,
  isNotFound,
  loadKubeconfig,
  systemClock,
  systemRandom,
} from '../../client/index.ts';
import { controllerFor, done, runControllers } from '../../controllers/framework/index.ts';

const LABEL = 'mirror-to';

/** The controller: what wakes it, and what it does. */
export const mirror = controllerFor(ConfigMaps)
  .named('mirror')
  .where(({ metadata }) => metadata.labels?.[LABEL] !== undefined)
  .reconcile(async (config, { client }) => {
    const namespace = config.metadata.labels?.[LABEL] ?? '';
    const name = config.metadata.name ?? '';
    const configs = client.resource(ConfigMaps);
    try {
      await configs.patch(
        { namespace, name },
        { type: 'merge', body: { data: config.data ?? {} } },
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const metadata = {
        name,
        namespace,
        annotations: { 'mirrored-from': config.metadata.namespace ?? '' },
      };
      await configs.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: config.data });
    }
    return done;
  });

if (import.meta.main) {
  const path = process.env['KUBECONFIG'];
  if (path === undefined) throw new Error('set KUBECONFIG to the kubeconfig of a cluster');
  const client = createClient(createHttpTransport((await loadKubeconfig(path)).transport));
  const ending = new AbortController();
  process.on('SIGINT', () => ending.abort(new Error('interrupted')));
  const logger = createLogger('info');
  await runControllers(
    [mirror],
    { client, clock: systemClock, random: systemRandom, logger },
    ending.signal,
  );
}
