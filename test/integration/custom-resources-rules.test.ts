// Validation rules of custom resources through the server: checked with the definition, asked on every write, and bounded.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_RULE_CHARS, MAX_RULES } from '../../api/apiextensions/rules/definition-rules.ts';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';
import { until } from '../support/until.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';
const INT = { type: 'integer' };

const RULES = [
  { rule: 'self.min <= self.max', message: 'min is above max', fieldPath: '.min' },
  {
    rule: '!has(oldSelf.max) || self.max >= oldSelf.max',
    messageExpression: "'max was %d'.format([oldSelf.max])",
  },
];

const schemaOf = (rules: readonly object[], more: object = {}) => ({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['min', 'max'],
      properties: { min: INT, max: INT, mode: { type: 'string', enum: ['a', 'b'] } },
      'x-kubernetes-validations': rules,
    },
    status: {
      type: 'object',
      properties: { seen: INT },
      'x-kubernetes-validations': [{ rule: 'self.seen >= 0' }],
    },
    ...more,
  },
});

function definition(group: string, ...schemas: object[]) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `ranges.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'ranges', kind: 'Range' },
      versions: schemas.map((openAPIV3Schema, i) => ({
        name: `v${i + 1}`,
        served: true,
        storage: i === 0,
        schema: { openAPIV3Schema },
        subresources: { status: {} },
      })),
    },
  };
}

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
});
afterAll(() => api?.close());

const path = (group: string) => `/apis/${group}/v1/namespaces/default/ranges`;

async function define(group: string, schema: object): Promise<void> {
  const made = await api.call('POST', CRDS, { body: definition(group, schema) });
  expect(made.status, made.text).toBe(201);
  await until(async () => (await api.call('GET', path(group))).status === 200);
}

const range = (group: string, spec: object) => ({
  apiVersion: `${group}/v1`,
  kind: 'Range',
  metadata: { name: 'a' },
  spec,
});

describe('Rules of definitions', () => {
  it('are refused with the place of the rule, in the versions that have it', async () => {
    const bad = schemaOf([{ rule: 'self.mini > 1' }]);
    const one = await api.call('POST', CRDS, { body: definition('bad.example.com', bad) });
    expect(one.json).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(one.json.message).toMatch(
      /spec\.validation\.openAPIV3Schema\.properties\[spec\]\.x-kubernetes-validations\[0\]\.rule: Invalid value: \{"rule":"self\.mini > 1"\}: compilation failed: ERROR: <input>:1:5: undefined field 'mini'/,
    );
    const two = await api.call('POST', CRDS, {
      body: definition('bad.example.com', schemaOf(RULES), bad),
    });
    expect(two.json.message).toMatch(
      /: spec\.versions\[1\]\.schema\.openAPIV3Schema\.properties\[spec\]\.x-kubernetes-validations\[0\]\.rule: /,
    );
  });

  it('are not allowed within value rules', async () => {
    const within = schemaOf(RULES, {
      x: { type: 'integer', allOf: [{ 'x-kubernetes-validations': [{ rule: 'true' }] }] },
    });
    const made = await api.call('POST', CRDS, { body: definition('within.example.com', within) });
    expect(made.json.message).toMatch(
      /properties\[x\]\.allOf\[0\]\.x-kubernetes-validations: Forbidden: must be empty to be structural/,
    );
  });

  it('hold for defaults', async () => {
    const x = { type: 'integer', default: 3, 'x-kubernetes-validations': [{ rule: 'self > 5' }] };
    const made = await api.call('POST', CRDS, {
      body: definition('defaults.example.com', schemaOf(RULES, { x })),
    });
    expect(made.json.message).toMatch(
      /properties\[x\]\.default: Invalid value: 3: .*failed rule: self > 5/,
    );
  });

  it('end at named limits, of their number and of their size', async () => {
    const rule = { rule: 'true' };
    const many = schemaOf(Array.from({ length: MAX_RULES + 1 }, () => rule));
    const long = schemaOf([{ rule: `'${'x'.repeat(MAX_RULE_CHARS)}' != ''` }]);
    for (const schema of [many, long]) {
      const made = await api.call('POST', CRDS, { body: definition('limits.example.com', schema) });
      expect(made.json).toMatchObject({ code: 422 });
      expect(made.json.message).toMatch(
        /spec\.versions: Forbidden: must have at most 2000 x-kubernetes-validations/,
      );
    }
  });

  it('of before let a definition be changed elsewhere', async () => {
    const group = 'kept.example.com';
    await define(group, schemaOf(RULES));
    const url = `${CRDS}/ranges.${group}`;
    const change = (schema: object) =>
      api.call('PATCH', url, { body: { spec: definition(group, schema).spec }, type: MERGE });
    expect((await change(schemaOf(RULES, { more: { type: 'string' } }))).status).toBe(200);
    const refused = await change(schemaOf([...RULES, { rule: 'self.' }]));
    expect(refused.json.message).toMatch(/x-kubernetes-validations\[2\]\.rule: .*Syntax error/);
  });
});

describe('Rules of objects', () => {
  it('are asked on create, update, patch and apply, and with the schema’s own errors first', async () => {
    const group = 'asked.example.com';
    await define(group, schemaOf(RULES));
    const made = await api.call('POST', path(group), { body: range(group, { min: 3, max: 2 }) });
    expect(made.json).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: 'Range.asked.example.com "a" is invalid: spec.min: Invalid value: min is above max',
      details: { causes: [{ reason: 'FieldValueInvalid', field: 'spec.min' }] },
    });
    const shape = await api.call('POST', path(group), {
      body: range(group, { min: 3, max: 2, mode: 'c' }),
    });
    expect(shape.json.message).toMatch(
      /spec\.mode: Unsupported value.*<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation/,
    );
    expect(
      (await api.call('POST', path(group), { body: range(group, { min: 1, max: 5 }) })).status,
    ).toBe(201);
    const patched = await api.call('PATCH', `${path(group)}/a`, {
      body: { spec: { max: 4 } },
      type: MERGE,
    });
    expect(patched.json.message).toMatch(/spec: Invalid value: max was 5/);
    const applied = await api.call('PATCH', `${path(group)}/a?fieldManager=m&force=true`, {
      body: range(group, { min: 9, max: 8 }),
      type: APPLY,
    });
    expect(applied.json.message).toMatch(/spec\.min: Invalid value: min is above max/);
    const { json } = await api.call('GET', `${path(group)}/a`);
    const put = await api.call('PUT', `${path(group)}/a`, {
      body: { ...json, spec: { min: 6, max: 5 } },
    });
    expect(put.json.message).toMatch(/min is above max/);
    const dry = await api.call('POST', `${path(group)}?dryRun=All`, {
      body: range(group, { min: 3, max: 2 }),
    });
    expect(dry.json).toMatchObject({ code: 422 });
    expect(
      (await api.call('PATCH', `${path(group)}/a`, { body: { spec: { max: 6 } }, type: MERGE }))
        .status,
    ).toBe(200);
  });

  it('are asked of the status through its own path', async () => {
    const group = 'status.example.com';
    await define(group, schemaOf(RULES));
    await api.call('POST', path(group), { body: range(group, { min: 1, max: 5 }) });
    const write = (seen: number) =>
      api.call('PATCH', `${path(group)}/a/status`, { body: { status: { seen } }, type: MERGE });
    expect((await write(-1)).json.message).toMatch(
      /status: Invalid value: failed rule: self\.seen >= 0/,
    );
    expect((await write(1)).status).toBe(200);
  });

  it('that came later let be what was stored before, until it changes', async () => {
    const group = 'later.example.com';
    await define(group, schemaOf([]));
    await api.call('POST', path(group), { body: range(group, { min: 3, max: 2 }) });
    const { spec } = definition(group, schemaOf(RULES));
    const url = `${CRDS}/ranges.${group}`;
    expect((await api.call('PATCH', url, { body: { spec }, type: MERGE })).status).toBe(200);
    const patch = (body: object) => api.call('PATCH', `${path(group)}/a`, { body, type: MERGE });
    expect((await patch({ metadata: { labels: { a: 'b' } } })).status).toBe(200);
    expect((await patch({ spec: { mode: 'a' } })).json.message).toMatch(/min is above max/);
    expect((await patch({ spec: { min: 1 } })).status).toBe(200);
  });

  it('that an object broke before are told to who writes it, where the value did not change', async () => {
    const group = 'warned.example.com';
    const field = (rules: object[]) =>
      schemaOf([], { name: { type: 'string', maxLength: 9, 'x-kubernetes-validations': rules } });
    await define(group, field([]));
    const old = { ...range(group, { min: 1, max: 2 }), name: 'UPPER' };
    await api.call('POST', path(group), { body: old });
    const { spec } = definition(
      group,
      field([{ rule: 'self == self.lowerAscii()', message: 'must be lower' }]),
    );
    expect(
      (await api.call('PATCH', `${CRDS}/ranges.${group}`, { body: { spec }, type: MERGE })).status,
    ).toBe(200);
    const patched = await api.call('PATCH', `${path(group)}/a`, {
      body: { spec: { max: 3 } },
      type: MERGE,
    });
    expect(patched.status).toBe(200);
    expect(String(patched.headers['warning'])).toMatch(
      /name: Invalid value: \\"UPPER\\": must be lower/,
    );
    const fresh = await api.call('POST', path(group), {
      body: { ...old, metadata: { name: 'b' } },
    });
    expect(fresh.json).toMatchObject({ code: 422 });
  });
});

describe('Rules that cost much', () => {
  it('let other requests come in between, and the write ends as the rules say', async () => {
    const item = { type: 'integer' };
    const numbers = { type: 'array', maxItems: 300, items: item };
    const each = Array.from({ length: 8 }, (_, i) => ({
      rule: `self.numbers.all(x, self.numbers.all(y, x + y >= ${i === 7 ? 1 : 0}))`,
      message: `sums are ${i} at least`,
    }));
    const spec = { type: 'object', properties: { numbers }, 'x-kubernetes-validations': each };
    await define('long.example.com', { type: 'object', properties: { spec } });
    const ended: string[] = [];
    const body = range('long.example.com', { numbers: Array.from({ length: 300 }, () => 0) });
    const write = api.call('POST', path('long.example.com'), { body }).then((answer) => {
      ended.push('write');
      return answer;
    });
    for (let nth = 0; nth < 3; nth++) {
      await api.call('GET', '/api/v1/namespaces/default');
      ended.push('read');
    }
    const { status, json } = await write;
    expect([status, json.message]).toEqual([422, expect.stringContaining('sums are 7 at least')]);
    expect(ended).toEqual(['read', 'read', 'read', 'write']);
  });
});
