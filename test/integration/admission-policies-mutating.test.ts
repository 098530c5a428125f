// MutatingAdmissionPolicies at the server: what they change and how, in which order, and what comes of those that fail.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller, type Called } from '../support/api-caller.ts';
import { applying, holdTo, letGo, mutateBy, patching } from '../support/policies.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
  const account = { body: { metadata: { name: 'default' } } };
  await api.call('POST', '/api/v1/namespaces/default/serviceaccounts', account);
});
afterEach(async () => {
  await letGo(api);
  for (const path of [MAPS, PODS, DEPLOYMENTS]) await api.call('DELETE', path);
});
afterAll(() => api.close());

const make = (name: string, data: object = {}) =>
  api.call('POST', MAPS, { body: { metadata: { name }, data } });
const about = (group: string, resource: string, operations = ['CREATE', 'UPDATE']) => ({
  resourceRules: [{ apiGroups: [group], apiVersions: ['v1'], operations, resources: [resource] }],
});
const labelling = (label: string, value: string) =>
  applying(`Object{metadata: Object.metadata{labels: {"${label}": ${value}}}}`);
const dataOf = ({ json }: Called) => json['data'] as unknown as Record<string, string>;

describe('an apply configuration', () => {
  it('is merged into the object, in lists by their keys', async () => {
    const expression = `Object{spec: Object.spec{
      initContainers: [Object.spec.initContainers{name: "mesh", image: "mesh:1", restartPolicy: "Always"}],
      containers: [Object.spec.containers{name: "a", env: [Object.spec.containers.env{name: "B", value: "2"}]}]
    }}`;
    await mutateBy(api, 'sidecar', {
      policy: { matchConstraints: about('', 'pods'), mutations: [applying(expression)] },
    });
    const env = [{ name: 'A', value: '1' }];
    const containers = [
      { name: 'a', image: 'a', env },
      { name: 'b', image: 'b' },
    ];
    const { status, json, text } = await api.call('POST', PODS, {
      body: { metadata: { name: 'p' }, spec: { containers } },
    });
    expect(status, text).toBe(201);
    expect(json.spec).toMatchObject({
      initContainers: [{ name: 'mesh', image: 'mesh:1', restartPolicy: 'Always' }],
      containers: [
        { name: 'a', image: 'a', env: [...env, { name: 'B', value: '2' }] },
        { name: 'b', image: 'b' },
      ],
    });
    // Defaults are filled in after it.
    expect(json.spec['initContainers']).toMatchObject([
      { terminationMessagePath: '/dev/termination-log' },
    ]);
  });

  it('is worked out of the request, parameters and variables', async () => {
    await make('limits', { team: 'blue' });
    const variables = [{ name: 'team', expression: 'params.data.team' }];
    const value = 'variables.team + "-" + request.userInfo.username + "-" + object.metadata.name';
    await mutateBy(api, 'team', {
      policy: {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        variables,
        mutations: [labelling('team', value)],
      },
      binding: {
        paramRef: { name: 'limits', namespace: 'default', parameterNotFoundAction: 'Deny' },
      },
    });
    const { json } = await make('a');
    expect(json.metadata.labels).toEqual({ team: 'blue-admin-a' });
  });

  it('may change nothing where its expression says so', async () => {
    await mutateBy(api, 'sometimes', {
      policy: {
        mutations: [applying('object.metadata.name == "a" ? Object{data: {"x": "y"}} : Object{}')],
      },
    });
    expect(dataOf(await make('a'))).toEqual({ x: 'y' });
    expect(dataOf(await make('b', { z: '1' }))).toEqual({ z: '1' });
  });

  it.each<[string, string, string]>([
    [
      'an unknown field',
      'Object{spec: Object.spec{replica: 1}}',
      'error applying patch: failed to convert patch object to typed object: .spec.replica: field not declared in schema',
    ],
    [
      'a literal in the wrong place',
      'Object{spec: Object.metadata{}}',
      'type mismatch: unexpected type name "Object.metadata", expected "Object.spec", which matches field name path from root Object type',
    ],
    [
      'what is owned as a whole',
      'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: "a", args: ["x"]}]}}}}',
      'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.template.spec.containers[0].args',
    ],
    [
      'a struct that is owned as a whole',
      'Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {"a": "b"}}}}',
      'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector',
    ],
  ])('with %s is refused, and says why', async (_, expression, why) => {
    await mutateBy(api, 'wrong', {
      policy: { matchConstraints: about('apps', 'deployments'), mutations: [applying(expression)] },
    });
    const labels = { app: 'a' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'a' }] } };
    const body = { metadata: { name: 'd' }, spec: { selector: { matchLabels: labels }, template } };
    const { status, json } = await api.call('POST', DEPLOYMENTS, { body });
    const message = `policy 'wrong' with binding 'wrong' denied request: ${why}`;
    expect(status).toBe(403);
    expect(json).toMatchObject({
      reason: 'Invalid',
      message,
      details: { name: 'd', group: 'apps', kind: 'deployments', causes: [{ message }] },
    });
  });
});

