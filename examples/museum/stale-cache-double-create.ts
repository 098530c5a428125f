// Museum: a controller that looks into its cache for what it has made, and makes it again while the cache is behind.
// Published: ray-project/kuberay#704 and #715 (pods made twice, then one at random deleted), scylladb/scylla-operator#2492 (a whole
// datacenter made again under a generated name). This goes round the framework: the wrong one writes through a client of its own, of which
// the framework's caches learn nothing, and gives its pod a made-up name whenever its cache shows none; the right one uses the client
// that it is given, and a name that follows from the pod's owner, so that the server refuses a second one with AlreadyExists, even where
// the reply to the first was lost.
import { type ConfigMap, ConfigMaps, isAlreadyExists, type Pod, Pods } from 'pinnace/client';
import { controllerFor, ownerReferenceFor } from 'pinnace/controllers';
import { type ClusterState, type Program, scenario } from 'pinnace/testing';

const LABEL = 'worker-of';

function workerOf(config: ConfigMap, name: Pod['metadata']): Pod {
  const metadata = {
    ...name,
    namespace: config.metadata.namespace ?? 'default',
    labels: { [LABEL]: config.metadata.name ?? '' },
    ownerReferences: [ownerReferenceFor(config, ConfigMaps)],
  };
  const spec = { containers: [{ name: 'worker', image: 'worker:1' }] };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec };
}

const wrongWorkers: Program = {
  controllers: ({ client }) => [
    controllerFor(ConfigMaps)
      .named('workers')
      .owns(Pods)
      .where(({ metadata }) => metadata.labels?.['wants'] === 'worker')
      .reconcile(async (config, { informers }) => {
        const pods = informers.informer(Pods).list('default');
        if (pods.some(({ metadata }) => metadata.labels?.[LABEL] === config.metadata.name)) return;
        const generateName = `${config.metadata.name}-`;
        await client.resource(Pods).create(workerOf(config, { generateName }));
      }),
  ],
};

const rightWorkers: Program = {
  controllers: () => [
    controllerFor(ConfigMaps)
      .named('workers')
      .owns(Pods)
      .where(({ metadata }) => metadata.labels?.['wants'] === 'worker')
      .reconcile(async (config, { client, informers }) => {
        const name = `${config.metadata.name}-worker`;
        if (informers.informer(Pods).get(`default/${name}`)) return;
        try {
          await client.resource(Pods).create(workerOf(config, { name }));
        } catch (error) {
          if (!isAlreadyExists(error)) throw error;
        }
      }),
  ],
};

const workersOf = (state: ClusterState, name: string): Pod[] =>
  state.list(Pods, { labelSelector: `${LABEL}=${name}` });

const named = (name: string, workers: Program) =>
  scenario({
    name,
    programs: { workers },
    async story({ client, sleep }) {
      const config = client.resource(ConfigMaps);
      const at = { namespace: 'default', name: 'mill' };
      await config.create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { ...at, labels: { wants: 'worker' } },
      });
      await sleep(1000);
      await config.patch(at, { type: 'merge', body: { data: { speed: '2' } } });
    },
    always: {
      'a ConfigMap has one worker at most': (state) => workersOf(state, 'mill').length <= 1,
    },
    eventually: {
      'a ConfigMap that wants a worker has one': (state) => workersOf(state, 'mill').length === 1,
    },
  });

/** Makes a second pod while its cache does not show the first. */
export const wrong = named('stale cache, double create: wrong', wrongWorkers);
/** Makes one pod, whatever its cache shows. */
export const right = named('stale cache, double create: right', rightWorkers);
