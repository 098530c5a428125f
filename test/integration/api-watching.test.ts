// Watches: what is told, in which order, from which revision on, and how they end.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { aValue } from '../contracts/storage.ts';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
const named = (name: string, labels: Record<string, string> = {}, data = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
});

describe.each(['memory', 'lmdb'] as const)('Watches over %s storage', (backend) => {
  let api: ApiCaller;
  const clock = new VirtualClock();
  beforeAll(async () => {
    api = await anApiCaller({ backend, clock });
  });
  afterAll(() => api.close());
  const now = async () =>
    (await api.call('GET', `${PATH}?limit=1`)).json.metadata.resourceVersion ?? '';

  it('tell additions, changes and deletions as the selector sees them', async () => {
    const all = await api.watch(`${PATH}?resourceVersion=${await now()}`);
    const some = await api.watch(`${PATH}?resourceVersion=${await now()}&labelSelector=in%3Dyes`);
    await api.call('POST', PATH, { body: named('x', { in: 'no' }) });
    await api.call('PUT', `${PATH}/x`, { body: named('x', { in: 'yes' }) });
    await api.call('PUT', `${PATH}/x`, { body: named('x', { in: 'yes' }, { k: 'v' }) });
    await api.call('PUT', `${PATH}/x`, { body: named('x', { in: 'no' }) });
    await api.call('DELETE', `${PATH}/x`);
    expect(await all.take(5)).toEqual([
      'ADDED x',
      'MODIFIED x',
      'MODIFIED x',
      'MODIFIED x',
      'DELETED x',
    ]);
    expect(await some.take(3)).toEqual(['ADDED x', 'MODIFIED x', 'DELETED x']);
    all.stop();
    some.stop();
    expect(await all.next()).toBeUndefined();
  });

  it('begin with the present objects and mark their end where asked', async () => {
    await api.call('POST', PATH, { body: named('y') });
    const watch = await api.watch(
      `${PATH}?sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`,
    );
    expect(await watch.take(1)).toEqual(['ADDED y']);
    const end = await watch.next();
    expect(end?.type).toBe('BOOKMARK');
    expect(end?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    expect(end?.object.metadata.resourceVersion).toBe(await now());
    await api.call('DELETE', `${PATH}/y`);
    expect(await watch.take(1)).toEqual(['DELETED y']);
    watch.stop();
  });

  it('send bookmarks as time goes by, and end at their timeout', async () => {
    const watch = await api.watch(
      `${PATH}?resourceVersion=${await now()}&allowWatchBookmarks=1&timeoutSeconds=90`,
    );
    const first = watch.next();
    await clock.advance(61_000);
    expect((await first)?.type).toBe('BOOKMARK');
    const end = watch.next();
    await clock.advance(30_000);
    expect(await end).toBeUndefined();
  });

  it('give their columns once when they are Tables', async () => {
    await api.call('POST', PATH, { body: named('t') });
    const watch = await api.watch(PATH, {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    });
    await api.call('DELETE', `${PATH}/t`);
    const [added, deleted] = [await watch.next(), await watch.next()];
    expect(added?.object).toMatchObject({ kind: 'Table', rows: [{ cells: ['t', '0', '0s'] }] });
    expect(added?.object['columnDefinitions']).toBeTruthy();
    expect(deleted?.type).toBe('DELETED');
    expect(deleted?.object['columnDefinitions'] ?? []).toEqual([]);
    watch.stop();
  });

  it.each([
    ['resourceVersion=x', 400],
    ['fieldSelector=data.k%3Dv', 400],
    ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan', 400],
    ['sendInitialEvents=true', 422],
    ['sendInitialEvents=true&resourceVersionMatch=Exact', 422],
    ['resourceVersion=1&resourceVersionMatch=NotOlderThan', 422],
  ])('are refused for %s with %i', async (query, code) => {
    const refused = await api.call('GET', `${PATH}?watch=1&${query}`);
    expect(refused.status).toBe(code);
  });
});

describe('A watch from before the history', () => {
  it('is answered with 410', async () => {
    const storage = createMemoryStorage({ clock: systemClock, logger: silentLogger });
    for (const name of ['a', 'b', 'c'])
      await storage.commit(`/registry/core/configmaps/default/${name}`, 'any', aValue(name));
    await storage.compact(3n);
    const api = await anApiCaller({ storage });
    const refused = await api.call('GET', `${PATH}?watch=1&resourceVersion=1`);
    expect([refused.status, refused.json.reason]).toEqual([410, 'Expired']);
    await api.close();
    await storage.close();
  });
});