describe('a JSON patch', () => {
  const patchBy = (expression: string, more: object = {}) =>
    mutateBy(api, 'patch', { policy: { mutations: [patching(expression)], ...more } });

  it('adds, replaces, moves, copies and removes', async () => {
    await patchBy(`[
      JSONPatch{op: "add", path: "/metadata/annotations", value: {"seen": "yes"}},
      JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("b.example/c"), value: "2"},
      JSONPatch{op: "replace", path: "/data/a", value: object.data.a + "!"},
      JSONPatch{op: "copy", from: "/data/a", path: "/data/copied"},
      JSONPatch{op: "move", from: "/data/old", path: "/data/new"},
      JSONPatch{op: "remove", path: "/data/bad"},
      JSONPatch{op: "add", path: "/metadata/labels", value: {"x": string(size(object.data))}}
    ]`);
    const made = await make('a', { a: '1', old: 'o', bad: 'b' });
    expect(made.status, made.text).toBe(201);
    expect(dataOf(made)).toEqual({ a: '1!', copied: '1!', new: 'o' });
    expect(made.json.metadata.labels).toEqual({ x: '3' });
    expect(made.json.metadata.annotations).toEqual({ seen: 'yes', 'b.example/c': '2' });
  });

  it('takes objects as values, and is not made where a test of it fails', async () => {
    await patchBy(`[
      JSONPatch{op: "test", path: "/data/a", value: "1"},
      JSONPatch{op: "add", path: "/metadata/annotations", value: Object.metadata.annotations{x: "y"}}
    ]`);
    expect((await make('a', { a: '1' })).json.metadata.annotations).toEqual({ x: 'y' });
    const other = await make('b', { a: '2' });
    expect([other.status, other.json.metadata.annotations]).toEqual([201, undefined]);
  });

  it('is made for each item of a list, at the end of one, and of typed values', async () => {
    const perContainer = `object.spec.containers.map(c, JSONPatch{
      op: "add",
      path: "/spec/containers/" + string(object.spec.containers.indexOf(c)) + "/securityContext",
      value: Object.spec.containers.securityContext{
        capabilities: Object.spec.containers.securityContext.capabilities{drop: ["ALL"]}
      }
    })`;
    const sidecar = `[JSONPatch{
      op: "add",
      path: "/spec/containers/-",
      value: Object.spec.containers{name: "side", image: "side:1", args: ["x"]}
    }]`;
    const mutations = [patching(perContainer), patching(sidecar)];
    await mutateBy(api, 'pods', { policy: { matchConstraints: about('', 'pods'), mutations } });
    const containers = [
      { name: 'a', image: 'a' },
      { name: 'b', image: 'b' },
    ];
    const made = await api.call('POST', PODS, {
      body: { metadata: { name: 'p' }, spec: { containers } },
    });
    const securityContext = { capabilities: { drop: ['ALL'] } };
    expect(made.status, made.text).toBe(201);
    expect(made.json.spec['containers']).toMatchObject([
      { name: 'a', securityContext },
      { name: 'b', securityContext },
      { name: 'side', image: 'side:1', args: ['x'], imagePullPolicy: 'IfNotPresent' },
    ]);
  });

  it.each<[string, string, RegExp]>([
    [
      'of a place that is not there',
      '[JSONPatch{op: "replace", path: "/a/b", value: 1}]',
      /JSONPath: .*doc is missing path: \/a\/b/,
    ],
    ['of another operation', '[JSONPatch{op: "melt", path: "/a"}]', /JSONPath: .*none of add/],
    [
      'of a field that the kind does not have',
      '[JSONPatch{op: "add", path: "/metadata/lables", value: {"a": "b"}}]',
      /strict decoding error: unknown field "metadata\.lables"/,
    ],
    ['that leaves no such object', '[JSONPatch{op: "replace", path: "/data", value: [1]}]', /data/],
    [
      'whose expression fails',
      '[JSONPatch{op: "add", path: "/data/a", value: object.data.none}]',
      /resulted in error: no such key: none/,
    ],
    [
      'that grows without end',
      '[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16].map(i, JSONPatch{op: "copy", from: "/data", path: "/data/" + string(i)})',
      /copied values may take up to/,
    ],
  ])('%s is refused, or ignored where the policy says so', async (_, expression, why) => {
    await patchBy(expression);
    const data = { x: 'x'.repeat(1000) };
    const { status, json } = await make('a', data);
    expect([status, json.reason]).toEqual([403, 'Invalid']);
    expect(json.message).toMatch(/^policy 'patch' with binding 'patch' denied request: /);
    expect(json.message).toMatch(why);
    await letGo(api);
    await patchBy(expression, { failurePolicy: 'Ignore' });
    const made = await make('a', data);
    expect([made.status, dataOf(made)]).toEqual([201, data]);
  });

  it('may not make the object another one, nor one that breaks a rule', async () => {
    await patchBy('[JSONPatch{op: "replace", path: "/metadata/name", value: "other"}]', {
      matchConstraints: about('', 'configmaps', ['UPDATE']),
    });
    await make('a');
    const type = 'application/merge-patch+json';
    const changed = await api.call('PATCH', `${MAPS}/a`, { body: { data: { b: 'c' } }, type });
    expect(changed.status).toBe(422);
    await letGo(api);
    await patchBy('[JSONPatch{op: "add", path: "/data", value: {"not/a/key": "x"}}]');
    const { status, json } = await make('b');
    expect([status, json.message]).toEqual([422, expect.stringContaining('data[not/a/key]')]);
  });
});

