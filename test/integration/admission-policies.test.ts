// ValidatingAdmissionPolicies at the server: which writes they are asked about, what they may speak of, and what comes of it.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';
import {
  ADMISSION,
  aValidatingBinding,
  aValidatingPolicy,
  holdTo,
  letGo,
  post,
} from '../support/policies.ts';
import { cpuSince } from '../support/cpu.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
  await api.call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'other' } } });
});
afterEach(async () => {
  await letGo(api);
  await api.call('DELETE', MAPS);
  await api.call('DELETE', '/api/v1/namespaces/other/configmaps');
});
afterAll(() => api.close());

const aMap = (name: string, data: object = {}, metadata: object = {}) => ({
  body: { metadata: { name, ...metadata }, data },
});
const make = (name: string, data: object = {}) => api.call('POST', MAPS, aMap(name, data));
const rule = (expression: string, more: object = {}) => ({
  policy: { validations: [{ expression, ...more }] },
});

describe('a rule', () => {
  it('denies what it does not hold for, and says which one it was', async () => {
    await holdTo(api, 'small', rule('size(object.data) < 2', { message: 'too much data' }));
    expect((await make('fine', { a: 'b' })).status).toBe(201);
    const { status, json } = await make('large', { a: 'b', c: 'd' });
    const message =
      "ValidatingAdmissionPolicy 'small' with binding 'small' denied request: too much data";
    expect(status).toBe(422);
    expect(json).toMatchObject({
      reason: 'Invalid',
      code: 422,
      message: `configmaps "large" is forbidden: ${message}`,
      details: { name: 'large', kind: 'configmaps', causes: [{ message }] },
    });
    expect((await api.call('GET', `${MAPS}/large`)).status).toBe(404);
  });

  it.each([
    ['Forbidden', 403],
    ['Unauthorized', 401],
    ['Invalid', 422],
    ['RequestEntityTooLarge', 413],
  ])('may deny with the reason %s, code %i', async (reason, code) => {
    await holdTo(api, 'reasoned', rule('false', { reason }));
    const { status, json } = await make('a');
    expect([status, json.reason, json.code]).toEqual([code, reason, code]);
  });

  it.each<[string, object, string]>([
    ['its expression, where it says nothing else', {}, 'failed expression: !has(object.data.bad)'],
    ['its message', { message: ' no bad data ' }, 'no bad data'],
    [
      'what the message expression gives',
      { messageExpression: "'not ' + object.data.bad" },
      'not x',
    ],
    [
      'its message, where the expression fails',
      { message: 'm', messageExpression: 'object.data.none' + " + ''" },
      'm',
    ],
    [
      'its message, where the expression gives lines',
      { message: 'm', messageExpression: "'a\\nb'" },
      'm',
    ],
    [
      'its message, where the expression gives blanks',
      { message: 'm', messageExpression: "' '" },
      'm',
    ],
    [
      'its message, where the expression gives too much',
      { message: 'm', messageExpression: "[1, 2, 3, 4, 5, 6].map(i, object.data.long).join(',')" },
      'm',
    ],
  ])('denies with %s', async (_, more, message) => {
    await holdTo(api, 'told', rule('!has(object.data.bad)', more));
    const { json } = await make('a', { bad: 'x', long: 'l'.repeat(1000) });
    expect(json.message).toMatch(
      new RegExp(`denied request: ${message.replace(/[()]/g, String.raw`\$&`)}$`),
    );
  });

  it('is asked of updates, patches and applies with both states, and not of what it is not about', async () => {
    await holdTo(api, 'kept', rule('oldObject == null || object.data.a == oldObject.data.a'));
    expect((await make('a', { a: '1' })).status).toBe(201);
    const type = 'application/merge-patch+json';
    const patch = (data: object) => api.call('PATCH', `${MAPS}/a`, { body: { data }, type });
    expect((await patch({ a: '2' })).status).toBe(422);
    expect((await patch({ b: '2' })).status).toBe(200);
    expect((await api.call('PUT', `${MAPS}/a`, aMap('a', { a: '3' }))).status).toBe(422);
    const applied = await api.call('PATCH', `${MAPS}/a?fieldManager=x&force=true`, {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: '4' } },
      type: 'application/apply-patch+yaml',
    });
    expect(applied.status).toBe(422);
    const secret = { body: { metadata: { name: 'a' } } };
    expect((await api.call('POST', '/api/v1/namespaces/default/secrets', secret)).status).toBe(201);
    expect((await api.call('DELETE', `${MAPS}/a`)).status).toBe(200);
  });

  it('is asked of deletes, where the object is none and the old one is all there is', async () => {
    const rules = {
      apiGroups: [''],
      apiVersions: ['v1'],
      operations: ['DELETE'],
      resources: ['configmaps'],
    };
    const matchConstraints = { resourceRules: [rules] };
    const validations = [{ expression: "object == null && oldObject.data.keep != 'yes'" }];
    await make('kept', { keep: 'yes' });
    await make('gone', { keep: 'no' });
    await holdTo(api, 'keep', { policy: { matchConstraints, validations } });
    expect((await api.call('DELETE', `${MAPS}/kept`)).status).toBe(422);
    expect((await api.call('DELETE', `${MAPS}/gone`)).status).toBe(200);
    const many = await api.call('DELETE', MAPS);
    expect([many.status, many.json.message]).toEqual([
      422,
      expect.stringContaining('"kept" is forbidden'),
    ]);
    await letGo(api);
    await api.call('DELETE', MAPS);
  });

  it('is asked of connections', async () => {
    const rules = {
      apiGroups: [''],
      apiVersions: ['v1'],
      operations: ['CONNECT'],
      resources: ['pods/exec'],
    };
    const matchConstraints = { resourceRules: [rules] };
    const validations = [
      { expression: "object.kind == 'PodExecOptions' && object.command[0] != 'sh'" },
    ];
    await api.call('POST', '/api/v1/namespaces/default/serviceaccounts', {
      body: { metadata: { name: 'default' } },
    });
    await api.call('POST', '/api/v1/namespaces/default/pods', {
      body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'a', image: 'a' }] } },
    });
    await holdTo(api, 'no-shell', { policy: { matchConstraints, validations } });
    const exec = (command: string) =>
      api.call('POST', `/api/v1/namespaces/default/pods/p/exec?command=${command}&stdout=true`);
    const { status, json } = await exec('sh');
    expect([status, json.message]).toEqual([
      422,
      expect.stringContaining("'no-shell' denied request: failed expression"),
    ]);
    expect((await exec('ls')).status).not.toBe(422);
  });

  it('is asked of evictions, by their own kind and the pod they are about', async () => {
    const rules = {
      apiGroups: [''],
      apiVersions: ['v1'],
      operations: ['CREATE'],
      resources: ['pods/eviction'],
    };
    const messageExpression =
      "object.kind + ' ' + request.kind.group + ' ' + request.subResource + ' ' + request.name";
    const validations = [{ expression: "object.metadata.name != 'kept'", messageExpression }];
    await api.call('POST', '/api/v1/namespaces/default/serviceaccounts', {
      body: { metadata: { name: 'default' } },
    });
    const pods = '/api/v1/namespaces/default/pods';
    const spec = { containers: [{ name: 'a', image: 'a' }] };
    for (const name of ['kept', 'gone'])
      await api.call('POST', pods, { body: { metadata: { name }, spec } });
    await holdTo(api, 'evictions', {
      policy: { matchConstraints: { resourceRules: [rules] }, validations },
    });
    const evict = (name: string) =>
      api.call('POST', `${pods}/${name}/eviction`, { body: { metadata: { name } } });
    const { status, json } = await evict('kept');
    expect([status, json.message]).toEqual([
      422,
      expect.stringMatching(/denied request: Eviction policy eviction kept$/),
    ]);
    expect((await evict('gone')).status).toBe(201);
  });

  it('sees the request, the one who makes it and the namespace', async () => {
    const seen =
      "request.operation + ' ' + request.kind.kind + ' ' + request.resource.resource + ' ' + request.name + ' ' + request.namespace + ' ' + request.userInfo.username + ' ' + string(request.dryRun) + ' ' + request.options.fieldManager + ' ' + namespaceObject.metadata.name + ' ' + string(has(request.subResource))";
    await holdTo(api, 'seen', rule('false', { messageExpression: seen }));
    const { json } = await api.call('POST', `${MAPS}?dryRun=All&fieldManager=me`, aMap('a'));
    expect(json.message).toMatch(
      /denied request: CREATE ConfigMap configmaps a default \S+ true me default false$/,
    );
  });

  it('sees objects of the cluster without a namespace', async () => {
    const matchConstraints = {
      resourceRules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['namespaces'] },
      ],
    };
    const validations = [
      { expression: "namespaceObject != null || object.metadata.name.startsWith('team-')" },
    ];
    await holdTo(api, 'teams', { policy: { matchConstraints, validations } });
    const space = (name: string) =>
      api.call('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
    expect((await space('lonely')).status).toBe(422);
    expect((await space('team-a')).status).toBe(201);
  });

  it('sees what the one who asks may do', async () => {
    const asks =
      "authorizer.group('').resource('secrets').namespace('default').check('list').allowed()";
    const mine = "authorizer.requestResource.check('delete').allowed()";
    await holdTo(api, 'readers', rule(`${asks} && ${mine}`));
    const role = {
      metadata: { name: 'maps' },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'delete'] }],
    };
    const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
    await api.call('POST', `${roles}/roles`, { body: role });
    await api.call('POST', `${roles}/rolebindings`, {
      body: {
        metadata: { name: 'maps' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'maps' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'eve' }],
      },
    });
    expect((await api.call('POST', MAPS, { ...aMap('by-eve'), as: 'eve' })).status).toBe(422);
    role.rules.push({ apiGroups: [''], resources: ['secrets'], verbs: ['list'] });
    await api.call('PUT', `${roles}/roles/maps`, { body: role });
    expect((await api.call('POST', MAPS, { ...aMap('by-eve'), as: 'eve' })).status).toBe(201);
  });
});

