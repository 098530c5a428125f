// fieldValidation: fields that are unknown or there twice are refused, warned of or dropped, whatever carries them.
// Invariant: the level is upstream's; Warn holds where none is asked for, and a dropped field is never stored.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Method } from '../../../api/wire/exchange.ts';
import type { ApiCaller, Called, OpenCaller } from '../../support/api-caller.ts';

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const AT = `${DEPLOYMENTS}/there`;
const YAML = 'application/yaml';
const patchType = (kind: string) => `application/${kind}-patch+json`;
const deployment = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    },
  },
});
const text = (name: string) => JSON.stringify(deployment(name));
const unknownJson = (name: string) => text(name).replace('"image"', '"imag":"x","image"');
const twiceJson = (name: string) => text(name).replace('"replicas":1', '"replicas":9,"replicas":1');
const bothJson = (name: string) => unknownJson(name).replace('"spec"', '"foo":1,"spec"');
const yaml = (name: string, more: string) => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
${more}`;
const MAPS = '/api/v1/namespaces/default/configmaps';

type Sent = readonly [method: Method, path: string, body: string, type?: string];
const IMAGE = 'spec.template.spec.containers[0].imag';

/** What carries bad fields, and the words about them; patches are refused with 422, the rest with 400. */
const CASES: readonly (readonly [name: string, sent: Sent, words: readonly string[]])[] = [
  [
    'an unknown field of an item in a create',
    ['POST', DEPLOYMENTS, unknownJson('new')],
    [`unknown field "${IMAGE}"`],
  ],
  [
    'a field twice in a create',
    ['POST', DEPLOYMENTS, twiceJson('new')],
    ['duplicate field "spec.replicas"'],
  ],
  [
    'several at once',
    ['POST', DEPLOYMENTS, bothJson('new')],
    ['unknown field "foo"', `unknown field "${IMAGE}"`],
  ],
  [
    'an unknown field in an update',
    ['PUT', AT, unknownJson('there')],
    [`unknown field "${IMAGE}"`],
  ],
  [
    'a field twice in an update',
    ['PUT', AT, twiceJson('there')],
    ['duplicate field "spec.replicas"'],
  ],
  [
    'an unknown field in YAML',
    ['POST', MAPS, yaml('new', 'data: {a: b}\nfoo: 1\n'), YAML],
    ['unknown field "foo"'],
  ],
  [
    'a field twice in YAML',
    ['POST', MAPS, yaml('new', 'data:\n  a: b\n  a: c\n'), YAML],
    ['duplicate field "data.a"'],
  ],
  [
    'an unknown field in a merge patch',
    ['PATCH', AT, '{"spec":{"foo":1}}', patchType('merge')],
    ['unknown field "spec.foo"'],
  ],
  [
    'a field twice in a merge patch',
    ['PATCH', AT, '{"spec":{"replicas":9,"replicas":1}}', patchType('merge')],
    ['duplicate field "spec.replicas"'],
  ],
  [
    'an unknown field in a strategic patch',
    [
      'PATCH',
      AT,
      '{"spec":{"template":{"spec":{"containers":[{"name":"c","imag":"x"}]}}}}',
      patchType('strategic-merge'),
    ],
    [`unknown field "${IMAGE}"`],
  ],
  [
    'a field twice in a strategic patch',
    ['PATCH', AT, '{"metadata":{"labels":{"a":"b","a":"c"}}}', patchType('strategic-merge')],
    ['duplicate field "metadata.labels.a"'],
  ],
  [
    'an unknown field by a JSON patch',
    ['PATCH', AT, '[{"op":"add","path":"/spec/foo","value":1}]', patchType('json')],
    ['unknown field "spec.foo"'],
  ],
  [
    'a field twice in a JSON patch',
    [
      'PATCH',
      AT,
      '[{"op":"replace","path":"/spec/replicas","value":9,"value":1}]',
      patchType('json'),
    ],
    ['duplicate field "[0].value"'],
  ],
  [
    'a field twice in an applied JSON text',
    ['PATCH', `${AT}?fieldManager=x`, twiceJson('there'), 'application/apply-patch+yaml'],
    ['duplicate field "spec.replicas"'],
  ],
  [
    'a field twice in an applied YAML text',
    [
      'PATCH',
      `${MAPS}/new?fieldManager=x`,
      yaml('new', 'data:\n  a: b\n  a: c\n'),
      'application/apply-patch+yaml',
    ],
    ['duplicate field "data.a"'],
  ],
];

/** Holds for every way to a server, over every storage. */
export function validatingContract(open: OpenCaller): void {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await open();
    await api.call('POST', DEPLOYMENTS, { body: deployment('there') });
  });
  afterAll(() => api.close());
  const send = ([method, path, body, type]: Sent, level?: string) => {
    const sign = path.includes('?') ? '&' : '?';
    const query = `${sign}dryRun=All${level === undefined ? '' : `&fieldValidation=${level}`}`;
    return api.call(method, path + query, { body, ...(type && { type }) });
  };
  const warningsOf = ({ headers }: Called) => (headers['warning'] ?? []) as readonly string[];

  it.each(CASES)('under Strict refuses %s', async (_, sent, words) => {
    const { status, json } = await send(sent, 'Strict');
    const patched = sent[3]?.includes('-patch+json') ?? false;
    expect([status, json.reason]).toEqual(patched ? [422, 'Invalid'] : [400, 'BadRequest']);
    const begins = {
      'application/apply-patch+yaml': 'error strict decoding YAML: ',
      patch: ' "" is invalid: patch: Invalid value: "{',
      whole: `${json.message.split(' ', 1)[0]} in version "v1" cannot be handled as a `,
    };
    const how = sent[3] === 'application/apply-patch+yaml' ? sent[3] : patched ? 'patch' : 'whole';
    expect(json.message.startsWith(begins[how]), json.message).toBe(true);
    const said = how === 'patch' ? ': strict decoding error: ' : 'strict decoding ';
    expect(json.message).toContain(said);
    for (const word of words) expect(json.message).toContain(word);
  });

  it.each(CASES)('under Warn, which holds by itself, warns of %s', async (_, sent, words) => {
    for (const level of ['Warn', undefined]) {
      const answer = await send(sent, level);
      expect(answer.status).toBeLessThan(300);
      expect(warningsOf(answer)).toEqual(words.map((word) => `299 - ${JSON.stringify(word)}`));
      expect(answer.text).not.toContain('"imag"');
      expect(answer.text).not.toContain('"foo"');
    }
  });

  it.each(CASES)('under Ignore drops without a word %s', async (_, sent) => {
    const answer = await send(sent, 'Ignore');
    expect(answer.status).toBeLessThan(300);
    expect(warningsOf(answer)).toEqual([]);
    expect(answer.text).not.toContain('"imag"');
  });

  it('takes the last of a field that is there twice', async () => {
    const { json } = await send(['POST', DEPLOYMENTS, twiceJson('new')]);
    expect(json.spec['replicas']).toBe(1);
    const map = await send(['POST', MAPS, yaml('new', 'data:\n  a: b\n  a: c\n'), YAML]);
    expect(map.json['data']).toEqual({ a: 'c' });
  });

  it('stores nothing of a field that is unknown', async () => {
    const made = await api.call('POST', DEPLOYMENTS, { body: bothJson('stored') });
    expect(made.status).toBe(201);
    const { text: stored } = await api.call('GET', `${DEPLOYMENTS}/stored`);
    expect(stored).not.toMatch(/"imag"|"foo"/);
  });

  it('refuses a level that is none', async () => {
    const { status, json } = await send(['POST', DEPLOYMENTS, text('new')], 'Loose');
    expect([status, json.reason]).toEqual([422, 'Invalid']);
    expect(json.message).toBe(
      'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Loose": ' +
        'supported values: "", "Ignore", "Strict", "Warn"',
    );
  });

  it('refuses every broken option at once, before it reads the body', async () => {
    const query = `fieldManager=${'x'.repeat(129)}&dryRun=Some&fieldValidation=Loose`;
    const { status, json } = await api.call('PUT', `${AT}?${query}`, { body: 'no JSON' });
    expect([status, json.reason]).toEqual([422, 'Invalid']);
    const { causes } = json['details'] as { causes: { field: string }[] };
    expect(causes.map(({ field }) => field)).toEqual(['fieldManager', 'dryRun', 'fieldValidation']);
  });

  it('refuses a review with options that are none', async () => {
    const reviews = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const { status } = await api.call('POST', `${reviews}?dryRun=Some`, { body: {} });
    expect(status).toBe(422);
  });

  it('finds nothing wrong with what is right', async () => {
    const answer = await send(['POST', DEPLOYMENTS, text('new')], 'Strict');
    expect([answer.status, warningsOf(answer)]).toEqual([201, []]);
  });

  it('warns of what a kind has to say besides', async () => {
    const { template } = deployment('p').spec;
    const pod = { ...template.spec, restartPolicy: 'Never' };
    const body = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'with.dots' },
      spec: { template: { spec: pod } },
    };
    const jobs = '/apis/batch/v1/namespaces/default/jobs?fieldValidation=Ignore&dryRun=All';
    const [warning = ''] = warningsOf(await api.call('POST', jobs, { body }));
    expect(warning).toMatch(/^299 - "metadata\.name: /);
  });
}
