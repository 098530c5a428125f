// Match conditions of webhooks: when they are asked, what they see, what errors come to, and which may be stored.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MAX_CONFIGURED_CONDITIONS } from '../../api/admissionregistration/webhook-validation.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { encodeObject } from '../../apiserver/storage/revision-gap.ts';
import {
  aConfigMap,
  aHookedServer,
  CONFIG_MAPS,
  type Hooked,
  type HookSpec,
  NS,
  patching,
  setting,
} from '../support/webhook-configuration.ts';

let on: Hooked;
beforeAll(async () => {
  on = await aHookedServer();
  on.hook.on('/no', () => ({ allowed: false }));
});
afterAll(() => on.close());
afterEach(() => on.clear());

const conditions = (...expressions: readonly string[]) => ({
  name: 'no.test.local',
  matchConditions: expressions.map((expression, i) => ({ name: `c${i}`, expression })),
});

/** The status of a create that a webhook refuses with 400 if it is asked. */
async function asked(
  sort: 'mutating' | 'validating',
  hook: HookSpec,
  name = 'x',
): Promise<{ status: number; message: string }> {
  await on.configure(sort, 'v', [hook]);
  const answer = await on.ask(`POST ${NS}/configmaps?dryRun=All`, aConfigMap(name));
  await on.clear();
  return { status: answer.status, message: answer.json().message as string };
}

describe.each(['mutating', 'validating'] as const)('match conditions (%s)', (sort) => {
  it.each([
    ['object', `object.data.a == '1'`],
    ['a new object', `oldObject == null`],
    [
      'the request',
      `request.operation == 'CREATE' && request.resource.resource == 'configmaps' && request.dryRun`,
    ],
    [
      'who asks',
      `request.userInfo.username == 'admin' && 'system:masters' in request.userInfo.groups`,
    ],
    ['options', `request.options.dryRun == ['All']`],
    [
      'what who asks may do',
      `authorizer.group('apps').resource('deployments').namespace('x').check('create').allowed()`,
    ],
    [
      'what an account may do',
      `!authorizer.serviceAccount('default', 'nobody').group('').resource('pods').check('list').allowed()`,
    ],
  ])('see %s', async (_, holds) => {
    expect((await asked(sort, conditions(holds))).status).toBe(400);
    expect((await asked(sort, conditions(`!(${holds})`))).status).toBe(201);
  });

  it('must all hold', async () => {
    expect((await asked(sort, conditions('true', 'true'))).status).toBe(400);
    expect((await asked(sort, conditions('true', 'false'))).status).toBe(201);
  });

  it('that cannot be told refuse the request, or keep the webhook out, by the failure policy', async () => {
    const unknown = conditions(`object.spec.replicas > 1`);
    expect(await asked(sort, unknown)).toEqual({
      status: 403,
      message: `configmaps "x" is forbidden: expression 'object.spec.replicas > 1' resulted in error: no such key: spec`,
    });
    expect((await asked(sort, { ...unknown, failurePolicy: 'Ignore' })).status).toBe(201);
  });

  it('of which one is false settle it, whatever the others come to', async () => {
    const hook = conditions(`object.spec.replicas > 1`, 'false');
    expect((await asked(sort, hook)).status).toBe(201);
  });

  it('that cost too much end in an error, and stall nothing', async () => {
    const list = '[1,2,3,4,5,6,7,8,9,10]';
    const nested = Array.from({ length: 7 }).reduce<string>(
      (inner, _, i) => `${list}.all(v${i}, ${inner})`,
      'true',
    );
    const { status, message } = await asked(sort, conditions(nested));
    expect(status).toBe(403);
    expect(message).toContain('is forbidden: ');
    expect(message).toMatch(/cost/);
  });
});

it('match conditions see what mutating webhooks before changed', async () => {
  on.hook.on('/first', () => patching(setting('b', 'first')));
  on.hook.on('/second', () => patching(setting('c', 'second')));
  const matchConditions = [{ name: 'seen', expression: `object.data.b == 'first'` }];
  await on.configure('mutating', 'm', [
    { name: 'first.test.local' },
    { name: 'second.test.local', matchConditions },
  ]);
  const answer = await on.ask(`POST ${NS}/configmaps`, aConfigMap('chained'));
  expect(answer.json().data).toEqual({ a: '1', b: 'first', c: 'second' });
});