describe('variables', () => {
  it('are worked out when they are named, once, and may name those before', async () => {
    const variables = [
      { name: 'never', expression: 'object.data.none' },
      { name: 'count', expression: 'size(object.data)' },
      { name: 'double', expression: 'variables.count * 2' },
    ];
    const validations = [
      { expression: 'variables.double <= 4', messageExpression: 'string(variables.double)' },
      { expression: "true || variables.never == ''" },
    ];
    await holdTo(api, 'varied', { policy: { variables, validations } });
    expect((await make('a', { a: '1', b: '1' })).status).toBe(201);
    expect((await make('b', { a: '1', b: '1', c: '1' })).json.message).toMatch(/request: 6$/);
  });

  it('that fail say so in the expression that names them', async () => {
    const variables = [{ name: 'broken', expression: 'object.data.none' }];
    const validations = [{ expression: "variables.broken == ''" }];
    await holdTo(api, 'broken', { policy: { variables, validations } });
    expect((await make('a', { a: '1' })).json.message).toContain(
      `denied request: expression 'variables.broken == ''' resulted in error: composited variable "broken" fails to evaluate: no such key: none`,
    );
  });
});

describe('an expression that fails', () => {
  const failing = rule("object.data.none == ''");

  it('denies, unless the policy ignores failures', async () => {
    await holdTo(api, 'strict', failing);
    const { status, json } = await make('a', { b: 'c' });
    expect([status, json.message]).toEqual([
      422,
      `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'strict' with binding 'strict' denied request: expression 'object.data.none == ''' resulted in error: no such key: none`,
    ]);
    await letGo(api);
    await holdTo(api, 'lenient', { policy: { ...failing.policy, failurePolicy: 'Ignore' } });
    expect((await make('a', { b: 'c' })).status).toBe(201);
  });

  it.each(['Fail', 'Ignore'])(
    'that costs too much is one that fails: %s',
    async (failurePolicy) => {
      const loops = Array.from({ length: 7 }, (_, i) => `[1,2,3,4,5,6,7,8,9,10].all(x${i}, `);
      const expression = `${loops.join('')}true${')'.repeat(loops.length)}`;
      await holdTo(api, 'costly', { policy: { failurePolicy, validations: [{ expression }] } });
      const tookMs = cpuSince();
      const { status, json } = await make('a');
      if (failurePolicy === 'Ignore') expect(status).toBe(201);
      else expect(json.message).toContain('operation cancelled: actual cost limit exceeded');
      expect(tookMs()).toBeLessThan(10_000);
    },
  );

  it('stops at what all expressions may cost together', async () => {
    const ten = '[1,2,3,4,5,6,7,8,9,10]';
    const expression = `${ten}.all(a, ${ten}.all(b, ${ten}.all(c, ${ten}.all(d, ${ten}.all(e, true)))))`;
    const validations = Array.from({ length: 60 }, () => ({ expression }));
    await holdTo(api, 'many', { policy: { validations } });
    expect((await make('a')).json.message).toContain(
      'validation failed due to running out of cost budget, no further validation rules will be run',
    );
  });
});

