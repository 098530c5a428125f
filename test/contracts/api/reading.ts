// Reading collections: pages, selectors, resource versions; the same over each backend of storage.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiCaller, OpenCaller } from '../../support/api-caller.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
const named = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
});
const NAMES = ['a', 'b', 'c', 'd', 'e'];

/** Holds for every way to a server, over every storage. */
export function readingContract(open: OpenCaller): void {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await open();
    for (const [i, name] of NAMES.entries())
      await api.call('POST', PATH, {
        body: named(name, { odd: String(i % 2 === 1), place: String(i + 1) }),
      });
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
    await api.call('POST', PATH, { body: named('e', { odd: 'false', place: '5' }) });
  });

  it.each(['0', '-1', ''])('are whole with a limit of %j', async (limit) => {
    const all = await list(`limit=${limit}`);
    expect([namesOf(all), all.metadata.continue]).toEqual([NAMES, undefined]);
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
    ['labelSelector=odd==true', ['b', 'd']],
    ['labelSelector=odd+notin+(true)', ['a', 'c', 'e']],
    ['labelSelector=odd+in+(true,false)', NAMES],
    ['labelSelector=odd+in+(,true)', ['b', 'd']],
    ['labelSelector=none!=x', NAMES],
    ['labelSelector=none+notin+(x)', NAMES],
    ['labelSelector=none', []],
    ['labelSelector=odd,odd=true,!none', ['b', 'd']],
    ['labelSelector=place>2', ['c', 'd', 'e']],
    ['labelSelector=place<2', ['a']],
    ['labelSelector=%20odd%20=%20true%20', ['b', 'd']],
    ['labelSelector=', NAMES],
    ['fieldSelector=', NAMES],
    ['fieldSelector=metadata.name==b', ['b']],
    ['fieldSelector=metadata.name=b,metadata.name=c', []],
    ['fieldSelector=metadata.namespace!=default', []],
    ['fieldSelector=metadata.name!=b&labelSelector=odd=true', ['d']],
    ['fieldSelector=metadata.name%3Db', ['b']],
    ['fieldSelector=metadata.name!%3Db,metadata.namespace%3Ddefault', ['a', 'c', 'd', 'e']],
  ])('select by %s', async (query, expected) => {
    expect(namesOf(await list(query))).toEqual(expected);
  });

  it.each([
    'fieldSelector=data.x%3D1',
    'labelSelector=a+in+(',
    'labelSelector=a+in+()x',
    'labelSelector=a+in+x',
    'labelSelector==x',
    'labelSelector=a=b=c',
    'labelSelector=a>b',
    'labelSelector=-a',
    'labelSelector=a=-b',
    'labelSelector=a+is+(b)',
    'fieldSelector=metadata.name',
    'fieldSelector=spec.nodeName=x',
    'fieldSelector=metadata.name=a%5Cb',
    'limit=x',
    'limit=1.5',
    'timeoutSeconds=x',
    'watch=1&timeoutSeconds=1e3',
    'watch=1&limit=x',
    'limit=9223372036854775808',
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

  it('answer a revision that is still to come with a timeout, to be tried again', async () => {
    const future = 'resourceVersion=999999999';
    for (const path of [
      `${PATH}?${future}`,
      `${PATH}?${future}&limit=1`,
      `${PATH}?${future}&resourceVersionMatch=NotOlderThan`,
      `${PATH}?${future}&resourceVersionMatch=Exact`,
      `${PATH}/a?${future}`,
    ]) {
      const { status, json, headers } = await api.call('GET', path);
      expect([status, json.reason, headers['retry-after']]).toEqual([504, 'Timeout', '1']);
      expect(json.message).toMatch(/^Too large resource version: 999999999, current: \d+$/);
      expect(json.details).toEqual({
        retryAfterSeconds: 1,
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      });
    }
  });

  it('answer a token from the future so too, and never wait for it', async () => {
    const page = await list('limit=1');
    const token = Buffer.from(page.metadata.continue ?? '', 'base64url').toString();
    const ahead = token.replace(/"rv":"\d+"/, '"rv":"999999999"');
    const forged = Buffer.from(ahead).toString('base64url');
    const refused = await api.call('GET', `${PATH}?limit=1&continue=${forged}`);
    expect([refused.status, refused.json.reason]).toEqual([504, 'Timeout']);
  });

  it('refuse a version beside a continue token, unless it is 0', async () => {
    const next = `limit=1&continue=${(await list('limit=1')).metadata.continue}`;
    const refused = await api.call('GET', `${PATH}?${next}&resourceVersion=1`);
    expect([refused.status, refused.json.reason]).toEqual([400, 'BadRequest']);
    expect(namesOf(await list(`${next}&resourceVersion=0`))).toEqual(['b']);
  });

  it.each(['resourceVersionMatch=NotOlderThan', 'resourceVersionMatch=Exact&resourceVersion=1'])(
    'refuse %s beside a continue token',
    async (query) => {
      const next = `limit=1&continue=${(await list('limit=1')).metadata.continue}`;
      const refused = await api.call('GET', `${PATH}?${next}&${query}`);
      expect(refused.status).toBe(422);
    },
  );

  it('of a version at least as new show the newest, of an exact one that, paged or not', async () => {
    const before = (await list('')).metadata.resourceVersion ?? '';
    await api.call('POST', PATH, { body: named('z') });
    const notOlder = await list(`resourceVersion=${before}&resourceVersionMatch=NotOlderThan`);
    expect(namesOf(notOlder)).toEqual([...NAMES, 'z']);
    const exact = await list(`resourceVersion=${before}&resourceVersionMatch=Exact`);
    expect([namesOf(exact), exact.metadata.resourceVersion]).toEqual([NAMES, before]);
    const paged = `resourceVersion=${before}&resourceVersionMatch=Exact&limit=3`;
    const first = await list(paged);
    expect(namesOf(first)).toEqual(['a', 'b', 'c']);
    const second = await list(`limit=3&continue=${first.metadata.continue}`);
    expect([namesOf(second), second.metadata.resourceVersion]).toEqual([['d', 'e'], before]);
    await api.call('DELETE', `${PATH}/z`);
  });

  it('answer 410 to an exact version that is compacted, without a token', async () => {
    await api.call('POST', PATH, { body: named('z') });
    await api.call('DELETE', `${PATH}/z`);
    await api.storage.compact(api.storage.range().newest);
    const refused = await api.call('GET', `${PATH}?resourceVersion=1&resourceVersionMatch=Exact`);
    expect([refused.status, refused.json.reason]).toEqual([410, 'Expired']);
    expect(refused.json.metadata.continue).toBeUndefined();
  });

  it('stay consistent while others write between and during their pages', async () => {
    let stop = false;
    const writer = (async () => {
      for (let i = 0; !stop; i++) {
        await api.call('POST', PATH, { body: named(`w${i}`) });
        await api.call('DELETE', `${PATH}/w${i}`);
      }
    })();
    for (let round = 0; round < 10; round++) {
      let page = await list('limit=1');
      const { resourceVersion } = page.metadata;
      const exact = `resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`;
      const whole = namesOf(await list(exact));
      const found = namesOf(page);
      while (page.metadata.continue) {
        page = await list(`limit=1&continue=${page.metadata.continue}`);
        expect(page.metadata.resourceVersion).toBe(resourceVersion);
        found.push(...namesOf(page));
      }
      expect(found).toEqual(whole);
    }
    stop = true;
    await writer;
  });

  it('count what is left, and end without a token', async () => {
    const { metadata } = await list('limit=4');
    expect(metadata.remainingItemCount).toBe(1);
    for (const limit of [5, 6, 0]) {
      const all = (await list(`limit=${limit}`)).metadata;
      expect([all.continue, all.remainingItemCount]).toEqual([undefined, undefined]);
    }
  });

  it('take 0 for any revision, and an old one for one at least as new', async () => {
    expect(namesOf(await list('resourceVersion=0'))).toEqual(NAMES);
    expect(namesOf(await list('resourceVersion=1'))).toEqual(NAMES);
    expect((await api.call('GET', `${PATH}/a?resourceVersion=0`)).status).toBe(200);
  });
}