describe('several policies', () => {
  const appending = (text: string) =>
    patching(
      `[JSONPatch{op: "add", path: "/data/log", value: (has(object.data) && has(object.data.log) ? object.data.log : "") + "${text}"}]`,
    );

  it('are asked by name, each seeing what those before it made, and mutations in order', async () => {
    await mutateBy(api, 'b', { policy: { mutations: [appending('2'), appending('3')] } });
    await mutateBy(api, 'a', { policy: { mutations: [appending('1')] } });
    expect(dataOf(await make('x', { y: 'z' }))['log']).toBe('123');
  });

  it('are asked once more where they want to and a later one changed the object', async () => {
    await mutateBy(api, 'a', {
      policy: { mutations: [appending('a')], reinvocationPolicy: 'IfNeeded' },
    });
    await mutateBy(api, 'b', { policy: { mutations: [appending('b')] } });
    await mutateBy(api, 'c', {
      policy: { mutations: [appending('c')], reinvocationPolicy: 'IfNeeded' },
    });
    expect(dataOf(await make('x', { y: 'z' }))['log']).toBe('abcac');
  });

  it('mutate before others validate, and all that fail are told', async () => {
    await holdTo(api, 'labelled', {
      policy: { validations: [{ expression: 'has(object.metadata.labels)' }] },
    });
    expect((await make('x')).status).toBe(422);
    await mutateBy(api, 'label', { policy: { mutations: [labelling('a', '"b"')] } });
    expect((await make('x')).status).toBe(201);
    for (const name of ['one', 'two'])
      await mutateBy(api, name, { policy: { mutations: [labelling('a', 'object.data.none')] } });
    const { status, json } = await make('y', { a: 'b' });
    expect(status).toBe(403);
    expect((json['details'] as unknown as { causes: object[] }).causes).toHaveLength(2);
  });
});

