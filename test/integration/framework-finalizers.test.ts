// Taking finalizers off, while cleanUp and others write the same object.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import { ConfigMaps } from '../../api/kinds.ts';
import { isConflict, isNotFound, StatusError } from '../../api/status.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { removeFinalizer } from '../../controllers/framework/finalizers.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import { anApiServer, type ClientServer } from '../support/client-server.ts';
import { intercepted } from '../support/intercepted-transport.ts';
import { until } from '../support/until.ts';

const ref = { namespace: 'default', name: 'a' };
const ours = 'example.com/ours';
const theirs = 'example.com/theirs';

/** So often at the most, as a test whose clean-up never ends would not end either. */
const ENOUGH = 5;

let server: ClientServer;
const endings: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  server = await anApiServer();
});
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
  await server.close();
});

const resource = () => createClient(server.transport).resource(ConfigMaps);
const made = (finalizers: string[] = []): Promise<ConfigMap> =>
  resource().create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...ref, finalizers } });
const gone = () =>
  resource()
    .get(ref)
    .then(() => false, isNotFound);

it('cleans up once, though cleanUp writes something else into its object each time', async () => {
  let cleaned = 0;
  const keeper = controllerFor(ConfigMaps)
    .where(({ metadata }) => metadata.name === ref.name)
    .withFinalizer(ours, async (_, { resource: configs }) => {
      const body = { data: { cleaned: `${++cleaned}` } };
      if (cleaned < ENOUGH) await configs.patch(ref, { type: 'merge', body });
    })
    .reconcile(() => Promise.resolve());
  const stop = new AbortController();
  const client = createClient(server.transport);
  const options = { client, clock: systemClock, random: systemRandom, logger: silentLogger };
  const running = runControllers([keeper], options, stop.signal);
  endings.push(() => {
    stop.abort(new Error('the test is over'));
    return running;
  });
  await made();
  await until(async () => (await resource().get(ref)).metadata.finalizers?.length === 1);
  await resource().delete(ref);
  await until(gone);
  expect(cleaned).toBe(1);
});

it('is not kept from it by what others write, and leaves the finalizers of others alone', async () => {
  const object = await made([theirs, ours]);
  await resource().patch(ref, { type: 'merge', body: { data: { by: 'others' } } });
  const after = await removeFinalizer(resource(), object, ours);
  expect(after).toMatchObject({ metadata: { finalizers: [theirs] }, data: { by: 'others' } });
});

it('is a conflict where the list has changed, or the name is another object’s', async () => {
  const object = await made([theirs, ours]);
  await resource().patch(ref, { type: 'merge', body: { metadata: { finalizers: [ours] } } });
  await expect(removeFinalizer(resource(), object, ours)).rejects.toSatisfy(isConflict);
  expect((await resource().get(ref)).metadata.finalizers).toEqual([ours]);
  await resource().patch(ref, { type: 'merge', body: { metadata: { finalizers: null } } });
  await resource().delete(ref);
  expect(await removeFinalizer(resource(), object, ours)).toBe(object);
  await made([theirs, ours]);
  await expect(removeFinalizer(resource(), object, ours)).rejects.toSatisfy(isConflict);
  expect((await resource().get(ref)).metadata.finalizers).toEqual([theirs, ours]);
});

it('tells of a refusal that is none of the list’s as it is', async () => {
  const object = await made([ours]);
  const refusal = new StatusError('Invalid', 'a webhook does not want it');
  const refusing = intercepted(server.transport, {
    request: (request, send) => (request.method === 'PATCH' ? Promise.reject(refusal) : send()),
  });
  const configs = createClient(refusing).resource(ConfigMaps);
  await expect(removeFinalizer(configs, object, ours)).rejects.toBe(refusal);
});
