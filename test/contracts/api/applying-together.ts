// Server-side apply among other writers: who holds a field after updates, applies, transfers and resets by turns.
// Invariant: every field that somebody said is in some entry, and in none of those who no longer say it.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { MAX_UPDATERS } from '../../../apiserver/managedfields/cap-updaters.ts';
import { systemClock } from '../../../base/clock.ts';
import type { ApiCaller, OpenCaller } from '../../support/api-caller.ts';
import { applierTo, type Apply, ownersOf } from '../../support/applying.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const SERVICES = '/api/v1/namespaces/default/services';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const MERGE = 'application/merge-patch+json';

/** Holds for every way to a server, over every storage. */
export function applyingTogetherContract(open: OpenCaller): void {
  let api: ApiCaller;
  let apply: Apply;
  let nowMs = Date.UTC(2026, 0, 1);
  let count = 0;
  let name = '';
  let at = '';
  beforeAll(async () => {
    api = await open({ clock: { ...systemClock, now: () => nowMs } });
    apply = applierTo(api);
  });
  afterAll(() => api.close());
  beforeEach(() => {
    nowMs += 60_000;
    name = `it-${++count}`;
    at = `${MAPS}/${name}`;
  });
  const map = (data?: object, metadata = {}) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, ...metadata },
    ...(data && { data }),
  });
  const get = async (path = at) => (await api.call('GET', path)).json;
  const merge = (body: unknown, agent: string, path = at) =>
    api.call('PATCH', path, { type: MERGE, body, agent });
  const keys = (...names: string[]) => ({
    'f:data': Object.fromEntries(names.map((each) => [`f:${each}`, {}])),
  });

  it('updates and applies of one manager are two owners', async () => {
    await apply(at, map({ a: '1' }), { manager: 'me' });
    await merge({ data: { b: '1' } }, 'me');
    expect(ownersOf(await get())).toEqual({ 'me Apply': keys('a'), 'me Update': keys('b') });
    const { json } = await merge({ data: { a: '2' } }, 'me');
    expect(ownersOf(json)).toEqual({ 'me Update': keys('a', 'b') });
  });

  it('an apply conflicts with an update of its own manager too', async () => {
    await apply(at, map({ a: '1' }), { manager: 'me' });
    await merge({ data: { a: '2' } }, 'me');
    const { status, json } = await apply(at, map({ a: '1' }), { manager: 'me' });
    expect([status, json.reason]).toEqual([409, 'Conflict']);
    expect(json.message).toContain('conflict with "me" using v1: .data.a');
    const agreed = await apply(at, map({ a: '2' }), { manager: 'me' });
    expect(agreed.status).toBe(200);
  });

  it('an apply that says what another says conflicts with nobody, and takes a share', async () => {
    await apply(at, map({ a: '1' }), { manager: 'x' });
    await merge({ data: { b: '1' } }, 'y');
    const { json } = await apply(at, map({ a: '1', b: '1' }), { manager: 'z' });
    expect(ownersOf(json)).toEqual({
      'x Apply': keys('a'),
      'y Update': keys('b'),
      'z Apply': keys('a', 'b'),
    });
    const left = await apply(at, map(), { manager: 'z' });
    expect(left.json['data']).toEqual({ a: '1', b: '1' });
  });

  it('a field goes when its last applier no longer says it, and stays where an updater has it', async () => {
    await apply(at, map({ a: '1', b: '1' }), { manager: 'x' });
    await merge({ data: { b: '2' } }, 'y');
    const { json } = await apply(at, map(), { manager: 'x' });
    expect(json['data']).toEqual({ b: '2' });
    expect(ownersOf(json)).toEqual({ 'y Update': keys('b') });
  });

  it('a field is handed over: the new applier says it, the old one stops', async () => {
    await apply(at, map({ a: '1' }), { manager: 'old' });
    await apply(at, map({ a: '1' }), { manager: 'new' });
    await apply(at, map(), { manager: 'old' });
    const { json } = await apply(at, map({ a: '2' }), { manager: 'new' });
    expect(json['data']).toEqual({ a: '2' });
    expect(ownersOf(json)).toEqual({ 'new Apply': keys('a') });
  });

  it('what a PUT leaves out is nobody’s afterwards', async () => {
    const applied = (await apply(at, map({ a: '1', b: '1' }), { manager: 'x' })).json;
    const body = { ...applied, data: { b: '1' } };
    const { json } = await api.call('PUT', at, { body, agent: 'y' });
    expect(ownersOf(json)).toEqual({ 'x Apply': keys('b') });
  });

  it('an entry has the time of its own last change, and no other’s', async () => {
    const first = (await apply(at, map({ a: '1' }), { manager: 'x' })).json;
    nowMs += 60_000;
    const second = (await merge({ data: { b: '1' } }, 'y')).json;
    nowMs += 60_000;
    const again = (await apply(at, map({ a: '1' }), { manager: 'x' })).json;
    expect(again).toEqual(second);
    const timeOf = (manager: string, { metadata }: typeof first) =>
      metadata.managedFields?.find((entry) => entry.manager === manager)?.time;
    expect(timeOf('x', second)).toBe(timeOf('x', first));
    expect(timeOf('y', second)).not.toBe(timeOf('x', first));
    const changed = (await apply(at, map({ a: '2' }), { manager: 'x' })).json;
    expect(timeOf('x', changed)).not.toBe(timeOf('x', first));
    expect(timeOf('y', changed)).toBe(timeOf('y', second));
  });

  it.each([
    ['an empty list', []],
    ['one empty entry', [{}]],
  ])(
    'a reset by %s lets the next apply start with all that is there as one owner',
    async (...[, list]) => {
      await apply(at, map({ a: '1', b: '1' }), { manager: 'x' });
      const reset = await merge({ metadata: { managedFields: list } }, 'y');
      expect(reset.json.metadata.managedFields).toBeUndefined();
      const { json } = await apply(at, map({ a: '1' }), { manager: 'x' });
      expect(Object.keys(ownersOf(json))).toEqual(['x Apply', 'before-first-apply Update']);
      expect(json['data']).toEqual({ a: '1', b: '1' });
    },
  );

  it(`appliers are not counted among the ${MAX_UPDATERS} updaters that keep their names`, async () => {
    for (let i = 0; i < MAX_UPDATERS; i++) {
      nowMs += 1000;
      await apply(at, map({ [`a${i}`]: '1' }), { manager: `applier-${i}` });
    }
    for (let i = 0; i <= MAX_UPDATERS; i++) {
      nowMs += 1000;
      await merge({ data: { [`u${i}`]: '1' } }, `updater-${i}`);
    }
    const names = Object.keys(ownersOf(await get()));
    expect(names.filter((each) => each.endsWith(' Apply'))).toHaveLength(MAX_UPDATERS);
    const updaters = names.filter((each) => each.endsWith(' Update'));
    expect(updaters).toHaveLength(MAX_UPDATERS);
    expect(updaters).toContain('ancient-changes Update');
    expect(updaters).not.toContain('updater-0 Update');
    expect(updaters).toContain(`updater-${MAX_UPDATERS} Update`);
  });

  it('items with two keys are told apart by both: ports of one number and two protocols', async () => {
    const service = (...ports: object[]) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { ports },
    });
    const path = `${SERVICES}/${name}`;
    const tcp = { name: 'tcp', port: 53, protocol: 'TCP' };
    const udp = { name: 'udp', port: 53, protocol: 'UDP' };
    await apply(path, service(tcp, udp), { manager: 'x' });
    const owned = JSON.stringify(ownersOf(await get(path))['x Apply']);
    for (const protocol of ['TCP', 'UDP'])
      expect(owned).toContain(JSON.stringify(`k:{"port":53,"protocol":"${protocol}"}`));
    const left = await apply(path, service(udp), { manager: 'x' });
    expect(left.json.spec['ports']).toMatchObject([{ protocol: 'UDP' }]);
    expect(left.json.spec['ports']).toHaveLength(1);
  });

  it('items twice under one key are refused by their key', async () => {
    const containers = [
      { name: 'c', image: 'i' },
      { name: 'c', image: 'j' },
    ];
    const config = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: { template: { spec: { containers } } },
    };
    const { status, json } = await apply(`${DEPLOYMENTS}/${name}`, config);
    expect([status, json.reason]).toEqual([400, 'BadRequest']);
    expect(json.message).toContain('duplicate entries for key [name="c"]');
  });

  it('a forced apply names nobody else as owner of what it took, in a dry run as in truth', async () => {
    await apply(at, map({ a: '1', b: '1' }), { manager: 'x' });
    const before = await get();
    const dry = await apply(at, map({ a: '2' }), { manager: 'y', query: 'force=1&dryRun=All' });
    const owners = { 'x Apply': keys('b'), 'y Apply': keys('a') };
    expect(ownersOf(dry.json)).toEqual(owners);
    expect(await get()).toEqual(before);
    const forced = await apply(at, map({ a: '2' }), { manager: 'y', query: 'force=1' });
    expect(ownersOf(forced.json)).toEqual(owners);
  });

  it('several conflicts are causes one by one, each with the field and the owner', async () => {
    await apply(at, map({ a: '1' }), { manager: 'x' });
    await merge({ data: { b: '1' } }, 'y');
    const { json } = await apply(at, map({ a: '2', b: '2' }), { manager: 'z' });
    expect(json.details).toEqual({
      causes: [
        { reason: 'FieldManagerConflict', message: 'conflict with "x"', field: '.data.a' },
        expect.objectContaining({
          reason: 'FieldManagerConflict',
          message: expect.stringMatching(/^conflict with "y" using v1/),
          field: '.data.b',
        }),
      ],
    });
  });

  it('labels are owned one by one, in metadata of their own', async () => {
    await apply(at, map(undefined, { labels: { a: '1' } }), { manager: 'x' });
    const { json } = await apply(at, map(undefined, { labels: { b: '1' } }), { manager: 'y' });
    expect(json.metadata.labels).toEqual({ a: '1', b: '1' });
    expect(ownersOf(json)['y Apply']).toEqual({ 'f:metadata': { 'f:labels': { 'f:b': {} } } });
    const conflict = await apply(at, map(undefined, { labels: { a: '2' } }), { manager: 'y' });
    expect(conflict.json.message).toMatch(/: \.metadata\.labels\.a$/);
  });

  it('what the server keeps in metadata is nobody’s', async () => {
    const { json } = await apply(at, map({ a: '1' }, { annotations: { n: 'm' } }), {
      manager: 'x',
    });
    const body = { ...json, data: { a: '2' } };
    const { json: put } = await api.call('PUT', at, { body, agent: 'y' });
    const owned = JSON.stringify(ownersOf(put));
    for (const field of ['f:uid', 'f:name', 'f:resourceVersion', 'f:creationTimestamp'])
      expect(owned).not.toContain(field);
    expect(owned).not.toContain('f:managedFields');
  });
}