it('what is sent to a subresource is changed as what it is', async () => {
  const labels = { app: 'a' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'a' }] } };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  await api.call('POST', DEPLOYMENTS, { body: { metadata: { name: 'd' }, spec } });
  const at = `${DEPLOYMENTS}/d/scale`;
  const scaled = async (replicas: number) => {
    const type = 'application/merge-patch+json';
    return (await api.call('PATCH', at, { body: { spec: { replicas } }, type })).json;
  };
  const matchConstraints = about('apps', 'deployments/scale');
  const capped = applying('Object{spec: Object.spec{replicas: object.spec.replicas > 2 ? 2 : 1}}');
  await mutateBy(api, 'cap', { policy: { matchConstraints, mutations: [capped] } });
  expect(await scaled(5)).toMatchObject({ kind: 'Scale', spec: { replicas: 2 } });
  await letGo(api);
  const wrong = patching('[JSONPatch{op: "replace", path: "/spec/replicas", value: "many"}]');
  await mutateBy(api, 'wrong', { policy: { matchConstraints, mutations: [wrong] } });
  expect(await scaled(5)).toMatchObject({
    reason: 'Invalid',
    code: 403,
    message: expect.stringContaining("policy 'wrong' with binding 'wrong' denied request: "),
  });
  await letGo(api);
  await holdTo(api, 'even', {
    policy: { matchConstraints, validations: [{ expression: 'object.spec.replicas % 2 == 0' }] },
  });
  expect((await scaled(3)).message).toContain('failed expression: object.spec.replicas % 2 == 0');
  expect((await scaled(4)).spec).toEqual({ replicas: 4 });
});

it('updates, applies and dry runs are mutated too; what a policy made is nobody’s', async () => {
  await mutateBy(api, 'stamp', {
    policy: { mutations: [labelling('stamp', 'request.operation')] },
  });
  const dry = await api.call('POST', `${MAPS}?dryRun=All`, { body: { metadata: { name: 'a' } } });
  expect(dry.json.metadata.labels).toEqual({ stamp: 'CREATE' });
  await make('a', { z: '1' });
  const applied = await api.call('PATCH', `${MAPS}/a?fieldManager=me`, {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { x: 'y' } },
    type: 'application/apply-patch+yaml',
  });
  expect([applied.status, applied.json.metadata.labels]).toEqual([200, { stamp: 'UPDATE' }]);
  const owners = JSON.stringify(applied.json.metadata['managedFields']);
  expect(owners).not.toContain('stamp');
});

it('parameters that are not there fail the policy, or pass, as the binding says', async () => {
  const bound = (parameterNotFoundAction: string) => ({
    policy: {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      mutations: [labelling('a', '"b"')],
    },
    binding: { paramRef: { name: 'absent', parameterNotFoundAction } },
  });
  await mutateBy(api, 'params', bound('Deny'));
  const { status, json } = await make('a');
  expect([status, json.reason, json.message]).toEqual([
    403,
    'Forbidden',
    "policy 'params' with binding 'params' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
  ]);
  await letGo(api);
  await mutateBy(api, 'params', bound('Allow'));
  const made = await make('a');
  expect([made.status, made.json.metadata.labels]).toEqual([201, undefined]);
});
