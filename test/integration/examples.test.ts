// The examples of the documentation do what they say, against a whole server.
import { afterEach, describe, expect, it } from 'vitest';
import { mirror } from '../../examples/01-own-controller/main.ts';
import { ConfigMaps } from '../../api/kinds.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { runControllers } from '../../controllers/framework/index.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { anApiServer, type ClientServer } from '../support/client-server.ts';

const ending = new AbortController();
let server: ClientServer | undefined;
afterEach(async () => {
  ending.abort(new Error('the test is over'));
  await server?.close();
});

describe('examples/01-own-controller', () => {
  it('mirrors a labelled ConfigMap into the namespace that its label names, and keeps it in step', async () => {
    server = await anApiServer();
    const client = createClient(server.transport);
    const configs = client.resource(ConfigMaps);
    const running = runControllers(
      [mirror],
      { client, clock: systemClock, random: systemRandom, logger: silentLogger },
      ending.signal,
    );
    const copies = configs.watch({ namespace: 'kube-public' })[Symbol.asyncIterator]();
    const next = async () => (await copies.next()).value?.at(-1)?.object;
    const made = await configs.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'greeting', namespace: 'default', labels: { 'mirror-to': 'kube-public' } },
      data: { text: 'hello' },
    });
    expect((await next())?.data).toEqual({ text: 'hello' });
    await configs.update({ ...made, data: { text: 'good evening' } });
    expect((await next())?.data).toEqual({ text: 'good evening' });
    ending.abort(new Error('the test is over'));
    await running;
  });
});
