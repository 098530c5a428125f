// ValidatingAdmissionPolicies with parameters, what they note for the audit, policies about custom kinds, and their figures.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MAX_NOTED_FAILURES } from '../../apiserver/admission/policies/denials.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import { systemClock } from '../../base/clock.ts';
import { Figures } from '../../base/figures.ts';
import { silentLogger } from '../../base/logger.ts';
import type { AuditRecord } from '../../apiserver/options.ts';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';
import {
  applying,
  aValidatingBinding,
  holdTo,
  letGo,
  mutateBy,
  patching,
  post,
} from '../support/policies.ts';
import { until } from '../support/until.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const LIMITS = '/apis/example.com/v1/namespaces/default/limits';
const BERTHS = '/apis/example.com/v1/berths';

const figures = new Figures();
const audited: AuditRecord[] = [];
let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller({ figures, audit: (record) => audited.push(record) });
  await define('Limit', 'limits', 'Namespaced');
  await define('Berth', 'berths', 'Cluster');
});
afterEach(async () => {
  await letGo(api);
  for (const path of [MAPS, LIMITS, BERTHS]) await api.call('DELETE', path);
});
afterAll(() => api.close());

/** A kind with the versions v1 and v2, whose spec takes anything. */
async function define(kind: string, plural: string, scope: string): Promise<void> {
  const spec = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const openAPIV3Schema = { type: 'object', properties: { spec } };
  const version = (name: string) => ({
    name,
    served: true,
    storage: name === 'v1',
    schema: { openAPIV3Schema },
  });
  const names = { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() };
  const made = await api.call('POST', DEFINITIONS, {
    body: {
      metadata: { name: `${plural}.example.com` },
      spec: { group: 'example.com', scope, names, versions: [version('v1'), version('v2')] },
    },
  });
  if (made.status !== 201) throw new Error(made.text);
  await until(async () => (await api.call('GET', `/apis/example.com/v1/${plural}`)).status === 200);
}

const make = (name: string, data: object = {}) =>
  api.call('POST', MAPS, { body: { metadata: { name }, data } });
const custom = (path: string, name: string, spec: { max: number; labels?: object }) => {
  const { labels = {}, max } = spec;
  const kind = path === BERTHS ? 'Berth' : 'Limit';
  const body = { apiVersion: 'example.com/v1', kind, metadata: { name, labels }, spec: { max } };
  return api.call('POST', path, { body });
};

