// Tests of the table of built-in controllers.
import { expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { systemRandom } from '../base/random.ts';
import { createInformerFactory } from '../client/informer/informer-factory.ts';
import { createClient } from '../client/rest/rest-client.ts';
import { anApiServer } from '../test/support/client-server.ts';
import { namedControllers } from './all.ts';

it('names each controller as the controller names itself', async () => {
  const server = await anApiServer();
  const client = createClient(server.transport);
  const doors = { client, clock: systemClock, random: systemRandom, logger: silentLogger };
  const named = namedControllers({ caCertificate: 'a certificate', signToken: () => 'a token' });
  const ownNames = Object.values(named).map((factory) => {
    const informers = createInformerFactory(doors);
    return factory({ ...doors, informers, events: { event: () => undefined } }).name;
  });
  expect(Object.keys(named)).toEqual(ownNames);
  await server.close();
});
