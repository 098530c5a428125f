// What the built-in controllers' caches keep: definitions of custom resources without schemas, all else whole.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { ConfigMaps, CustomResourceDefinitions } from '../../api/kinds.ts';
import { keptByControllers } from '../../cli/serve/kept-form.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { anApiServer, type ClientServer } from '../support/client-server.ts';
import { samples } from '../support/samples.ts';
import { until } from '../support/until.ts';

let server: ClientServer;
beforeAll(async () => {
  server = await anApiServer();
});
afterAll(() => server.close());

it('caches of the built-in controllers keep no schemas, as they come and as they change', async () => {
  const client = createClient(server.transport);
  const informers = createInformerFactory({
    client,
    clock: systemClock,
    random: seededRandom(1),
    logger: silentLogger,
    transform: keptByControllers,
  });
  const definitions = informers.informer(CustomResourceDefinitions);
  const maps = informers.informer(ConfigMaps);
  const [early, late] = samples();
  if (!early || !late) throw new Error('there are two samples at least');
  await client.resource(CustomResourceDefinitions).create(early.definition);
  const stop = new AbortController();
  informers.start(stop.signal);
  await informers.synced();
  await client.resource(CustomResourceDefinitions).create(late.definition);
  const data = { a: 'b' };
  await client.resource(ConfigMaps).create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'whole', namespace: 'default' },
    data,
  });
  await until(() => definitions.list().length === 2 && maps.list().length === 1);
  for (const { spec } of definitions.list())
    for (const version of spec.versions) {
      expect(version.name).toMatch(/^v/);
      expect(version.schema).toBeUndefined();
    }
  expect(maps.list()[0]?.data).toEqual(data);
  stop.abort(new Error('the test is over'));
  await informers.finished();
});
