// Validating webhooks: refusals and their wording, warnings, notes for the audit, selectors, versions, policies of failure.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LooseObject } from '../../api/meta/object.ts';
import { encodeObject } from '../../apiserver/storage/revision-gap.ts';
import { until } from '../support/until.ts';
import { aConfigMap, aHookedServer, type Hooked, NS } from '../support/webhook-configuration.ts';

let on: Hooked;
beforeAll(async () => {
  on = await aHookedServer();
  on.hook.on('/no', () => ({ allowed: false }));
  on.hook.on('/yes', () => ({ allowed: true }));
});
afterAll(() => on.close());
afterEach(() => on.clear());

const NO = { name: 'no.test.local' };
const create = (name: string, more: object = {}) =>
  on.ask(`POST ${NS}/configmaps`, { ...aConfigMap(name), ...more });

describe('a refusal', () => {
  interface Case {
    readonly what: string;
    readonly status?: object;
    readonly code: number;
    readonly reason?: string;
    readonly words: string;
  }
  const CASES: readonly Case[] = [
    { what: 'nothing', code: 400, words: ' without explanation' },
    { what: 'a message', status: { message: 'not so' }, code: 400, words: ': not so' },
    {
      what: 'a reason',
      status: { reason: 'Forbidden', code: 403 },
      code: 403,
      reason: 'Forbidden',
      words: ': Forbidden',
    },
    {
      what: 'all there is',
      status: { message: 'taken', reason: 'Odd', code: 409, details: { kind: 'x' } },
      code: 409,
      reason: 'Odd',
      words: ': taken',
    },
    { what: 'a code of success', status: { code: 200, message: 'm' }, code: 400, words: ': m' },
    {
      what: 'a code that HTTP has not',
      status: { code: 99_999 },
      code: 500,
      words: ' without explanation',
    },
  ];

  it.each(CASES)('with $what is told as upstream tells it', async ({ status, ...told }) => {
    on.hook.on('/said', () => ({ allowed: false, status }));
    await on.configure('validating', 'one', [{ name: 'said.test.local' }]);
    const answer = await create('refused');
    expect(answer.status).toBe(told.code);
    expect(answer.json()).toMatchObject({
      kind: 'Status',
      status: 'Failure',
      code: told.code,
      message: `admission webhook "said.test.local" denied the request${told.words}`,
    });
    expect(answer.json().reason).toBe(told.reason);
    expect((await on.ask(`GET ${NS}/configmaps/refused`)).status).toBe(404);
  });

  it('of the first in order is told, once all were heard', async () => {
    let others = 0;
    on.hook.on('/no', async () => {
      others++;
      return { allowed: false, status: { message: 'first' } };
    });
    on.hook.on('/second', () => {
      others++;
      return { allowed: false, status: { message: 'second' } };
    });
    await on.configure('validating', 'one', [NO, { name: 'second.test.local' }]);
    expect((await create('two')).json().message).toMatch(/: first$/);
    expect(others).toBe(2);
  });
});

it('validating webhooks are asked at once', async () => {
  const waiting: (() => void)[] = [];
  const both = () =>
    new Promise<object>((resolve) => {
      waiting.push(() => resolve({ allowed: true }));
      if (waiting.length === 2) for (const go of waiting) go();
    });
  on.hook.on('/one', both);
  on.hook.on('/two', both);
  await on.configure('validating', 'both', [
    { name: 'one.test.local' },
    { name: 'two.test.local' },
  ]);
  expect((await create('at-once')).status).toBe(201);
});

it('a validating webhook sees the name that was generated, and what mutating ones changed', async () => {
  on.hook.on('/patch', () => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from('[{"op":"add","path":"/data/b","value":"2"}]').toString('base64'),
  }));
  await on.configure('mutating', 'm', [{ name: 'patch.test.local' }]);
  await on.configure('validating', 'v', [{ name: 'yes.test.local' }]);
  await on.ask(`POST ${NS}/configmaps`, { metadata: { generateName: 'gen-' }, data: { a: '1' } });
  const { request } = on.hook.reviews('/yes').at(-1) as { request: any }; // oxlint-disable-line no-explicit-any
  expect(request.name).toMatch(/^gen-.+/);
  expect(request.object).toMatchObject({
    metadata: { name: request.name },
    data: { a: '1', b: '2' },
  });
});

