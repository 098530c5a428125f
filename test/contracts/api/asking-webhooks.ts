// Admission webhooks, whichever way a write comes and wherever it is stored: what they change is what everybody sees, what
// they refuse leaves nothing behind. Details of single rules are in test/integration/webhooks-*.test.ts.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ApiCaller, OpenCaller } from '../../support/api-caller.ts';
import { CONFIG_MAPS, patching, setting } from '../../support/webhook-configuration.ts';
import { aWebhookServer, type WebhookServer } from '../../support/webhook-server.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const APPLY = 'application/apply-patch+yaml';
const MERGE = 'application/merge-patch+json';
const map = (name: string, data: object = { a: '1' }) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

/** The contract. */
export function askingWebhooksContract(open: OpenCaller): void {
  let api: ApiCaller;
  let hook: WebhookServer;
  beforeAll(async () => {
    hook = await aWebhookServer();
    api = await open();
    hook.on('/count', ({ request }) => {
      const { count = '0' } = request.object.data;
      return patching(setting('count', String(Number(count) + 1)));
    });
    hook.on('/no', () => ({ allowed: false, warnings: ['no'], status: { message: 'never' } }));
  });
  afterAll(async () => {
    await api.close();
    await hook.close();
  });
  const collection = (sort: string) =>
    `/apis/admissionregistration.k8s.io/v1/${sort}webhookconfigurations`;
  afterEach(async () => {
    for (const sort of ['mutating', 'validating']) await api.call('DELETE', collection(sort));
  });

  const configure = async (sort: string, path: string, more: object = {}) => {
    const webhook = {
      name: 'a.test.local',
      clientConfig: hook.at(path),
      rules: [{ ...CONFIG_MAPS, operations: ['*'] }],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      ...more,
    };
    const body = { metadata: { name: 'c' }, webhooks: [webhook] };
    expect((await api.call('POST', collection(sort), { body })).status).toBe(201);
  };

  it('every sort of write is changed by them once, and readers and watchers see the outcome', async () => {
    const watching = await api.watch(`${MAPS}?watch=true`);
    const rules = [{ ...CONFIG_MAPS, operations: ['CREATE', 'UPDATE'] }];
    await configure('mutating', '/count', { rules });
    const path = `${MAPS}/w`;
    const counts = [
      await api.call('POST', MAPS, { body: map('w') }),
      await api.call('PUT', path, { body: map('w', { a: '2', count: '1' }) }),
      await api.call('PATCH', path, { body: { data: { a: '3' } }, type: MERGE }),
      await api.call('PATCH', `${path}?fieldManager=m`, {
        body: map('w', { b: '1' }),
        type: APPLY,
      }),
    ].map(({ json }) => (json['data'] as { count: string }).count);
    expect(counts).toEqual(['1', '2', '3', '4']);
    expect((await api.call('GET', path)).json['data']).toEqual({ a: '3', b: '1', count: '4' });
    for (const count of counts)
      expect((await watching.next())?.object['data']).toMatchObject({ count });
    watching.stop();
  });

  it('what they refuse leaves nothing behind, whatever the write', async () => {
    await api.call('POST', MAPS, { body: map('kept') });
    const before = (await api.call('GET', `${MAPS}/kept`)).text;
    await configure('validating', '/no');
    const path = `${MAPS}/kept`;
    const refused = [
      await api.call('POST', MAPS, { body: map('new') }),
      await api.call('PUT', path, { body: map('kept', { a: '2' }) }),
      await api.call('PATCH', path, { body: { data: { a: '2' } }, type: MERGE }),
      await api.call('PATCH', `${path}?fieldManager=m&force=true`, {
        body: map('kept', { a: '2' }),
        type: APPLY,
      }),
      await api.call('PATCH', `${MAPS}/new?fieldManager=m`, { body: map('new'), type: APPLY }),
      await api.call('DELETE', path),
      await api.call('DELETE', MAPS),
    ];
    for (const answer of refused) {
      expect(answer.status).toBe(400);
      expect(answer.json.message).toBe(
        'admission webhook "a.test.local" denied the request: never',
      );
      expect(answer.headers['warning']).toContain('299 - "no"');
    }
    expect((await api.call('GET', path)).text).toBe(before);
    expect((await api.call('GET', `${MAPS}/new`)).status).toBe(404);
  });

  it('a write that meets another one is asked about anew, and loses nothing of it', async () => {
    await api.call('POST', MAPS, { body: map('raced', { count: '0' }) });
    const rules = [{ ...CONFIG_MAPS, operations: ['UPDATE'] }];
    await configure('mutating', '/count', { rules });
    const path = `${MAPS}/raced`;
    const writes = Array.from({ length: 4 }, (_, i) =>
      api.call('PATCH', path, { body: { data: { [`k${i}`]: 'x' } }, type: MERGE }),
    );
    for (const { status, text } of await Promise.all(writes)) expect(status, text).toBe(200);
    expect((await api.call('GET', path)).json['data']).toEqual({
      count: '4',
      k0: 'x',
      k1: 'x',
      k2: 'x',
      k3: 'x',
    });
  });
}
