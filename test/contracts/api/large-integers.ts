// Whole numbers that doubles do not hold: kept to the digit in custom resources, refused for fields of built-in kinds.
// Invariant: no number is ever changed without a word, whatever it came in and whoever wrote beside it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiCaller, OpenCaller } from '../../support/api-caller.ts';
import { until } from '../../support/until.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const COUNTERS = '/apis/exact.example.com/v1/namespaces/default/counters';
const LARGE = '9007199254740993';
const MOST = '9223372036854775807';
const JSON_PATCH = 'application/json-patch+json';
const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';
const properties = {
  count: { type: 'integer', format: 'int64', minimum: 0, multipleOf: 1 },
  copy: { type: 'integer', format: 'int64' },
  small: { type: 'integer', format: 'int32' },
  free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
};
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'counters.exact.example.com' },
  spec: {
    group: 'exact.example.com',
    scope: 'Namespaced',
    names: { plural: 'counters', kind: 'Counter' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties } },
          },
        },
        additionalPrinterColumns: [{ name: 'Count', type: 'integer', jsonPath: '.spec.count' }],
      },
    ],
  },
};
const counter = (name: string, spec: string) =>
  `{"apiVersion":"exact.example.com/v1","kind":"Counter","metadata":{"name":"${name}"},"spec":${spec}}`;

/** Holds for every way to a server, over every storage. */
export function largeIntegersContract(open: OpenCaller): void {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await open();
    await api.call('POST', CRDS, { body: definition });
    await until(async () => (await api.call('GET', COUNTERS)).status === 200);
    await api.call('POST', COUNTERS, { body: counter('there', `{"count":${LARGE}}`) });
  });
  afterAll(() => api.close());
  const stored = async (name: string) => (await api.call('GET', `${COUNTERS}/${name}`)).text;

  it('are kept to the digit, in typed fields and in free ones', async () => {
    const spec = `{"count":${MOST},"free":{"a":[-${MOST}]}}`;
    const made = await api.call('POST', COUNTERS, { body: counter('exact', spec) });
    expect(made.status, made.text).toBe(201);
    for (const text of [made.text, await stored('exact')]) {
      expect(text).toContain(`"count":${MOST}`);
      expect(text).toContain(`"a":[-${MOST}]`);
    }
  });

  it('are kept in YAML, both ways', async () => {
    const body = `apiVersion: exact.example.com/v1\nkind: Counter\nmetadata: {name: yaml}\nspec: {count: ${LARGE}, copy: 7}\n`;
    const made = await api.call('POST', COUNTERS, { body, type: 'application/yaml' });
    expect(made.status, made.text).toBe(201);
    expect(await stored('yaml')).toContain(`"count":${LARGE}`);
    const shown = await api.call('GET', `${COUNTERS}/yaml`, { accept: 'application/yaml' });
    expect(shown.text).toContain(`count: ${LARGE}\n`);
    expect(shown.text).toContain('copy: 7\n');
  });

  it.each([
    ['a merge patch', MERGE, '{"metadata":{"labels":{"a":"b"}}}'],
    ['a JSON patch', JSON_PATCH, '[{"op":"add","path":"/metadata/labels","value":{"c":"d"}}]'],
  ])('outlive %s of something else', async (_, type, body) => {
    const { status, text } = await api.call('PATCH', `${COUNTERS}/there`, { body, type });
    expect([status, text.includes(`"count":${LARGE}`)]).toEqual([200, true]);
    expect(await stored('there')).toContain(`"count":${LARGE}`);
  });

  it('come through patches: set, copied and tested', async () => {
    const at = `${COUNTERS}/there`;
    const operations = `[{"op":"test","path":"/spec/count","value":${LARGE}},{"op":"add","path":"/spec/free","value":{"a":${MOST}}},{"op":"copy","from":"/spec/free/a","path":"/spec/copy"}]`;
    const { status, text } = await api.call('PATCH', at, { body: operations, type: JSON_PATCH });
    expect(status, text).toBe(200);
    expect(await stored('there')).toContain(`"copy":${MOST}`);
    const wrong = `[{"op":"test","path":"/spec/count","value":9007199254740995}]`;
    expect((await api.call('PATCH', at, { body: wrong, type: JSON_PATCH })).status).toBe(422);
    const merged = await api.call('PATCH', at, { body: `{"spec":{"copy":${LARGE}}}`, type: MERGE });
    expect(merged.text).toContain(`"copy":${LARGE}`);
  });

  it('may be applied, and a neighbour is another value', async () => {
    const apply = (manager: string, count: string) =>
      api.call('PATCH', `${COUNTERS}/applied?fieldManager=${manager}`, {
        body: counter('applied', `{"count":${count}}`),
        type: APPLY,
      });
    expect((await apply('x', LARGE)).status).toBe(201);
    expect(await stored('applied')).toContain(`"count":${LARGE}`);
    expect((await apply('y', '9007199254740992')).status).toBe(409);
    expect((await apply('y', LARGE)).status).toBe(200);
  });

  it('are shown in Tables', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const { text } = await api.call('GET', `${COUNTERS}/there`, { accept });
    expect(text).toContain(`"cells":["there",${LARGE}]`);
  });

  it('are refused where the schema has no room for them', async () => {
    const body = counter('small', `{"small":${LARGE}}`);
    const { status, json } = await api.call('POST', COUNTERS, { body });
    expect([status, json.reason]).toEqual([422, 'Invalid']);
    expect(json.message).toContain('spec.small');
    expect(json.message).toContain(LARGE);
  });

  it('are refused for fields of built-in kinds, with what is kept', async () => {
    const spec = `{"containers":[{"name":"c","image":"i"}],"terminationGracePeriodSeconds":${MOST}}`;
    const body = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":${spec}}`;
    const { status, json } = await api.call('POST', '/api/v1/namespaces/default/pods', { body });
    expect([status, json.reason]).toEqual([400, 'BadRequest']);
    expect(json.message).toContain(
      `cannot unmarshal number ${MOST} into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64: this server keeps integers between`,
    );
  });
}