it('a patch of a validating webhook is not looked at', async () => {
  on.hook.on('/patch', () => ({ allowed: true, patchType: 'JSONPatch', patch: 'bm9uZQ==' }));
  await on.configure('validating', 'v', [{ name: 'patch.test.local' }]);
  expect((await create('unpatched')).json().data).toEqual({ a: '1' });
});

it('warnings reach the caller, those of a refusal too', async () => {
  on.hook.on('/warn', () => ({ allowed: true, warnings: ['old', 'older'] }));
  on.hook.on('/no', () => ({ allowed: false, warnings: ['last'] }));
  await on.configure('validating', 'v', [{ name: 'warn.test.local' }]);
  expect((await create('warned')).headers['warning']).toBe('299 - "old", 299 - "older"');
  await on.configure('validating', 'w', [NO]);
  expect((await create('warned-2')).headers['warning']).toContain('last');
});

it('notes reach the audit under the webhook’s name', async () => {
  on.hook.on('/note', () => ({ allowed: true, auditAnnotations: { why: 'because' } }));
  await on.configure('mutating', 'm', [{ name: 'note.test.local' }]);
  await create('noted');
  const record = on.records.findLast(({ verb, path }) => verb === 'create' && path.endsWith('s'));
  expect(record?.annotations).toEqual({
    'note.test.local/why': 'because',
    'mutation.webhook.admission.k8s.io/round_0_index_0':
      '{"configuration":"m","webhook":"note.test.local","mutated":false}',
  });
});

describe('a webhook that fails', () => {
  beforeAll(() => {
    on.hook.on('/broken', (_, { response }) => {
      response.writeHead(500).end('out of order');
      return undefined;
    });
  });
  const BROKEN = { name: 'broken.test.local' };

  it('refuses the request, in upstream’s words', async () => {
    await on.configure('validating', 'v', [BROKEN]);
    const answer = await create('failed');
    const why =
      'failed calling webhook "broken.test.local": failed to call webhook: an error on the server ("out of order") has prevented the request from succeeding';
    expect(answer.status).toBe(500);
    expect(answer.json()).toMatchObject({
      reason: 'InternalError',
      message: `Internal error occurred: ${why}`,
      details: { causes: [{ message: why }] },
    });
  });

  it.each(['validating', 'mutating'] as const)(
    'lets the request pass where its policy is Ignore, and tells the audit (%s)',
    async (sort) => {
      await on.configure(sort, 'v', [{ ...BROKEN, failurePolicy: 'Ignore' }]);
      expect((await create(`open-${sort}`)).status).toBe(201);
      const key = `failed-open.${sort}.webhook.admission.k8s.io/round_0_index_0`;
      const record = on.records.findLast(({ verb }) => verb === 'create');
      expect(record?.annotations[key]).toBe('broken.test.local');
    },
  );

  it('is not let pass by Ignore where it said no', async () => {
    on.hook.on('/no', () => ({ allowed: false }));
    await on.configure('validating', 'v', [{ ...NO, failurePolicy: 'Ignore' }]);
    expect((await create('still-no')).status).toBe(400);
  });

  it('is counted, as are all calls', async () => {
    await on.configure('validating', 'v', [BROKEN]);
    await create('counted');
    await on.clear();
    on.hook.on('/no', () => ({ allowed: false, status: { code: 403 } }));
    await on.configure('validating', 'v', [NO]);
    await create('counted');
    const { text } = await on.ask('GET /metrics');
    const of = 'operation="CREATE"';
    for (const line of [
      `apiserver_admission_webhook_rejection_count{name="broken.test.local",type="validating",${of},error_type="calling_webhook_error",rejection_code="0"}`,
      `apiserver_admission_webhook_rejection_count{name="no.test.local",type="validating",${of},error_type="no_error",rejection_code="403"} 1`,
      'apiserver_admission_webhook_fail_open_count{name="broken.test.local",type="validating"} 1',
      `apiserver_admission_webhook_request_total{name="no.test.local",type="validating",${of},code="403",rejected="true"} 1`,
      `apiserver_admission_webhook_admission_duration_seconds_count{name="no.test.local",type="validating",${of},rejected="true"}`,
      `apiserver_admission_controller_admission_duration_seconds_count{name="ValidatingAdmissionWebhook",type="validate",${of},rejected="true"}`,
      `apiserver_admission_step_admission_duration_seconds_count{type="validate",${of},rejected="true"}`,
    ])
      expect(text).toContain(line);
  });
});

