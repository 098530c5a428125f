// Patches of three kinds: every operation and directive, what a patch cannot do, and which lists merge by which key.
// Invariant: a refused patch changes nothing, not even in part.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiCaller, Json, OpenCaller } from '../../support/api-caller.ts';
import { container, CONTAINER_LISTS, deployment, OTHER_LISTS, POD_LISTS } from './merged-lists.ts';

const CORE = '/api/v1/namespaces/default';
const MAPS = `${CORE}/configmaps`;
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const web = `${DEPLOYMENTS}/web`;

type Operation = readonly object[];
/** Operations on `{ data: { a: '1', 'b.c': '2' } }`, and the data after them. */
const OPERATIONS: readonly (readonly [name: string, patch: Operation, data: object])[] = [
  ['add', [{ op: 'add', path: '/data/n', value: 'x' }], { a: '1', 'b.c': '2', n: 'x' }],
  ['add over what is there', [{ op: 'add', path: '/data/a', value: 'x' }], { a: 'x', 'b.c': '2' }],
  ['remove', [{ op: 'remove', path: '/data/a' }], { 'b.c': '2' }],
  ['replace', [{ op: 'replace', path: '/data/b.c', value: 'x' }], { a: '1', 'b.c': 'x' }],
  ['move', [{ op: 'move', from: '/data/a', path: '/data/n' }], { 'b.c': '2', n: '1' }],
  ['copy', [{ op: 'copy', from: '/data/a', path: '/data/n' }], { a: '1', 'b.c': '2', n: '1' }],
  [
    'test, where it holds',
    [
      { op: 'test', path: '/data/a', value: '1' },
      { op: 'test', path: '/metadata/name', value: 'ops' },
      { op: 'replace', path: '/data', value: { z: '9' } },
    ],
    { z: '9' },
  ],
  [
    'several, one resting on the other',
    [
      { op: 'add', path: '/data/n', value: 'x' },
      { op: 'move', from: '/data/n', path: '/data/m' },
      { op: 'remove', path: '/data/a' },
    ],
    { 'b.c': '2', m: 'x' },
  ],
  ['none', [], { a: '1', 'b.c': '2' }],
];