describe('parameters', () => {
  const limited = (paramRef: object, more: object = {}) => ({
    policy: {
      paramKind: { apiVersion: 'example.com/v1', kind: 'Limit' },
      validations: [
        {
          expression: 'size(object.data) <= params.spec.max',
          messageExpression: "'at most ' + string(params.spec.max)",
        },
      ],
      ...more,
    },
    binding: { paramRef },
  });
  const two = { a: '1', b: '2' };

  it('are the object that the binding names, as it is when a write comes', async () => {
    await custom(LIMITS, 'small', { max: 1 });
    await holdTo(api, 'p', limited({ name: 'small', parameterNotFoundAction: 'Deny' }));
    expect((await make('a', two)).json.message).toMatch(/denied request: at most 1$/);
    const type = 'application/merge-patch+json';
    await api.call('PATCH', `${LIMITS}/small`, { body: { spec: { max: 2 } }, type });
    expect((await make('a', two)).status).toBe(201);
    await api.call('DELETE', `${LIMITS}/small`);
    const { status, json } = await make('b');
    expect([status, json.message]).toEqual([
      422,
      expect.stringContaining(
        "'p' with binding 'p' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
      ),
    ]);
  });

  it('are all that a selector chooses: each must hold', async () => {
    await custom(LIMITS, 'loose', { max: 5, labels: { use: 'yes' } });
    await custom(LIMITS, 'tight', { max: 1, labels: { use: 'yes' } });
    await custom(LIMITS, 'other', { max: 0 });
    const selector = { matchLabels: { use: 'yes' } };
    await holdTo(api, 'p', limited({ selector, parameterNotFoundAction: 'Deny' }));
    expect((await make('a', two)).status).toBe(422);
    expect((await make('a', { a: '1' })).status).toBe(201);
    await api.call('DELETE', `${LIMITS}/tight`);
    expect((await make('b', two)).status).toBe(201);
  });

  it('that are not there may be let pass', async () => {
    await holdTo(api, 'p', limited({ name: 'absent', parameterNotFoundAction: 'Allow' }));
    expect((await make('a', two)).status).toBe(201);
  });

  it('come from the namespace of the write, unless the binding names one', async () => {
    await api.call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'limits' } } });
    await custom(LIMITS.replace('default', 'limits'), 'small', { max: 1 });
    await holdTo(api, 'here', limited({ name: 'small', parameterNotFoundAction: 'Allow' }));
    expect((await make('a', two)).status).toBe(201);
    await holdTo(
      api,
      'there',
      limited({ name: 'small', namespace: 'limits', parameterNotFoundAction: 'Deny' }),
    );
    expect((await make('b', two)).json.message).toContain("'there' with binding 'there'");
  });

  it('may be of the cluster, and are null for a binding that names none', async () => {
    await custom(BERTHS, 'small', { max: 1 });
    const paramKind = { apiVersion: 'example.com/v2', kind: 'Berth' };
    const ref = { name: 'small', parameterNotFoundAction: 'Deny' };
    await holdTo(api, 'berths', limited(ref, { paramKind }));
    expect((await make('a', two)).json.message).toMatch(/at most 1$/);
    await letGo(api);
    const validations = [{ expression: 'params == null' }];
    await holdTo(api, 'none', { policy: { paramKind, validations } });
    expect((await make('a', two)).status).toBe(201);
  });

  it.each<[string, object, object, string]>([
    [
      'of a kind that is not there',
      { name: 'a', parameterNotFoundAction: 'Allow' },
      { paramKind: { apiVersion: 'example.com/v1', kind: 'Nothing' } },
      "'p' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'example.com/v1, Kind=Nothing'",
    ],
    [
      'of the cluster in a namespace',
      { name: 'a', namespace: 'default', parameterNotFoundAction: 'Allow' },
      { paramKind: { apiVersion: 'example.com/v1', kind: 'Berth' } },
      "'p' with binding 'p' denied request: failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped `paramKind`",
    ],
  ])('%s deny, unless the policy ignores failures', async (...[, paramRef, more, message]) => {
    await holdTo(api, 'p', limited(paramRef, more));
    expect((await make('a')).json.message).toContain(message);
    await letGo(api);
    await holdTo(api, 'p', limited(paramRef, { ...more, failurePolicy: 'Ignore' }));
    expect((await make('a')).status).toBe(201);
  });

  it('of namespaces cannot be found for writes of the cluster; a namespace is in itself', async () => {
    const rules = (resources: string[]) => ({
      resourceRules: [{ apiGroups: ['*'], apiVersions: ['v1'], operations: ['CREATE'], resources }],
    });
    const ref = { name: 'a', parameterNotFoundAction: 'Allow' };
    await holdTo(api, 'p', limited(ref, { matchConstraints: rules(['berths', 'namespaces']) }));
    const { json } = await custom(BERTHS, 'b', { max: 1 });
    expect(json.message).toContain(
      'failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    );
    const body = { metadata: { name: 'n' } };
    expect((await api.call('POST', '/api/v1/namespaces', { body })).status).toBe(201);
    const validations = [{ expression: 'request.namespace == request.name' }];
    await holdTo(api, 'q', { policy: { matchConstraints: rules(['namespaces']), validations } });
    body.metadata.name = 'm';
    expect((await api.call('POST', '/api/v1/namespaces', { body })).status).toBe(201);
  });

  it('of each binding are its own', async () => {
    await custom(LIMITS, 'small', { max: 1 });
    await custom(LIMITS, 'large', { max: 3 });
    await holdTo(api, 'p', limited({ name: 'large', parameterNotFoundAction: 'Deny' }));
    const paramRef = { name: 'small', parameterNotFoundAction: 'Deny' };
    const validationActions = ['Warn'];
    const more = aValidatingBinding('p', { paramRef, validationActions }, 'q');
    await post(api, 'validatingadmissionpolicybindings', more);
    const { status, headers } = await make('a', two);
    expect(status).toBe(201);
    expect([headers['warning']].flat().join()).toContain("with binding 'q': at most 1");
  });
});