describe('what a webhook is about', () => {
  const refusing = (more: object) => {
    on.hook.on('/no', () => ({ allowed: false }));
    return on.configure('validating', 'v', [{ ...NO, ...more }]);
  };

  it('is limited by labels of the namespace', async () => {
    await refusing({ namespaceSelector: { matchLabels: { strict: 'yes' } } });
    expect((await create('lax')).status).toBe(201);
    await on.ask('POST /api/v1/namespaces', {
      metadata: { name: 'strict', labels: { strict: 'yes' } },
    });
    const strict = '/api/v1/namespaces/strict/configmaps';
    expect((await on.ask(`POST ${strict}`, aConfigMap('refused'))).status).toBe(400);
  });

  it('is limited by labels of the object, before or after', async () => {
    await refusing({ objectSelector: { matchLabels: { strict: 'yes' } } });
    const labelled = (labels: object) => ({ metadata: { name: 'labelled', labels } });
    const path = `${NS}/configmaps/labelled`;
    expect((await create('labelled')).status).toBe(201);
    expect((await on.ask(`PUT ${path}`, labelled({ strict: 'yes' }))).status).toBe(400);
    await on.clear();
    expect((await on.ask(`PUT ${path}`, labelled({ strict: 'yes' }))).status).toBe(200);
    await refusing({ objectSelector: { matchLabels: { strict: 'yes' } } });
    expect((await on.ask(`PUT ${path}`, labelled({}))).status).toBe(400);
  });

  it('is not the configuration of webhooks', async () => {
    const rules = [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'], operations: ['*'] }];
    await refusing({ rules });
    expect((await create('all')).status).toBe(400);
    const one = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/v';
    expect((await on.ask(`DELETE ${one}`)).status).toBe(200);
  });

  it('is shown in the version that its rules name, whichever was asked for', async () => {
    const rules = [
      {
        apiGroups: ['autoscaling'],
        apiVersions: ['v2'],
        resources: ['horizontalpodautoscalers'],
        operations: ['*'],
      },
    ];
    await on.configure('mutating', 'm', [{ name: 'yes.test.local', rules }]);
    on.hook.on('/yes', () => ({
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from('[{"op":"replace","path":"/spec/maxReplicas","value":9}]').toString(
        'base64',
      ),
    }));
    const spec = {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
      maxReplicas: 3,
      targetCPUUtilizationPercentage: 50,
    };
    const scalers = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers';
    const answer = await on.ask(`POST ${scalers}`, { metadata: { name: 'h' }, spec });
    on.hook.on('/yes', () => ({ allowed: true }));
    expect(answer.status, answer.text).toBe(201);
    const { request } = on.hook.reviews('/yes').at(-1) as { request: any }; // oxlint-disable-line no-explicit-any
    expect(request).toMatchObject({
      kind: { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' },
      requestKind: { group: 'autoscaling', version: 'v1', kind: 'HorizontalPodAutoscaler' },
      resource: { version: 'v2' },
      requestResource: { version: 'v1' },
      object: { apiVersion: 'autoscaling/v2', spec: { metrics: [{ type: 'Resource' }] } },
    });
    expect(answer.json()).toMatchObject({
      apiVersion: 'autoscaling/v1',
      spec: { maxReplicas: 9, targetCPUUtilizationPercentage: 50 },
    });
    await on.clear();
    await on.configure('mutating', 'm', [{ name: 'yes.test.local', rules, matchPolicy: 'Exact' }]);
    const before = on.hook.reviews('/yes').length;
    await on.ask(`POST ${scalers}`, { metadata: { name: 'exact' }, spec });
    expect(on.hook.reviews('/yes')).toHaveLength(before);
  });
});

it('custom resources are shown in the version that rules name, and taken back in the one that was asked for', async () => {
  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: { type: 'object', properties: { size: { type: 'integer', default: 3 } } },
      },
    },
  };
  const version = (name: string, storage: boolean) => ({ name, served: true, storage, schema });
  const body = {
    metadata: { name: 'boats.test.local' },
    spec: {
      group: 'test.local',
      scope: 'Namespaced',
      names: { plural: 'boats', kind: 'Boat' },
      versions: [version('v1', true), version('v2', false)],
    },
  };
  await on.ask('POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions', body);
  const boats = (name: string) => `/apis/test.local/${name}/namespaces/default/boats`;
  await until(async () => (await on.ask(`GET ${boats('v1')}`)).status === 200);
  on.hook.on('/boat', () => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(
      '[{"op":"add","path":"/spec/sails","value":2},{"op":"remove","path":"/spec/size"}]',
    ).toString('base64'),
  }));
  const rules = [
    {
      apiGroups: ['test.local'],
      apiVersions: ['v2'],
      resources: ['boats'],
      operations: ['CREATE'],
    },
  ];
  await on.configure('mutating', 'm', [{ name: 'boat.test.local', rules }]);
  const boat = {
    apiVersion: 'test.local/v1',
    kind: 'Boat',
    metadata: { name: 'b' },
    spec: { size: 5 },
  };
  const answer = await on.ask(`POST ${boats('v1')}`, boat);
  expect(answer.status, answer.text).toBe(201);
  const { request } = on.hook.reviews('/boat').at(-1) as { request: any }; // oxlint-disable-line no-explicit-any
  expect(request).toMatchObject({
    kind: { version: 'v2' },
    requestKind: { version: 'v1' },
    object: { apiVersion: 'test.local/v2', spec: { size: 5 } },
  });
  // What the schema does not know is pruned, and what was taken away has its default again.
  expect(answer.json()).toMatchObject({ apiVersion: 'test.local/v1', spec: { size: 3 } });
  expect(answer.json().spec).toEqual({ size: 3 });
});

