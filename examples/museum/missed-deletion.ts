// Museum: a controller that cleans up when it is told that an object is gone, and is not told of what went while it was down.
// Published: operator-framework/operator-lifecycle-manager#3130 (clean-up that hangs on the deletion event never runs where that is
// missed), infinispan/infinispan-operator#1507. The wrong one takes an entry away when its Service is gone from the cache: right as long as
// the process lives. The right one works out the whole list from what there is, whatever woke it.
import { type ConfigMap, ConfigMaps, type Service, Services } from 'pinnace/client';
import { controllerFor, done, source } from 'pinnace/controllers';
import { type ClusterState, type Program, scenario } from 'pinnace/testing';

const at = { namespace: 'default', name: 'routes' };
const published = { labelSelector: 'route' };
const addressOf = ({ spec }: Service): string => spec?.clusterIP ?? '';

const wrongRouter: Program = {
  controllers: () => [
    ({ client, informers }) => ({
      name: 'router',
      sources: [source({ ref: Services, scope: published })],
      async reconcile(key) {
        const service = informers.informer(Services, published).get(key);
        const [, name = ''] = key.split('/');
        const body = { data: { [name]: service ? addressOf(service) : null } };
        await client.resource(ConfigMaps).patch(at, { type: 'merge', body });
        return done;
      },
    }),
  ],
};

const rightRouter: Program = {
  controllers: () => [
    controllerFor(ConfigMaps)
      .named('router')
      .where(({ metadata }) => metadata.name === at.name)
      .watches(Services, () => [`${at.namespace}/${at.name}`])
      .reconcile(async (routes, { informers, resource }) => {
        const services = informers.informer(Services).list('default');
        const open = services.filter(({ metadata }) => metadata.labels?.['route'] !== undefined);
        const entries = open.map((service) => [service.metadata.name, addressOf(service)]);
        await resource.update({ ...routes, data: Object.fromEntries(entries) });
      }),
  ],
};

const service = (name: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'default', name, labels: { route: name } },
  spec: { ports: [{ port: 80 }] },
});

const routesOf = (state: ClusterState): string[] =>
  Object.keys(state.get(ConfigMaps, at)?.data ?? {}).sort();

const named = (name: string, router: Program) =>
  scenario({
    name,
    programs: { router },
    async setUp({ client }) {
      const routes: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: at };
      await client.resource(ConfigMaps).create(routes);
    },
    async story({ client, sleep }) {
      const services = client.resource(Services);
      await services.create(service('bank'));
      await services.create(service('shop'));
      await sleep(1000);
      await services.delete({ namespace: 'default', name: 'shop' });
    },
    eventually: {
      'there is a route to each published Service, and none to others': (state) =>
        routesOf(state).join() === 'bank' || `routes to: ${routesOf(state).join()}`,
    },
  });

/** Keeps the route to a Service that went while it was down. */
export const wrong = named('missed deletion: wrong', wrongRouter);
/** Has the routes that are asked for, whenever it begins. */
export const right = named('missed deletion: right', rightRouter);
