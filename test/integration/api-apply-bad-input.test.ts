// Configurations and owners that make no sense: never a 500, never a hang, and never a stored object that cannot be written again.
import { fc } from '../support/properties.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller, type Called } from '../support/api-caller.ts';
import { applierTo } from '../support/applying.ts';

const SERVICES = '/api/v1/namespaces/default/services';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

/** Names that fields of all sorts have, and some that are none. */
const NAMES =
  'metadata spec status labels annotations finalizers ownerReferences managedFields name uid resourceVersion ports port ' +
  'protocol selector template containers image replicas strategy conditions type x constructor __proto__ f:spec . ' +
  'k:{"name":"x"} k:{ v:1 i:0 i:x';
const key = fc.constantFrom(...NAMES.split(' '));
const leaf = fc.constantFrom(null, true, 0, 1.5, -1, 1e300, '', 'x', '\u0000', 'a/b', [], {});
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    leaf,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
  ),
}));

describe('Bad input to applies', () => {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await anApiCaller();
  });
  afterAll(() => api.close());
  const sound = ({ status, json }: Called) => {
    expect(status).not.toBe(500);
    if (status >= 400) expect(json.reason).toMatch(/^[A-Z]\w+$/);
  };

  it('is refused with a reason, or applied', async () => {
    const apply = applierTo(api);
    await fc.assert(
      fc.asyncProperty(tree, tree, fc.boolean(), async (spec, metadata, force) => {
        const meta = typeof metadata === 'object' && !Array.isArray(metadata) ? metadata : {};
        for (const [path, apiVersion, kind] of [
          [SERVICES, 'v1', 'Service'],
          [DEPLOYMENTS, 'apps/v1', 'Deployment'],
        ]) {
          const body = { apiVersion, kind, metadata: { ...meta, name: 'fuzzed' }, spec };
          const query = force ? 'force=true' : '';
          sound(await apply(`${path}/fuzzed`, body, { query }));
          sound(await apply(`${path}/fuzzed/status`, { ...body, status: spec }, { query }));
        }
        sound(await apply(`${SERVICES}/fuzzed`, spec));
        const port = { spec: { ports: [{ port: 80 }] } };
        const good = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'good' }, ...port };
        expect((await apply(`${SERVICES}/good`, good)).status).toBeLessThan(300);
      }),
      { numRuns: 300 },
    );
  });

  it('as owners is taken or left, and the object can be applied to afterwards', async () => {
    const apply = applierTo(api);
    const config = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'owned' },
      data: { a: '1' },
    };
    const path = '/api/v1/namespaces/default/configmaps/owned';
    await apply(path, config);
    const type = 'application/merge-patch+json';
    await fc.assert(
      fc.asyncProperty(tree, fc.constantFrom('Apply', 'Update'), async (fieldsV1, operation) => {
        const entry = {
          manager: 'm',
          operation,
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1,
        };
        sound(
          await api.call('PATCH', path, { type, body: { metadata: { managedFields: [entry] } } }),
        );
        sound(await api.call('PATCH', path, { type, body: { data: { b: '1' } } }));
        const applied = await apply(path, config, { query: 'force=true' });
        expect(applied.status).toBe(200);
        sound(
          await api.call('PATCH', path, { type, body: { metadata: { managedFields: fieldsV1 } } }),
        );
      }),
      { numRuns: 300 },
    );
  });
});