it('a webhook that speaks v1beta1 alone is asked in it, and may leave out what v1 demands', async () => {
  on.hook.on('/old', ({ apiVersion }, { response }) => {
    response.end(JSON.stringify({ response: { allowed: apiVersion.endsWith('v1beta1') } }));
    return undefined;
  });
  await on.configure('validating', 'v', [
    { name: 'old.test.local', admissionReviewVersions: ['v9', 'v1beta1'] },
  ]);
  expect((await create('old')).status).toBe(201);
});

it('a webhook with other side effects than a dry run bears is not asked in one', async () => {
  // No such configuration gets past validation; one may have been stored before.
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/v';
  await on.configure('validating', 'v', [NO]);
  const { store } = on.server.server;
  const key = '/registry/admissionregistration.k8s.io/validatingwebhookconfigurations/v';
  const present = store.latest(key);
  if (!present) throw new Error(`nothing is stored at ${key}`);
  const text = Buffer.from(present.bytes).toString().replace('"None"', '"Some"');
  await store.commit(key, present.revision, encodeObject(JSON.parse(text) as LooseObject));
  const answer = await on.ask(`POST ${NS}/configmaps?dryRun=All`, aConfigMap('dry'));
  expect(answer.status).toBe(400);
  expect(answer.json().message).toBe('admission webhook "no.test.local" does not support dry run');
  expect((await on.ask(`DELETE ${path}`)).status).toBe(200);
});