it('others are answered while many expressions are asked', async () => {
  const ten = '[1,2,3,4,5,6,7,8,9,10]';
  const expression = `${ten}.all(a, ${ten}.all(b, ${ten}.all(c, ${ten}.all(d, true))))`;
  const validations = Array.from({ length: 200 }, () => ({ expression }));
  await holdTo(api, 'slow', { policy: { validations: [...validations, { expression: 'false' }] } });
  const order: string[] = [];
  // It is denied: nothing but the expressions is to be waited for.
  const slow = make('a').then(({ status }) => order.push(`slow ${status}`));
  await new Promise<void>((resolve) => setImmediate(resolve));
  const quick = api.call('GET', MAPS).then(({ status }) => order.push(`quick ${status}`));
  await Promise.all([slow, quick]);
  expect(order).toEqual(['quick 200', 'slow 422']);
});

describe('match conditions', () => {
  const conditions = (...expressions: string[]) => ({
    policy: {
      validations: [{ expression: 'false' }],
      matchConditions: expressions.map((expression, i) => ({ name: `c${i}`, expression })),
    },
  });

  it('all hold for the policy to be asked', async () => {
    await holdTo(
      api,
      'sometimes',
      conditions("object.metadata.name != 'a'", "request.operation == 'CREATE'"),
    );
    expect((await make('a')).status).toBe(201);
    expect((await make('b')).status).toBe(422);
  });

  it('that fail deny, unless another one is false', async () => {
    await holdTo(
      api,
      'failing',
      conditions("object.data.none == ''", "object.metadata.name != 'a'"),
    );
    expect((await make('a')).status).toBe(201);
    expect((await make('b', { c: 'd' })).json.message).toContain(
      "denied request: expression 'object.data.none == ''' resulted in error: no such key: none",
    );
  });

  it('that fail let pass where the policy ignores failures', async () => {
    const { policy } = conditions("object.data.none == ''");
    await holdTo(api, 'lenient', { policy: { ...policy, failurePolicy: 'Ignore' } });
    expect((await make('b', { c: 'd' })).status).toBe(201);
  });
});