describe('the audit', () => {
  const lastNotes = () => audited.at(-1)?.annotations ?? {};

  it('is told what bindings only audit', async () => {
    const validations = [{ expression: 'true' }, { expression: 'false', message: 'never' }];
    await holdTo(api, 'noted', {
      policy: { validations },
      binding: { validationActions: ['Audit'] },
    });
    expect((await make('a')).status).toBe(201);
    const { 'validation.policy.admission.k8s.io/validation_failure': noted = '' } = lastNotes();
    expect(JSON.parse(noted)).toEqual([
      {
        message: 'never',
        policy: 'noted',
        binding: 'noted',
        expressionIndex: 1,
        validationActions: ['Audit'],
      },
    ]);
  });

  it('is told of so many failures, and of no more', async () => {
    const validations = Array.from({ length: MAX_NOTED_FAILURES + 1 }, () => ({
      expression: 'false',
    }));
    const binding = { validationActions: ['Audit'] };
    await holdTo(api, 'many', { policy: { validations }, binding });
    expect((await make('a')).status).toBe(201);
    const { 'validation.policy.admission.k8s.io/validation_failure': noted = '' } = lastNotes();
    expect(JSON.parse(noted)).toHaveLength(MAX_NOTED_FAILURES);
  });

  it('is told what annotations say, under the name of the policy', async () => {
    const auditAnnotations = [
      { key: 'size', valueExpression: "'has ' + string(size(object.data))" },
      { key: 'null', valueExpression: 'null' },
      { key: 'blank', valueExpression: "'  '" },
      { key: 'long', valueExpression: 'string(object.data.long)' },
    ];
    await holdTo(api, 'says', { policy: { auditAnnotations } });
    expect((await make('a', { long: 'l'.repeat(11_000) })).status).toBe(201);
    expect(lastNotes()).toEqual({ 'says/size': 'has 1', 'says/long': 'l'.repeat(10 * 1024) });
  });

  it('that cannot be told denies, unless the policy ignores failures', async () => {
    const auditAnnotations = [{ key: 'bad', valueExpression: 'string(object.data.none)' }];
    await holdTo(api, 'bad', { policy: { auditAnnotations } });
    expect((await make('a', { b: 'c' })).json.message).toContain(
      "'bad' with binding 'bad' denied request: expression 'string(object.data.none)' resulted in error: no such key: none",
    );
    await letGo(api);
    await holdTo(api, 'bad', { policy: { auditAnnotations, failurePolicy: 'Ignore' } });
    expect((await make('a', { b: 'c' })).status).toBe(201);
  });
});

describe('a custom kind', () => {
  const about = (version: string) => ({
    resourceRules: [
      {
        apiGroups: ['example.com'],
        apiVersions: [version],
        operations: ['*'],
        resources: ['limits'],
      },
    ],
  });

  it('is looked at in the version that a policy names, whichever is written', async () => {
    const validations = [
      { expression: 'object.spec.max < 5', messageExpression: 'object.apiVersion + ""' },
    ];
    await holdTo(api, 'v2', { policy: { matchConstraints: about('v2'), validations } });
    expect((await custom(LIMITS, 'large', { max: 9 })).json.message).toMatch(
      /denied request: example.com\/v2$/,
    );
    expect((await custom(LIMITS, 'small', { max: 1 })).status).toBe(201);
    await letGo(api);
    const exact = { ...about('v2'), matchPolicy: 'Exact' };
    await holdTo(api, 'exact', { policy: { matchConstraints: exact, validations } });
    expect((await custom(LIMITS, 'large', { max: 9 })).status).toBe(201);
  });

  it('takes apply configurations by its schema', async () => {
    const mutations = [applying('Object{spec: Object.spec{seen: [object.metadata.name]}}')];
    await mutateBy(api, 'apply', { policy: { matchConstraints: about('v1'), mutations } });
    const { json } = await custom(LIMITS, 'a', { max: 1 });
    expect(json.spec).toEqual({ max: 1, seen: ['a'] });
    await letGo(api);
    const wrong = [applying('Object{specs: Object.specs{}}')];
    await mutateBy(api, 'apply', { policy: { matchConstraints: about('v1'), mutations: wrong } });
    const refused = await custom(LIMITS, 'b', { max: 1 });
    expect([refused.status, refused.json.message]).toEqual([
      403,
      expect.stringContaining('.specs: field not declared in schema'),
    ]);
  });

  it('is changed in the version that a policy names, and stored in its own', async () => {
    const mutations = [
      patching('[JSONPatch{op: "add", path: "/spec/seen", value: object.apiVersion}]'),
    ];
    await mutateBy(api, 'v2', { policy: { matchConstraints: about('v2'), mutations } });
    const made = await custom(LIMITS, 'a', { max: 1 });
    expect(made.json).toMatchObject({
      apiVersion: 'example.com/v1',
      spec: { max: 1, seen: 'example.com/v2' },
    });
  });
});

