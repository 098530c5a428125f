// A webhook server that cannot start, or cannot go on: told at once, with nothing left running.
import { describe, expect, it } from 'vitest';
import { Pods } from '../../../api/kinds.ts';
import { StatusError } from '../../../api/status.ts';
import { silentLogger } from '../../../base/logger.ts';
import { systemRandom } from '../../../base/random.ts';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { createClient } from '../../../client/rest/rest-client.ts';
import type { Transport } from '../../../client/transport/transport.ts';
import { until } from '../../../test/support/until.ts';
import { allow } from './admission.ts';
import { converting } from './conversion.ts';
import { startPart } from './start-part.ts';
import { validating } from './webhook.ts';
import { webhookServer } from './webhook-server.ts';

const webhooks = [validating(Pods, { admit: () => allow() })];
const options = { name: 'shop', webhooks, host: '127.0.0.1', port: 0 };

/** A server that answers everything with an error. */
function aRefusal(error: Error) {
  let asked = 0;
  const refuse = () => {
    asked++;
    return Promise.reject(error);
  };
  const transport = {
    request: refuse,
    // oxlint-disable-next-line require-yield
    async *watch() {
      throw error;
    },
    stream: refuse,
    close: () => undefined,
  };
  const client = createClient(transport as unknown as Transport);
  return { client, asked: () => asked };
}
const context = (client: ReturnType<typeof createClient>, clock = new VirtualClock()) => ({
  client,
  clock,
  random: systemRandom,
  logger: silentLogger,
  namespace: 'default',
});

describe('a webhook server', () => {
  it('is refused where nothing says how it is reached, or two webhooks have one name', () => {
    for (const host of [undefined, '0.0.0.0', '::'])
      expect(() => webhookServer({ ...options, host })).toThrow(
        'give a service, or a url, or a host',
      );
    expect(() => webhookServer({ ...options, webhooks: [...webhooks, ...webhooks] })).toThrow(
      'two webhooks are called validate.pods.core',
    );
    expect(() => webhookServer({ ...options, url: 'http://a' })).toThrow('is no https://HOST:PORT');
  });

  it('tells what definitions of converted kinds are to say, before it runs', () => {
    const ref = { group: 'a.io', version: 'v1', kind: 'A', plural: 'as', namespaced: true };
    const convert = converting(ref, { 'v1→v2': (object) => object });
    const service = { namespace: 'default', name: 'hooks' };
    const part = webhookServer({ name: 'shop', webhooks: [...webhooks, convert], service });
    expect(part.conversion({ group: 'a.io', kind: 'A' })).toMatchObject({
      strategy: 'Webhook',
      webhook: { clientConfig: { service: { ...service, path: '/convert.as.a.io' } } },
    });
    expect(part.conversion({ group: 'a.io', kind: 'B' })).toBeUndefined();
    expect(part.conversion({ group: '', kind: 'Pod' })).toBeUndefined();
  });

  it('does not start where its account may not keep certificates', async () => {
    const { client } = aRefusal(new StatusError('Forbidden', 'cannot get resource "secrets"'));
    const part = startPart(webhookServer(options), context(client));
    await expect(part.ready).rejects.toThrow('cannot get resource "secrets"');
    await expect(part.done).rejects.toThrow('cannot get resource "secrets"');
  });

  it('waits for an API server that is away, and stops meanwhile when told', async () => {
    const { client, asked } = aRefusal(new StatusError('ServiceUnavailable', 'away'));
    const clock = new VirtualClock();
    const certificateClock = clock;
    const part = startPart(webhookServer({ ...options, certificateClock }), context(client, clock));
    await until(() => asked() > 0);
    const before = asked();
    await clock.advance(60_000);
    expect(asked()).toBeGreaterThan(before);
    await part.stop();
    await expect(part.ready).rejects.toThrow('stopped before it served');
    expect(clock.pendingTimers).toBe(0);
  });
});