it('match conditions are asked after rules, and not about what those leave out', async () => {
  const rules = [{ ...CONFIG_MAPS, resources: ['secrets'] }];
  expect((await asked('validating', { ...conditions('object.no.such == 1'), rules })).status).toBe(
    201,
  );
});

it('match conditions are counted', async () => {
  await asked('validating', conditions('false'));
  await asked('validating', conditions('object.no.such == 1'));
  const { text } = await on.ask('GET /metrics');
  const labels = '{name="no.test.local",type="validating",kind="webhook",operation="CREATE"}';
  for (const name of ['exclusions_total', 'evaluation_errors_total', 'evaluation_seconds_count'])
    expect(text).toMatch(
      new RegExp(`apiserver_admission_match_condition_${name}${labels.replace('{', '\\{')} [1-9]`),
    );
});

describe('a match condition is refused when it is stored', () => {
  const stored = async (expression: string) => {
    const webhook = {
      ...conditions(expression),
      clientConfig: { url: 'https://127.0.0.1/' },
      rules: [CONFIG_MAPS],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    };
    const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
    return on.ask(`POST ${path}`, { metadata: { name: 'c' }, webhooks: [webhook] });
  };

  it.each([
    ['that is no expression', 'object.', 'compilation failed: '],
    ['that speaks of what is not there', 'params.x == 1', "undeclared reference to 'params'"],
    ['that gives no answer', `'text'`, 'must evaluate to bool'],
  ])('%s', async (_, expression, why) => {
    const answer = await stored(expression);
    expect(answer.status).toBe(422);
    expect(answer.json().details.causes).toEqual([
      expect.objectContaining({
        field: 'webhooks[0].matchConditions[0].expression',
        message: expect.stringContaining(why),
      }),
    ]);
  });

  it('among more of them than a server could make ready at once', async () => {
    const matchConditions = Array.from({ length: 60 }, (_, i) => ({
      name: `c${i}`,
      expression: `object.metadata.name != 'x${i}'`,
    }));
    const webhooks = Array.from({ length: 40 }, (_, i) => ({
      name: `a${i}.test.local`,
      clientConfig: { url: 'https://127.0.0.1/' },
      rules: [CONFIG_MAPS],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      matchConditions,
    }));
    const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
    const answer = await on.ask(`POST ${path}`, { metadata: { name: 'many' }, webhooks });
    expect(answer.status).toBe(422);
    expect(answer.json().details.causes).toEqual([
      {
        reason: 'FieldValueTooMany',
        field: 'webhooks[*].matchConditions',
        message: `Too many: 2400: must have at most ${MAX_CONFIGURED_CONDITIONS} items`,
      },
    ]);
  });

  it('but stays where it was stored before', async () => {
    expect((await stored(`object.data.a == 'old'`)).status).toBe(201);
    const key = '/registry/admissionregistration.k8s.io/validatingwebhookconfigurations/c';
    const { store } = on.server.server;
    const present = store.latest(key);
    if (!present) throw new Error(`nothing is stored at ${key}`);
    // As a server with other rules may have stored it.
    const text = Buffer.from(present.bytes)
      .toString()
      .replace(`object.data.a == 'old'`, 'gone(object)');
    await store.commit(key, present.revision, encodeObject(JSON.parse(text) as LooseObject));
    const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/c`;
    const headers = { 'content-type': 'application/merge-patch+json' };
    const labelled = await on.ask(`PATCH ${path}`, { metadata: { labels: { a: 'b' } } }, headers);
    expect(labelled.status, labelled.text).toBe(200);
    // Nobody can tell whom it is about any more.
    const refused = await on.ask(`POST ${NS}/configmaps`, aConfigMap('unsure'));
    expect(refused.status).toBe(403);
    expect(refused.json().message).toContain('gone');
  });
});