describe('a binding', () => {
  it('narrows down where the policy holds', async () => {
    const matchResources = {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'other' } },
    };
    await holdTo(api, 'there', { ...rule('false'), binding: { matchResources } });
    expect((await make('a')).status).toBe(201);
    const there = await api.call('POST', '/api/v1/namespaces/other/configmaps', aMap('a'));
    expect(there.status).toBe(422);
  });

  it('warns where it only warns, and every one is heard', async () => {
    await holdTo(api, 'a', {
      ...rule('false', { message: 'first' }),
      binding: { validationActions: ['Warn'] },
    });
    await holdTo(api, 'b', {
      ...rule('false', { message: 'second' }),
      binding: { validationActions: ['Warn', 'Audit'] },
    });
    const { status, headers } = await make('a');
    expect(status).toBe(201);
    expect([headers['warning']].flat().join()).toContain(
      "Validation failed for ValidatingAdmissionPolicy 'a' with binding 'a': first",
    );
    expect([headers['warning']].flat().join()).toContain("with binding 'b': second");
  });

  it('without its policy, and a policy without a binding, hold nobody to anything', async () => {
    await post(api, 'validatingadmissionpolicybindings', aValidatingBinding('absent'));
    await post(
      api,
      'validatingadmissionpolicies',
      aValidatingPolicy('unbound', rule('false').policy),
    );
    expect((await make('a')).status).toBe(201);
    await post(
      api,
      'validatingadmissionpolicies',
      aValidatingPolicy('absent', rule('false').policy),
    );
    expect((await make('b')).status).toBe(422);
  });

  it('and its policy are followed as they change and go', async () => {
    await holdTo(api, 'changing', rule('false'));
    const policy = `${ADMISSION}/validatingadmissionpolicies/changing`;
    const binding = `${ADMISSION}/validatingadmissionpolicybindings/changing`;
    const type = 'application/merge-patch+json';
    const patch = (path: string, spec: object) => api.call('PATCH', path, { body: { spec }, type });
    expect((await make('a')).status).toBe(422);
    await patch(policy, { validations: [{ expression: "object.metadata.name == 'b'" }] });
    expect((await make('b')).status).toBe(201);
    expect((await make('c')).status).toBe(422);
    await patch(binding, { policyName: 'another' });
    expect((await make('c')).status).toBe(201);
    await patch(binding, { policyName: 'changing' });
    expect((await make('d')).status).toBe(422);
    await api.call('DELETE', binding);
    expect((await make('d')).status).toBe(201);
  });

  it('is never asked about policies themselves, so that a wrong one can be mended', async () => {
    const everything = [
      { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] },
    ];
    const matchConstraints = { resourceRules: everything };
    await holdTo(api, 'all', {
      policy: { matchConstraints, validations: [{ expression: 'false' }] },
    });
    expect((await make('a')).status).toBe(422);
    expect((await api.call('DELETE', `${ADMISSION}/validatingadmissionpolicies/all`)).status).toBe(
      200,
    );
    expect((await make('a')).status).toBe(201);
  });

  it('of an older version is asked about a newer one, in the older', async () => {
    const rules = [
      {
        apiGroups: ['autoscaling'],
        apiVersions: ['v1'],
        operations: ['*'],
        resources: ['horizontalpodautoscalers'],
      },
    ];
    const validations = [
      {
        expression: 'object.spec.targetCPUUtilizationPercentage < 80',
        messageExpression:
          "object.apiVersion + ' ' + request.resource.version + ' ' + request.requestResource.version",
      },
    ];
    await holdTo(api, 'old', {
      policy: { matchConstraints: { resourceRules: rules }, validations },
    });
    const metrics = (averageUtilization: number) => [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
      },
    ];
    const scaler = (percent: number) =>
      api.call('POST', '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers', {
        body: {
          metadata: { name: `at-${percent}` },
          spec: {
            scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
            maxReplicas: 3,
            metrics: metrics(percent),
          },
        },
      });
    expect((await scaler(50)).status).toBe(201);
    expect((await scaler(90)).json.message).toMatch(/denied request: autoscaling\/v1 v1 v2$/);
  });
});