it('policies hold from the start in a server that finds them stored', async () => {
  const storage = createMemoryStorage({ clock: systemClock, logger: silentLogger });
  const first = await anApiCaller({ storage });
  await holdTo(first, 'stored', { policy: { validations: [{ expression: 'false' }] } });
  await first.close();
  const second = await anApiCaller({ storage });
  const { status } = await second.call('POST', MAPS, { body: { metadata: { name: 'a' } } });
  await second.close();
  await storage.close();
  expect(status).toBe(422);
});

it('figures tell checks by policy, binding, error and what came of it', async () => {
  const validations = [{ expression: "object.data.a == 'b'" }];
  await holdTo(api, 'counted', {
    policy: { validations },
    binding: { validationActions: ['Deny', 'Audit'] },
  });
  await holdTo(api, 'ignoring', { policy: { validations, failurePolicy: 'Ignore' } });
  const mutation = patching('[JSONPatch{op: "add", path: "/metadata/labels", value: {"x": "y"}}]');
  await mutateBy(api, 'changing', { policy: { mutations: [mutation] } });
  const count = async (line: string) => {
    const found = (await figures.text()).split('\n').find((each) => each.startsWith(line));
    return Number(found?.split(' ').at(-1) ?? 0);
  };
  const matchConditions = [
    { name: 'not-d', expression: "object.metadata.name != 'd' && namespaceObject == null" },
    { name: 'known', expression: "object.metadata.name == 'c' || object.data.a != ''" },
  ];
  await holdTo(api, 'conditioned', { policy: { validations, matchConditions } });
  await make('a', { a: 'c' });
  await make('b', { a: 'c' });
  await make('c', { x: 'y' });
  await make('d', { a: 'b' });
  const total = 'apiserver_validating_admission_policy_check_total';
  const labels = (policy: string, error: string, action: string) =>
    `{policy="${policy}",policy_binding="${policy}",error_type="${error}",enforcement_action="${action}"}`;
  expect(await count(`${total}${labels('counted', 'no_error', 'deny')}`)).toBe(2);
  expect(await count(`${total}${labels('counted', 'no_error', 'audit')}`)).toBe(2);
  expect(await count(`${total}${labels('counted', 'invalid_error', 'deny')}`)).toBe(1);
  expect(await count(`${total}${labels('ignoring', 'invalid_error', 'allow')}`)).toBe(1);
  const duration = 'apiserver_validating_admission_policy_check_duration_seconds_count';
  expect(await count(`${duration}${labels('counted', 'no_error', 'deny')}`)).toBe(2);
  const conditioned = '{name="conditioned",type="validate",kind="policy",operation="CREATE"}';
  const conditions = 'apiserver_admission_match_condition';
  expect(await count(`${conditions}_exclusions_total${conditioned}`)).toBe(1);
  expect(await count(`${conditions}_evaluation_errors_total${conditioned}`)).toBe(0);
  expect(await count(`${conditions}_evaluation_seconds_count${conditioned}`)).toBe(4);
  const changed = '{policy="changing",policy_binding="changing",error_type="no_error"}';
  expect(await count(`apiserver_mutating_admission_policy_check_total${changed}`)).toBe(4);
});
