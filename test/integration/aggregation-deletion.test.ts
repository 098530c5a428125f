// Objects of another API server go with their owners and with their namespace, as this server's own do.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { API_VERSION } from '../../examples/02-aggregated-api/recipes.ts';
import type { Namespace } from '../../api/generated/types.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import { garbageCollector } from '../../controllers/garbagecollector/controller.ts';
import { namespaceController } from '../../controllers/namespace/controller.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import {
  type AggregatedApi,
  anAggregatedApi,
  KITCHEN,
  RECIPES,
} from '../support/aggregated-api.ts';
import { until } from '../support/until.ts';

const CONTROLLERS = {
  username: 'system:kube-controller-manager',
  groups: ['system:authenticated'],
};

let api: AggregatedApi;
let stop: AbortController;
let running: Promise<void>;
beforeEach(async () => {
  api = await anAggregatedApi();
  await api.register();
  await api.becomes('Passed');
  stop = new AbortController();
  const transport = createInProcessTransport(api.server.server.handler, CONTROLLERS);
  running = runControllers(
    [garbageCollector, namespaceController],
    {
      client: createClient(transport),
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
    },
    stop.signal,
  );
});
afterEach(async () => {
  stop.abort(new Error('the test is over'));
  await running;
  await api.close();
});

const call: AggregatedApi['server']['call'] = (...args) => api.server.call(...args);
const aRecipe = (name: string, more: object = {}) => ({
  apiVersion: API_VERSION,
  kind: 'Recipe',
  metadata: { name, ...more },
});
const isGone = async (path: string) => (await call('GET', path)).status === 404;

it('a recipe goes with the ConfigMap that owns it, and a ConfigMap with the recipe that does', async () => {
  const maps = '/api/v1/namespaces/default/configmaps';
  const ownedBy = ({ apiVersion, kind, metadata }: ReturnType<typeof aRecipe>, uid: string) => ({
    ownerReferences: [{ apiVersion, kind, name: metadata.name, uid }],
  });
  const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
  const owner = (await call('POST', maps, { body: config })).json();
  const recipe = aRecipe('b', ownedBy(config, owner.metadata.uid));
  const made = (await call('POST', RECIPES, { body: recipe })).json();
  const last = { ...config, metadata: { name: 'c', ...ownedBy(recipe, made.metadata.uid) } };
  expect((await call('POST', maps, { body: last })).status).toBe(201);
  await call('DELETE', `${maps}/a`);
  await until(() => isGone(`${RECIPES}/b`));
  await until(() => isGone(`${maps}/c`));
});

it('a namespace takes its recipes along, and waits while it cannot know whether it has any', async () => {
  const path = '/api/v1/namespaces/dinner';
  await call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'dinner' } } });
  const recipes = `${KITCHEN}/namespaces/dinner/recipes`;
  expect((await call('POST', recipes, { body: aRecipe('soup') })).status).toBe(201);
  const endpoints = '/api/v1/namespaces/default/endpoints';
  const kitchen = (await call('GET', `${endpoints}/kitchen`)).json();
  await call('DELETE', `${endpoints}/kitchen`);
  await api.becomes('EndpointsNotFound');
  await call('DELETE', path);
  const condition = async () => {
    const { status } = (await call('GET', path)).json() as Namespace;
    const found = status?.conditions?.find(
      ({ type }) => type === 'NamespaceDeletionDiscoveryFailure',
    );
    return `${found?.status} ${found?.reason}: ${found?.message}`;
  };
  const text = `${API_VERSION}: stale GroupVersion discovery: ${API_VERSION}`;
  await until(async () => (await condition()).startsWith('True'));
  expect(await condition()).toBe(
    `True DiscoveryFailed: Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: ${text}`,
  );
  expect(api.recipes.list('dinner')).toHaveLength(1);
  const { metadata, subsets } = kitchen;
  await call('POST', endpoints, { body: { metadata: { name: metadata.name }, subsets } });
  await until(() => isGone(path));
  expect(api.recipes.list('dinner')).toEqual([]);
});