/** Holds for every way to a server, over every storage. */
export function patchingContract(open: OpenCaller): void {
  let api: ApiCaller;
  let count = 0;
  beforeAll(async () => {
    api = await open();
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await api.call('POST', `${CORE}/serviceaccounts`, { body: account });
    await api.call('POST', DEPLOYMENTS, { body: deployment('web') });
    await make({ a: '1', 'b.c': '2' }, 'ops');
  });
  afterAll(() => api.close());
  const make = (data: object, name: string, metadata = {}) =>
    api.call('POST', MAPS, {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data },
    });
  const send = (kind: string, path: string, body: unknown) =>
    api.call('PATCH', path, { type: `application/${kind}-patch+json`, body });
  const strategic = (path: string, body: unknown) => send('strategic-merge', path, body);
  const get = async (path: string) => (await api.call('GET', path)).json;
  const at = (value: unknown, way: readonly string[]): unknown =>
    way.reduce((inner, key) => (inner as Record<string, unknown>)[key], value);
  const wrapped = (way: readonly string[], value: unknown): unknown =>
    way.reduceRight((inner, key) => ({ [key]: inner }), value);

  it.each(OPERATIONS)('JSON patches can %s', async (_, operations, data) => {
    const { status, json } = await send('json', `${MAPS}/ops?dryRun=All`, operations);
    expect([status, json['data']]).toEqual([200, data]);
  });

  it('JSON patches reach keys with slashes, items by number, and the place behind the last', async () => {
    const path = '/metadata/labels/example.com~1a';
    const labels = [
      { op: 'add', path: '/metadata/labels', value: {} },
      { op: 'add', path, value: 'b' },
    ];
    const labelled = (await send('json', `${web}?dryRun=All`, labels)).json;
    expect(labelled.metadata.labels).toEqual({ 'example.com/a': 'b' });
    const list = '/spec/template/spec/containers';
    const { json } = await send('json', `${web}?dryRun=All`, [
      { op: 'add', path: `${list}/-`, value: container({ name: 'z' }) },
      { op: 'add', path: `${list}/0`, value: container({ name: 'b' }) },
      { op: 'replace', path: `${list}/1/image`, value: 'j' },
    ]);
    const containers = at(json, ['spec', 'template', 'spec', 'containers']);
    expect(containers).toMatchObject([{ name: 'b' }, { name: 'c', image: 'j' }, { name: 'z' }]);
  });

  it('JSON patches read ~0 as a tilde: the key that they make is refused by its name', async () => {
    const bad = [{ op: 'add', path: '/data/d~0e', value: '1' }];
    const { status, json } = await send('json', `${MAPS}/ops`, bad);
    expect([status, json.message]).toEqual([422, expect.stringContaining('d~e')]);
  });

  it.each([
    ['a test that fails', [{ op: 'test', path: '/data/a', value: 'x' }]],
    ['a removal of what is not there', [{ op: 'remove', path: '/data/none' }]],
    ['a replacement of what is not there', [{ op: 'replace', path: '/data/none', value: '1' }]],
    ['an addition into what is not there', [{ op: 'add', path: '/none/of/it', value: '1' }]],
    ['a move from nowhere', [{ op: 'move', from: '/data/none', path: '/data/x' }]],
    ['a copy from nowhere', [{ op: 'copy', from: '/data/none', path: '/data/x' }]],
    [
      'a place in a list that is none',
      [{ op: 'add', path: '/metadata/finalizers/7', value: 'a/b' }],
    ],
    ['a path without a slash', [{ op: 'add', path: 'data', value: {} }]],
    ['an object that is gone', [{ op: 'replace', path: '', value: 1 }]],
  ])('JSON patches are refused with 422, and change nothing, for %s', async (_, bad) => {
    const before = await get(`${MAPS}/ops`);
    const good = { op: 'add', path: '/data/first', value: '1' };
    const { status, json } = await send('json', `${MAPS}/ops`, [good, ...bad]);
    expect([status, json.reason, json.kind]).toEqual([422, 'Invalid', 'Status']);
    expect(json.message).not.toBe('');
    expect(await get(`${MAPS}/ops`)).toEqual(before);
  });

  it.each([
    ['no list', '{"op":"add"}'],
    ['an operation that is none', '[{"op":"grow","path":"/data"}]'],
    ['an item that is no operation', '["add"]'],
    ['broken JSON', '[{"op":'],
    ['nothing', ''],
  ])('JSON patches are refused with 400 for %s', async (_, body) => {
    const { status, json } = await send('json', `${MAPS}/ops`, body);
    expect([status, json.reason]).toEqual([400, 'BadRequest']);
  });

  it('merge patches remove by null, merge objects, replace lists, and make what is not there', async () => {
    const finalizers = ['example.com/a', 'example.com/b'];
    await make({ a: '1', b: '2' }, 'merged', { labels: { x: 'y' }, finalizers });
    const { json } = await send('merge', `${MAPS}/merged`, {
      metadata: { labels: { z: 'w' }, annotations: { n: 'm' }, finalizers: ['example.com/c'] },
      data: { a: null, none: null, c: '3' },
    });
    expect(json['data']).toEqual({ b: '2', c: '3' });
    expect(json.metadata).toMatchObject({
      labels: { x: 'y', z: 'w' },
      annotations: { n: 'm' },
      finalizers: ['example.com/c'],
    });
    const emptied = await send('merge', `${MAPS}/merged`, {
      data: null,
      metadata: { finalizers: null },
    });
    expect([emptied.json['data'], emptied.json.metadata.finalizers]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it.each(['merge', 'strategic-merge'])(
    '%s patches that are no object are refused with 400, of what is not there with 404',
    async (kind) => {
      for (const body of ['[]', '"x"', 'null', '1', '{', '']) {
        const { status, json } = await send(kind, `${MAPS}/ops`, body);
        expect([status, json.reason]).toEqual([400, 'BadRequest']);
      }
      expect((await send(kind, `${MAPS}/none`, {})).status).toBe(404);
      expect((await send('json', `${MAPS}/none`, [])).status).toBe(404);
    },
  );

  it.each(['merge', 'strategic-merge'])(
    '%s patches cannot rename or move an object',
    async (kind) => {
      for (const metadata of [{ name: 'other' }, { namespace: 'other' }]) {
        const { status } = await send(kind, `${MAPS}/ops`, { metadata });
        expect([400, 422]).toContain(status);
      }
      expect((await get(`${MAPS}/ops`)).metadata).toMatchObject({
        name: 'ops',
        namespace: 'default',
      });
    },
  );

  const podSpec = (json: Json) =>
    at(json, ['spec', 'template', 'spec']) as Record<string, object[]>;
  const inPod = (value: object) => wrapped(['spec', 'template', 'spec'], value);
  const fresh = async (spec = {}) => {
    const path = `${DEPLOYMENTS}/it-${++count}`;
    const made = await api.call('POST', DEPLOYMENTS, { body: deployment(`it-${count}`, spec) });
    expect(made.json).toMatchObject({ kind: 'Deployment' });
    return path;
  };

  it.each(POD_LISTS)('strategic patches merge %s of a pod by %s', async (...each) => {
    const [list, key, first, second] = each;
    const path = await fresh({ [list]: [first] });
    const added = podSpec((await strategic(path, inPod({ [list]: [second] }))).json);
    expect(added[list]).toMatchObject([first, second]);
    const same = podSpec((await strategic(path, inPod({ [list]: [first] }))).json);
    expect(same[list]).toEqual(added[list]);
    const gone = { $patch: 'delete', [key]: (first as Record<string, unknown>)[key] };
    const left = podSpec((await strategic(path, inPod({ [list]: [gone] }))).json);
    expect(left[list]).toMatchObject([second]);
    expect(left[list]).toHaveLength(1);
  });

  it.each(CONTAINER_LISTS)('strategic patches merge %s of a container by %s', async (...each) => {
    const [list, key, first, second] = each;
    const claim = { name: 'p', persistentVolumeClaim: { claimName: 'p' } };
    const volumes = [{ name: 'v', emptyDir: {} }, claim];
    const path = await fresh({ volumes, containers: [container({ [list]: [first] })] });
    const items = async (...change: object[]) => {
      const body = inPod({ containers: [{ name: 'c', [list]: change }] });
      const [only] = podSpec((await strategic(path, body)).json)['containers'] ?? [];
      return (only as Record<string, object[]>)[list];
    };
    expect(await items(second)).toMatchObject([first, second]);
    const gone = { $patch: 'delete', [key]: (first as Record<string, unknown>)[key] };
    const left = await items(gone);
    expect(left).toHaveLength(1);
    expect(left).toMatchObject([second]);
  });

  it.each(OTHER_LISTS)('strategic patches of %s merge by key (%#)', async (...each) => {
    const [path, object, way, key, first, second] = each;
    const name = `list-${++count}`;
    const made = await api.call('POST', path, { body: { ...object, metadata: { name } } });
    expect(made.status).toBe(201);
    const target = `${path}/${name}${way[0] === 'status' ? '/status' : ''}`;
    const items = async (...change: object[]) =>
      at((await strategic(target, wrapped(way, change))).json, way) as object[];
    await items(first);
    expect(await items(second)).toEqual(
      expect.arrayContaining([expect.objectContaining(first), expect.objectContaining(second)]),
    );
    const gone = { $patch: 'delete', [key]: (first as Record<string, unknown>)[key] };
    const left = await items(gone);
    expect(left).not.toContainEqual(expect.objectContaining(first));
    expect(left).toContainEqual(expect.objectContaining(second));
  });

  it('strategic patches change an item of a list within an item of a list', async () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ];
    const path = await fresh({ containers: [container({ env }), container({ name: 'd' })] });
    const change = {
      name: 'c',
      env: [
        { name: 'B', value: '3' },
        { name: 'A', $patch: 'delete' },
      ],
    };
    const { containers = [] } = podSpec(
      (await strategic(path, inPod({ containers: [change] }))).json,
    );
    expect(containers).toMatchObject([
      { name: 'c', env: [{ name: 'B', value: '3' }] },
      { name: 'd' },
    ]);
    expect((containers[0] as { env: object[] }).env).toHaveLength(1);
  });

  it('strategic patches replace a list or an object whole by $patch: replace', async () => {
    const path = await fresh({ containers: [container(), container({ name: 'd' })] });
    const containers = [container({ name: 'z' }), { $patch: 'replace' }];
    const replaced = podSpec((await strategic(path, inPod({ containers }))).json);
    expect(replaced['containers']).toMatchObject([{ name: 'z' }]);
    expect(replaced['containers']).toHaveLength(1);
    await strategic(path, { metadata: { annotations: { a: 'b' } } });
    const annotations = { $patch: 'replace', c: 'd' };
    const { json } = await strategic(path, { metadata: { annotations } });
    expect(json.metadata.annotations).toEqual({ c: 'd' });
  });

  it('strategic patches empty an object by $patch: delete, and $patch: merge is what they do anyway', async () => {
    const path = await fresh({ securityContext: { runAsUser: 7, runAsGroup: 8 } });
    const merged = { $patch: 'merge', runAsUser: 9 };
    const after = podSpec((await strategic(path, inPod({ securityContext: merged }))).json);
    expect(after['securityContext']).toEqual({ runAsUser: 9, runAsGroup: 8 });
    const deleted = inPod({ securityContext: { $patch: 'delete' } });
    const { securityContext } = podSpec((await strategic(path, deleted)).json);
    expect(securityContext).toEqual({});
    const refused = await strategic(path, inPod({ securityContext: { $patch: 'burn' } }));
    expect([refused.status, refused.json.reason]).toEqual([400, 'BadRequest']);
  });

  it('strategic patches drop what $retainKeys does not name: a strategy or volume of another sort', async () => {
    const path = await fresh({ volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }] });
    const strategy = { $retainKeys: ['type'], type: 'Recreate' };
    const { json } = await strategic(path, { spec: { strategy } });
    expect(json.spec['strategy']).toEqual({ type: 'Recreate' });
    const volume = { $retainKeys: ['name', 'hostPath'], name: 'v', hostPath: { path: '/x' } };
    const { volumes = [] } = podSpec((await strategic(path, inPod({ volumes: [volume] }))).json);
    expect(volumes).toMatchObject([{ name: 'v', hostPath: { path: '/x' } }]);
    expect(volumes[0]).not.toHaveProperty('emptyDir');
    const wrong = { $retainKeys: ['rollingUpdate'], type: 'Recreate' };
    expect((await strategic(path, { spec: { strategy: wrong } })).status).toBe(400);
  });

  it('strategic patches order a list by $setElementOrder, what only the server has where it was', async () => {
    const names = (json: Json) =>
      podSpec(json)['containers']?.map((each) => (each as { name: string }).name);
    const path = await fresh({
      containers: ['a', 'b', 'c', 'd'].map((name) => container({ name })),
    });
    const order = { '$setElementOrder/containers': [{ name: 'd' }, { name: 'b' }, { name: 'a' }] };
    const { json } = await strategic(path, inPod({ ...order }));
    expect(names(json)).toEqual(['c', 'd', 'b', 'a']);
    const contradicting = {
      '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }],
      containers: [container({ name: 'b' }), container({ name: 'a' })],
    };
    expect((await strategic(path, inPod(contradicting))).status).toBe(400);
    const plain = `${MAPS}/ordered`;
    await make({}, 'ordered', { finalizers: ['x.io/a', 'x.io/b', 'x.io/c'] });
    const metadata = { '$setElementOrder/finalizers': ['x.io/c', 'x.io/a'] };
    const ordered = (await strategic(plain, { metadata })).json.metadata.finalizers;
    expect(ordered?.indexOf('x.io/c')).toBeLessThan(ordered?.indexOf('x.io/a') ?? 0);
  });

  it('strategic patches merge sets of words, and take words out by $deleteFromPrimitiveList', async () => {
    await make({}, 'words', { finalizers: ['x.io/a', 'x.io/b'] });
    const path = `${MAPS}/words`;
    const metadata = {
      finalizers: ['x.io/b', 'x.io/c'],
      '$deleteFromPrimitiveList/finalizers': ['x.io/a'],
    };
    const { json } = await strategic(path, { metadata });
    expect(json.metadata.finalizers).toEqual(['x.io/b', 'x.io/c']);
    const noList = { '$deleteFromPrimitiveList/finalizers': 'x.io/b' };
    expect((await strategic(path, { metadata: noList })).status).toBe(400);
  });

  it('strategic patches merge the set of pod ranges of a node', async () => {
    const body = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'ranges' } };
    const spec = { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'] };
    await api.call('POST', '/api/v1/nodes', { body: { ...body, spec } });
    const change = { spec: { podCIDRs: ['fd00::/64'] } };
    const { json } = await strategic('/api/v1/nodes/ranges?dryRun=All', change);
    const words = JSON.stringify(json);
    // Ranges are set once: what the refusal names is the merged list.
    expect(words).toContain('10.1.0.0/24');
    expect(words).toContain('fd00::/64');
  });

  it('strategic patches replace lists without a key, and remove by null', async () => {
    const path = await fresh({ containers: [container({ args: ['a', 'b'], command: ['x'] })] });
    const change = { name: 'c', args: ['c'], command: null };
    const { containers = [] } = podSpec(
      (await strategic(path, inPod({ containers: [change] }))).json,
    );
    expect(containers[0]).toMatchObject({ args: ['c'] });
    expect(containers[0]).not.toHaveProperty('command');
  });

  it('strategic patches are refused with 422 for an item without its key, and leave no directive behind', async () => {
    const path = await fresh();
    const { status, json } = await strategic(path, inPod({ containers: [{ image: 'x' }] }));
    expect([status, json.reason]).toEqual([422, 'Invalid']);
    expect(json.message).toContain('does not contain declared merge key: name');
    await strategic(path, { metadata: { annotations: { $patch: 'replace', a: 'b' } } });
    expect((await api.call('GET', path)).text).not.toContain('$patch');
  });

  it('of three kinds may come through status and scale', async () => {
    for (const [kind, body] of [
      ['merge', { status: { replicas: 1 } }],
      ['strategic-merge', { status: { replicas: 2 } }],
      ['json', [{ op: 'replace', path: '/status/replicas', value: 3 }]],
    ] as const)
      expect((await send(kind, `${web}/status`, body)).status).toBe(200);
    expect((await get(web)).status['replicas']).toBe(3);
    for (const [kind, body] of [
      ['merge', { spec: { replicas: 4 } }],
      ['json', [{ op: 'replace', path: '/spec/replicas', value: 5 }]],
    ] as const)
      expect((await send(kind, `${web}/scale`, body)).status).toBe(200);
    expect((await get(web)).spec['replicas']).toBe(5);
  });
}
