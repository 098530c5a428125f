// Watches: what is told, in which order, from which revision on, in which form, and how they end.
// Invariant: time is a virtual clock's; every event is waited for.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import type { Table } from '../../../api/wire/table.ts';
import type { ApiCaller, OpenCaller } from '../../support/api-caller.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const MERGE = 'application/merge-patch+json';
const named = (name: string, labels: Record<string, string> = {}, data = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
});

/** Holds for every way to a server, over every storage. */
export function watchingContract(open: OpenCaller): void {
  let api: ApiCaller;
  const clock = new VirtualClock();
  beforeAll(async () => {
    api = await open({ clock });
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await api.call('POST', '/api/v1/namespaces/default/serviceaccounts', { body: account });
  });
  afterAll(() => api.close());
  const now = async () =>
    (await api.call('GET', `${PATH}?limit=1`)).json.metadata.resourceVersion ?? '';
  const post = async (body: object, path = PATH) => (await api.call('POST', path, { body })).json;
  const put = (name: string, body: object) => api.call('PUT', `${PATH}/${name}`, { body });
  const remove = (name: string) => api.call('DELETE', `${PATH}/${name}`);
  const merge = (path: string, body: object) => api.call('PATCH', path, { type: MERGE, body });

  it('tell additions, changes and deletions as the selector sees them', async () => {
    const all = await api.watch(`${PATH}?resourceVersion=${await now()}`);
    const some = await api.watch(`${PATH}?resourceVersion=${await now()}&labelSelector=in%3Dyes`);
    await post(named('x', { in: 'no' }));
    await put('x', named('x', { in: 'yes' }));
    await put('x', named('x', { in: 'yes' }, { k: 'v' }));
    await put('x', named('x', { in: 'no' }));
    await remove('x');
    const changes = Array.from({ length: 3 }, () => 'MODIFIED x');
    expect(await all.take(5)).toEqual(['ADDED x', ...changes, 'DELETED x']);
    expect(await some.take(3)).toEqual(['ADDED x', 'MODIFIED x', 'DELETED x']);
    all.stop();
    some.stop();
    expect(await all.next()).toBeUndefined();
  });

  it('tell of an object that leaves the selection as it was last selected, at the revision of its change', async () => {
    await post(named('leaver', { in: 'yes' }, { k: 'v' }));
    const watch = await api.watch(`${PATH}?resourceVersion=${await now()}&labelSelector=in%3Dyes`);
    const left = (await merge(`${PATH}/leaver`, { metadata: { labels: { in: 'no' } } })).json;
    const event = await watch.next();
    expect(event).toMatchObject({
      type: 'DELETED',
      object: { metadata: { name: 'leaver', labels: { in: 'yes' } }, data: { k: 'v' } },
    });
    expect(event?.object.metadata.resourceVersion).toBe(left.metadata.resourceVersion);
    watch.stop();
    await remove('leaver');
  });

  it('tell of a deletion with the revision of the deletion', async () => {
    const made = await post(named('gone'));
    const watch = await api.watch(`${PATH}?resourceVersion=${made.metadata.resourceVersion}`);
    await remove('gone');
    const event = await watch.next();
    expect(event?.type).toBe('DELETED');
    expect(Number(event?.object.metadata.resourceVersion)).toBeGreaterThan(
      Number(made.metadata.resourceVersion),
    );
    watch.stop();
  });

  it.each(['', 'resourceVersion=', 'resourceVersion=0'])(
    'begin with what is there where no version is asked for (%s)',
    async (query) => {
      await post(named('there'));
      const watch = await api.watch(`${PATH}?fieldSelector=metadata.name%3Dthere&${query}`);
      await remove('there');
      expect(await watch.take(2)).toEqual(['ADDED there', 'DELETED there']);
      watch.stop();
    },
  );

  it('tell from a version on what came after it, once and in order', async () => {
    const made = await post(named('resumed'));
    for (const k of ['1', '2']) await merge(`${PATH}/resumed`, { data: { k } });
    const from = made.metadata.resourceVersion;
    const watch = await api.watch(`${PATH}?resourceVersion=${from}`);
    await merge(`${PATH}/resumed`, { data: { k: '3' } });
    const seen: string[] = [];
    for (let i = 0; i < 3; i++) seen.push(JSON.stringify((await watch.next())?.object['data']));
    expect(seen).toEqual(['{"k":"1"}', '{"k":"2"}', '{"k":"3"}']);
    watch.stop();
    await remove('resumed');
  });

  it.each([
    ['one object', '/one', ['ADDED one', 'DELETED one']],
    ['a collection', '', ['ADDED on', 'ADDED one', 'DELETED one', 'DELETED on']],
  ])('may be asked for on a path of their own: %s', async (_, place, events) => {
    const from = await now();
    const path = PATH.replace('/v1/', '/v1/watch/');
    const watch = await api.watch(`${path}${place}?resourceVersion=${from}`);
    for (const name of ['on', 'one']) await post(named(name));
    for (const name of ['one', 'on']) await remove(name);
    expect(await watch.take(events.length)).toEqual(events);
    watch.stop();
  });

  it('are of collections: of an object by its name, it is shown and no more', async () => {
    await post(named('shown'));
    const { status, json } = await api.call('GET', `${PATH}/shown?watch=1`);
    expect([status, json.kind, json.metadata.name]).toEqual([200, 'ConfigMap', 'shown']);
    await remove('shown');
  });

  it('of one name tell of no other: by a field selector', async () => {
    const from = await now();
    const selector = 'fieldSelector=metadata.name%3Done';
    const selected = await api.watch(`${PATH}?resourceVersion=${from}&${selector}`);
    for (const name of ['on', 'one', 'onefold']) await post(named(name));
    for (const name of ['onefold', 'one', 'on']) await remove(name);
    expect(await selected.take(2)).toEqual(['ADDED one', 'DELETED one']);
    selected.stop();
  });

  it('by fields of the object tell when it enters and leaves', async () => {
    await post(
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'phased' },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      },
      PODS,
    );
    const running = await api.watch(`${PODS}?fieldSelector=status.phase%3DRunning`);
    for (const phase of ['Running', 'Failed'])
      await merge(`${PODS}/phased/status`, { status: { phase } });
    expect(await running.take(2)).toEqual(['ADDED phased', 'DELETED phased']);
    running.stop();
  });

  it('begin with the present objects and mark their end where asked', async () => {
    await post(named('y'));
    const watch = await api.watch(
      `${PATH}?sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`,
    );
    expect(await watch.take(1)).toEqual(['ADDED y']);
    const end = await watch.next();
    expect(end?.type).toBe('BOOKMARK');
    expect(end?.object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' });
    expect(end?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    expect(end?.object.metadata.resourceVersion).toBe(await now());
    await remove('y');
    expect(await watch.take(1)).toEqual(['DELETED y']);
    watch.stop();
  });

  it('begin with the selected objects only, and mark the end where there are none', async () => {
    await post(named('other'));
    const watch = await api.watch(
      `${PATH}?sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&labelSelector=none`,
    );
    expect((await watch.next())?.type).toBe('BOOKMARK');
    watch.stop();
    await remove('other');
  });

  it('leave the present objects out where that is asked for', async () => {
    await post(named('present'));
    const watch = await api.watch(
      `${PATH}?sendInitialEvents=false&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`,
    );
    await remove('present');
    expect(await watch.take(1)).toEqual(['DELETED present']);
    watch.stop();
  });

  it('send bookmarks as time goes by, and end at their timeout', async () => {
    const from = await now();
    const watch = await api.watch(
      `${PATH}?resourceVersion=${from}&allowWatchBookmarks=1&timeoutSeconds=90`,
    );
    await post(named('elsewhere'), PATH);
    expect(await watch.take(1)).toEqual(['ADDED elsewhere']);
    const first = watch.next();
    await clock.advance(61_000);
    const bookmark = await first;
    expect(bookmark).toMatchObject({ type: 'BOOKMARK', object: { kind: 'ConfigMap' } });
    expect(bookmark?.object.metadata.resourceVersion).toBe(await now());
    expect(Object.keys(bookmark?.object.metadata ?? {})).toEqual(['resourceVersion']);
    const end = watch.next();
    await clock.advance(30_000);
    expect(await end).toBeUndefined();
    const resumed = await api.watch(
      `${PATH}?resourceVersion=${bookmark?.object.metadata.resourceVersion}`,
    );
    await remove('elsewhere');
    expect(await resumed.take(1)).toEqual(['DELETED elsewhere']);
    resumed.stop();
  });

  it('send no bookmark that nobody asked for', async () => {
    const watch = await api.watch(`${PATH}?resourceVersion=${await now()}&timeoutSeconds=90`);
    const end = watch.next();
    await clock.advance(91_000);
    expect(await end).toBeUndefined();
  });

  it('give their columns once when they are Tables', async () => {
    await post(named('t'));
    const watch = await api.watch(PATH, { accept: TABLE });
    await remove('t');
    const [added, deleted] = [await watch.next(), await watch.next()];
    expect(added?.object).toMatchObject({ kind: 'Table', rows: [{ cells: ['t', '0', '0s'] }] });
    expect(added?.object['columnDefinitions']).toBeTruthy();
    expect(deleted?.type).toBe('DELETED');
    expect(deleted?.object['columnDefinitions'] ?? []).toEqual([]);
    watch.stop();
  });

  it.each([
    ['', 'PartialObjectMetadata'],
    ['includeObject=Metadata', 'PartialObjectMetadata'],
    ['includeObject=Object', 'ConfigMap'],
    ['includeObject=None', undefined],
  ])('as Tables carry of their objects what is asked for (%s)', async (query, kind) => {
    await post(named('row'));
    const watch = await api.watch(`${PATH}?fieldSelector=metadata.name%3Drow&${query}`, {
      accept: TABLE,
    });
    const table = (await watch.next())?.object as unknown as Table | undefined;
    expect(table?.rows[0]?.object?.kind).toBe(kind);
    watch.stop();
    await remove('row');
  });

  it('of metadata leave the rest out', async () => {
    await post(named('meta', { a: 'b' }, { k: 'v' }));
    const watch = await api.watch(PATH, { accept: METADATA });
    const event = await watch.next();
    expect(event).toMatchObject({
      type: 'ADDED',
      object: {
        kind: 'PartialObjectMetadata',
        apiVersion: 'meta.k8s.io/v1',
        metadata: { name: 'meta', labels: { a: 'b' } },
      },
    });
    expect(Object.keys(event?.object ?? {}).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
    await remove('meta');
    expect(await watch.next()).toMatchObject({
      type: 'DELETED',
      object: { kind: 'PartialObjectMetadata' },
    });
    watch.stop();
  });

  it('from before the history are told so in an ERROR event with 410, and end', async () => {
    const { resourceVersion } = (await post(named('early'))).metadata;
    await remove('early');
    await api.storage.compact(api.storage.range().newest);
    const later = await open({ storage: api.storage });
    for (const accept of ['application/json', TABLE, METADATA]) {
      const watch = await later.watch(`${PATH}?resourceVersion=${resourceVersion}`, { accept });
      expect(await watch.next()).toMatchObject({
        type: 'ERROR',
        object: { kind: 'Status', code: 410, reason: 'Expired', status: 'Failure' },
      });
      expect(await watch.next()).toBeUndefined();
    }
    await later.close();
  });

  it.each([
    ['resourceVersion=x', 400],
    ['fieldSelector=data.k%3Dv', 400],
    ['labelSelector=a+in', 400],
    ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan', 400],
    ['sendInitialEvents=true', 422],
    ['sendInitialEvents=true&resourceVersionMatch=Exact', 422],
    ['resourceVersion=1&resourceVersionMatch=NotOlderThan', 422],
  ])('are refused for %s with %i', async (query, code) => {
    const refused = await api.call('GET', `${PATH}?watch=1&${query}`);
    expect(refused.status).toBe(code);
  });
}
