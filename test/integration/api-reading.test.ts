// Reading collections: pages, selectors, resource versions; the same over each backend of storage.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
const named = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
});
const NAMES = ['a', 'b', 'c', 'd', 'e'];

describe.each(['memory', 'lmdb'] as const)('Lists over %s storage', (backend) => {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await anApiCaller({ backend });
    for (const [i, name] of NAMES.entries())
      await api.call('POST', PATH, { body: named(name, { odd: String(i % 2 === 1) }) });
  });
  afterAll(() => api.close());
  const list = async (query: string) => (await api.call('GET', `${PATH}?${query}`)).json;
  const namesOf = ({ items }: Awaited<ReturnType<typeof list>>) =>
    items.map(({ metadata }) => metadata.name);

  it('come in pages that all show the revision of the first', async () => {
    const first = await list('limit=2');
    expect(namesOf(first)).toEqual(['a', 'b']);
    expect(first.metadata.remainingItemCount).toBe(3);
    await api.call('POST', PATH, { body: named('bb') });
    await api.call('DELETE', `${PATH}/e`);
    const second = await list(`limit=2&continue=${first.metadata.continue}`);
    expect(namesOf(second)).toEqual(['c', 'd']);
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    const last = await list(`limit=2&continue=${second.metadata.continue}`);
    expect(namesOf(last)).toEqual(['e']);
    expect(last.metadata.continue).toBeUndefined();
    await api.call('DELETE', `${PATH}/bb`);
    await api.call('POST', PATH, { body: named('e', { odd: 'false' }) });
  });

  it('fill their pages under selectors', async () => {
    const first = await list('limit=2&labelSelector=odd%3Dfalse');
    expect(namesOf(first)).toEqual(['a', 'c']);
    expect(first.metadata.remainingItemCount).toBeUndefined();
    const rest = await list(
      `limit=2&labelSelector=odd%3Dfalse&continue=${first.metadata.continue}`,
    );
    expect(namesOf(rest)).toEqual(['e']);
  });

  it('show a past revision exactly, and answer 410 with a fresh token once it is compacted', async () => {
    const page = await list('limit=1');
    const revision = page.metadata.resourceVersion ?? '';
    await api.call('POST', PATH, { body: named('f') });
    const past = await list(`resourceVersion=${revision}&resourceVersionMatch=Exact`);
    expect(namesOf(past)).toEqual(NAMES);
    await api.storage.compact(api.storage.range().newest);
    const refused = await api.call('GET', `${PATH}?limit=9&continue=${page.metadata.continue}`);
    expect(refused.status).toBe(410);
    expect(refused.json.reason).toBe('Expired');
    const fresh = await list(`limit=9&continue=${refused.json.metadata.continue}`);
    expect(namesOf(fresh)).toEqual(['b', 'c', 'd', 'e', 'f']);
    await api.call('DELETE', `${PATH}/f`);
  });

  it.each([
    ['labelSelector=odd', NAMES],
    ['labelSelector=!odd', []],
    ['labelSelector=odd+in+(true)', ['b', 'd']],
    ['labelSelector=odd!=true', ['a', 'c', 'e']],
    ['fieldSelector=metadata.name%3Db', ['b']],
    ['fieldSelector=metadata.name!%3Db,metadata.namespace%3Ddefault', ['a', 'c', 'd', 'e']],
  ])('select by %s', async (query, expected) => {
    expect(namesOf(await list(query))).toEqual(expected);
  });

  it.each([
    'fieldSelector=data.x%3D1',
    'labelSelector=a+in+(',
    'limit=-1',
    'resourceVersion=x',
    'continue=nonsense',
  ])('answer 400 to %s', async (query) => {
    const refused = await api.call('GET', `${PATH}?${query}`);
    expect([refused.status, refused.json.reason]).toEqual([400, 'BadRequest']);
  });

  it.each([
    ['resourceVersionMatch=Exact', 'FieldValueForbidden'],
    ['resourceVersionMatch=Exact&resourceVersion=0', 'FieldValueForbidden'],
    ['resourceVersionMatch=Sometimes&resourceVersion=1', 'FieldValueNotSupported'],
    ['sendInitialEvents=true', 'FieldValueForbidden'],
  ])('answer 422 to %s, as those options do not go together', async (query, reason) => {
    const refused = await api.call('GET', `${PATH}?${query}`);
    expect(refused.status).toBe(422);
    expect(refused.json.details).toMatchObject({ kind: 'ListOptions', causes: [{ reason }] });
  });

  it('answer a revision that is still to come with a timeout to be tried again', async () => {
    for (const path of [PATH, `${PATH}/a`]) {
      const refused = await api.call('GET', `${path}?resourceVersion=999999999`);
      expect([refused.status, refused.json.reason]).toEqual([504, 'Timeout']);
    }
  });

  it('take 0 for any revision, and an old one for one at least as new', async () => {
    expect(namesOf(await list('resourceVersion=0'))).toEqual(NAMES);
    expect(namesOf(await list('resourceVersion=1'))).toEqual(NAMES);
    expect((await api.call('GET', `${PATH}/a?resourceVersion=0`)).status).toBe(200);
  });
});
