// Museum: a status that says "done" of a spec which its controller has never seen.
// Published: gardener/etcd-druid#996 (observedGeneration ahead of the conditions beside it, so that users take an old "ready" for the new
// spec's). The wrong one reads the object again before it writes its status, so that the write meets no conflict, and notes that one's
// generation. The right one notes the generation that it worked for. A ConfigMap plays the workload.
import { type ConfigMap, ConfigMaps } from 'pinnace/client';
import { controllerFor, defineKind, installKinds, type ObjectOf } from 'pinnace/controllers';
import { type ClusterState, type Program, scenario } from 'pinnace/testing';
import { z } from 'zod';

const Sites = defineKind({
  group: 'museum.example.com',
  version: 'v1',
  kind: 'Site',
  spec: z.object({ image: z.string() }),
  status: z.object({ observedGeneration: z.int().optional() }),
});
type Site = ObjectOf<typeof Sites>;

const at = { namespace: 'default', name: 'home' };
const workload = { namespace: 'default', name: 'home-workload' };

/** Runs each site's image, then says so in the status: of the site that `about` answers. */
const sites = (about: (site: Site, read: () => Promise<Site>) => Promise<Site>): Program => ({
  controllers: () => [
    controllerFor(Sites)
      .named('sites')
      .reconcile(async (site, { client, informers, resource }) => {
        const configs = client.resource(ConfigMaps);
        const known = informers.informer(ConfigMaps).get(`${workload.namespace}/${workload.name}`);
        const data = { image: site.spec.image };
        if (!known)
          await configs.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: workload, data });
        else if (known.data?.['image'] !== data.image) await configs.update({ ...known, data });
        const told = await about(site, () => resource.get(at));
        const observedGeneration = told.metadata.generation;
        if (told.status?.observedGeneration === observedGeneration) return;
        await resource.updateStatus({ ...told, status: { observedGeneration } });
      }),
  ],
});

const imageOf = (state: ClusterState): string | undefined =>
  (state.get(ConfigMaps, workload) as ConfigMap | undefined)?.data?.['image'];

const named = (name: string, program: Program) =>
  scenario({
    name,
    programs: { sites: program },
    setUp: ({ client, clock }) => installKinds(client, [Sites], { clock }),
    async story({ client, sleep }) {
      const home = client.resource(Sites);
      await home.create(Sites.object({ metadata: at, spec: { image: 'site:1' } }));
      await sleep(1000);
      await home.patch(at, { type: 'merge', body: { spec: { image: 'site:2' } } });
    },
    always: {
      'a site whose status is up to date runs the image of its spec': (state) => {
        const site = state.get(Sites, at);
        if (site?.status?.observedGeneration !== site?.metadata.generation) return true;
        return imageOf(state) === site?.spec.image || `it runs ${imageOf(state)}`;
      },
    },
    eventually: {
      'the site runs its new image': (state) => imageOf(state) === 'site:2',
      'its status is up to date': (state) => {
        const site = state.get(Sites, at);
        return site?.status?.observedGeneration === site?.metadata.generation;
      },
    },
  });

/** Signs for what it has not read. */
export const wrong = named(
  'generation race: wrong',
  sites((_, read) => read()),
);
/** Signs for what it did. */
export const right = named(
  'generation race: right',
  sites((site) => Promise.resolve(site)),
);
