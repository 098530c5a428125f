// The sample definitions of crds/ through the server: each is accepted, its right object is stored and comes out as it should,
// and its wrong object is refused with every broken rule named.
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import {
  countProperties,
  largeDefinition,
  largeInstance,
} from '../../tools/bench/large-definition.ts';
import { type ApiCaller, anApiCaller, type Json } from '../support/api-caller.ts';
import { collectionOf, samples } from '../support/samples.ts';
import { until } from '../support/until.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const YAML = 'application/yaml';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
});
afterAll(() => api.close());

async function define(definition: CustomResourceDefinition): Promise<void> {
  const { status, text, headers } = await api.call('POST', CRDS, { body: definition });
  expect(status, text).toBe(201);
  expect(headers['warning']).toBeUndefined();
  await until(async () => (await api.call('GET', collectionOf(definition))).status === 200);
}

/** Is everything that was written in what came back? Nulls that a schema does not allow are dropped, and so not asked for. */
function expectKept(written: unknown, stored: unknown, path: string): void {
  if (typeof written !== 'object' || written === null) {
    expect(stored, path).toEqual(written);
    return;
  }
  for (const [key, part] of Object.entries(written))
    expectKept(part, (stored as Record<string, unknown> | undefined)?.[key], `${path}.${key}`);
}

describe.each(samples().map((sample) => [sample.name, sample] as const))(
  'The sample %s',
  (_, { definition, right, wrong }) => {
    const path = collectionOf(definition);

    it('is accepted, and takes its right object as it is', async () => {
      await define(definition);
      const created = await api.call('POST', `${path}?fieldValidation=Strict`, {
        body: right,
        type: YAML,
      });
      expect(created.status, created.text).toBe(201);
      const object = parse(right) as LooseObject;
      const { json } = await api.call('GET', `${path}/${object.metadata.name}`);
      const hasStatus = definition.spec.versions.some(({ subresources }) => subresources?.status);
      const { status, ...rest } = object;
      expectKept(hasStatus ? rest : { ...rest, status }, json, 'object');
    });

    it.each(wrong.map((one) => [basename(one.file), one] as const))(
      'refuses %s with every broken rule named',
      async (__, { text, errors }) => {
        const refused = await api.call('POST', path, { body: text, type: YAML });
        expect(refused.status).toBe(422);
        expect(refused.json.reason).toBe('Invalid');
        for (const error of errors) expect(refused.json.message).toContain(error);
        const { causes } = refused.json['details'] as { causes: { message: string }[] };
        expect(causes.map(({ message }) => message)).toHaveLength(errors.length);
      },
    );

    it('is described to clients', async () => {
      const { group, versions, names } = definition.spec;
      const version = versions.find(({ storage }) => storage)?.name;
      const { json } = await api.call('GET', `/openapi/v3/apis/${group}/${version}`);
      const { schemas } = json['components'] as {
        schemas: Record<string, { properties?: object }>;
      };
      const [name = ''] = Object.keys(schemas).filter((key) => key.endsWith(`.${names.kind}`));
      const written = versions.find(({ storage }) => storage)?.schema?.openAPIV3Schema?.properties;
      for (const field of Object.keys(written ?? {}))
        expect(schemas[name]?.properties).toHaveProperty(field);
    });
  },
);

describe('What the samples fill in and hold to', () => {
  const stored = async (plural: string, path: string): Promise<Json> => {
    const sample = samples().find(({ definition }) => definition.spec.names.plural === plural);
    if (!sample) throw new Error(`there is no sample ${plural}`);
    return (await api.call('GET', `${collectionOf(sample.definition)}/${path}`)).json;
  };

  it('are defaults, at every depth', async () => {
    expect((await stored('certificates', 'shop')).spec).toMatchObject({
      lifetime: '2160h',
      isAuthority: false,
      renewBefore: null,
      usages: ['server', 'client'],
      key: { algorithm: 'RSA', bits: 4096, rotate: 'Always' },
    });
    expect((await stored('lanes', 'front')).spec).toMatchObject({
      addresses: [{ type: 'IPAddress' }, { type: 'Hostname' }],
      listeners: [
        { name: 'plain', routes: { from: 'Same' } },
        { name: 'secure', routes: { from: 'All' }, tls: { mode: 'Terminate' } },
      ],
    });
    expect((await stored('assemblies', 'database')).spec).toMatchObject({
      parts: [{ readiness: [{ type: 'Ready' }], patches: [{ type: 'FromWish' }] }],
    });
  });

  it('are a status that nobody wrote yet, whatever its creator sent', async () => {
    const { status } = await stored('lanes', 'front');
    expect(status).toEqual({ conditions: [{ type: 'Ready', status: 'Unknown' }] });
  });

  it('is nothing where values are kept as they are', async () => {
    const { spec } = await stored('deliveries', 'shop');
    expect(spec).toMatchObject({
      sources: [{ chart: { values: { debug: null } }, revision: 'HEAD' }],
    });
  });

  it('are rules that look at what was there before, where there was something', async () => {
    const type = 'application/merge-patch+json';
    const path = '/apis/traffic.example.com/v1/namespaces/default/lanes/front';
    const fewer = await api.call('PATCH', path, { type, body: { spec: { addresses: [] } } });
    expect(fewer.json.message).toContain(
      'spec.addresses: Invalid value: addresses are not taken away',
    );
    const other = await api.call('PATCH', path, { type, body: { spec: { className: 'slow' } } });
    expect(other.json['details']).toMatchObject({
      causes: [{ reason: 'FieldValueForbidden', field: 'spec.className' }],
    });
  });

  it('is told of a version that is deprecated, and not of one that is not served', async () => {
    const base = '/apis/traffic.example.com';
    const old = await api.call('GET', `${base}/v1beta1/namespaces/default/lanes/front`);
    expect(old.json.apiVersion).toBe('traffic.example.com/v1beta1');
    expect(String(old.headers['warning'])).toMatch(/v1beta1 Lane goes next year/);
    const current = await api.call('GET', `${base}/v1/namespaces/default/lanes/front`);
    expect(current.headers['warning']).toBeUndefined();
    const body = { ...old.json, metadata: { name: 'older' } };
    const written = await api.call('POST', `${base}/v1beta1/namespaces/default/lanes`, { body });
    expect(String(written.headers['warning'])).toMatch(
      /traffic\.example\.com\/v1beta1 Lane goes next year/,
    );
    expect((await api.call('GET', `${base}/v1alpha1/namespaces/default/lanes`)).status).toBe(404);
  });
});

describe('A definition of half a megabyte', () => {
  const definition = largeDefinition();
  const [version] = definition.spec.versions;

  it('is one', () => {
    expect(JSON.stringify(definition).length).toBeGreaterThan(500_000);
    expect(countProperties(version?.schema?.openAPIV3Schema ?? {})).toBeGreaterThan(8_000);
  });

  it('is accepted, and holds its objects to its rules', async () => {
    await define(definition);
    const path = collectionOf(definition);
    const created = await api.call('POST', `${path}?fieldValidation=Strict`, {
      body: largeInstance('a'),
    });
    expect(created.status, created.text).toBe(201);
    expect(created.json.spec).toMatchObject({
      shards: 1,
      collector: { template: { spec: { containers: [{ ports: [{ protocol: 'TCP' }] }] } } },
    });
    const { spec } = largeInstance('b') as { spec: Record<string, object> };
    const wrong = { ...largeInstance('b'), spec: { ...spec, store: { version: 'one' } } };
    const refused = await api.call('POST', path, { body: wrong });
    expect(refused.json.message).toContain('spec.store.version: Invalid value: "one"');
  });
});
