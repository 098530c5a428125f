// Objects that were stored before their definition changed: they are served as the schema is now, by every way of reading.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SchemaAge } from '../../apiserver/extensions/schema-age.ts';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';
import { until } from '../support/until.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const MERGE = 'application/merge-patch+json';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

interface Definition {
  readonly group: string;
  /** Properties of spec, by version. */
  readonly versions: Readonly<Record<string, object>>;
  readonly storage: string;
}

function body({ group, versions, storage }: Definition) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `tabs.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'tabs', kind: 'Tab' },
      versions: Object.entries(versions).map(([name, properties]) => ({
        name,
        served: true,
        storage: name === storage,
        schema: {
          openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } },
        },
        additionalPrinterColumns: [{ name: 'Late', type: 'string', jsonPath: '.spec.late' }],
        selectableFields: [],
      })),
    },
  };
}

const text = (more: object = {}) => ({ type: 'string', ...more });

describe.each(['memory', 'lmdb'] as const)('Stored custom resources over %s storage', (backend) => {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await anApiCaller({ backend });
  });
  afterAll(() => api.close());

  const path = (group: string, version = 'v1') =>
    `/apis/${group}/${version}/namespaces/default/tabs`;

  async function define(definition: Definition): Promise<void> {
    const { status, text: said } = await api.call('POST', CRDS, { body: body(definition) });
    expect(status, said).toBe(201);
    await until(async () => (await api.call('GET', path(definition.group))).status === 200);
  }

  async function redefine(definition: Definition): Promise<void> {
    const { spec } = body(definition);
    const url = `${CRDS}/tabs.${definition.group}`;
    const { status, text: said } = await api.call('PATCH', url, { body: { spec }, type: MERGE });
    expect(status, said).toBe(200);
  }

  async function make(group: string, named: string, spec: object) {
    const [name, version = 'v1'] = named.split(' in ');
    const object = { apiVersion: `${group}/${version}`, kind: 'Tab', metadata: { name }, spec };
    const made = await api.call('POST', path(group, version), { body: object });
    expect(made.status, made.text).toBe(201);
    return made.json;
  }

  const specs = async (url: string) => {
    const { json } = await api.call('GET', url);
    return json.items.map(({ spec }) => spec);
  };

  it('have the defaults that came later, and lack the fields that went, in get, list, watch and Table', async () => {
    const group = 'later.example.com';
    const first: Definition = {
      group,
      storage: 'v1',
      versions: { v1: { a: text(), gone: text() } },
    };
    await define(first);
    const before = await make(group, 'old', { a: '1', gone: 'x' });
    await redefine({ ...first, versions: { v1: { a: text(), late: text({ default: 'yes' }) } } });
    const wanted = { a: '1', late: 'yes' };
    const got = await api.call('GET', `${path(group)}/old`);
    expect(got.json.spec).toEqual(wanted);
    expect(got.json.metadata).toEqual(before.metadata);
    expect(await specs(path(group))).toEqual([wanted]);
    expect(await specs(`${path(group)}?labelSelector=!x`)).toEqual([wanted]);
    const table = await api.call('GET', path(group), { accept: TABLE });
    expect((table.json as unknown as Table).rows.map(({ cells }) => cells)).toEqual([
      ['old', 'yes'],
    ]);
    const watching = await api.watch(path(group));
    expect((await watching.next())?.object['spec']).toEqual(wanted);
    await api.call('DELETE', `${path(group)}/old`);
    const last = await watching.next();
    expect(last).toMatchObject({ type: 'DELETED', object: { spec: wanted } });
    expect(last?.object.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion);
    watching.stop();
  });

  it('keep their generation and version until somebody writes, who writes the defaults along', async () => {
    const group = 'written.example.com';
    const first: Definition = { group, storage: 'v1', versions: { v1: { a: text() } } };
    await define(first);
    const { metadata } = await make(group, 'old', { a: '1' });
    await redefine({ ...first, versions: { v1: { a: text(), late: text({ default: 'yes' }) } } });
    const same = await api.call('PUT', `${path(group)}/old`, {
      body: (await api.call('GET', `${path(group)}/old`)).json,
    });
    expect(same.json.metadata.resourceVersion).not.toBe(metadata.resourceVersion);
    expect(same.json.metadata.generation).toBe(1);
    const again = await api.call('PUT', `${path(group)}/old`, { body: same.json });
    expect(again.json.metadata.resourceVersion).toBe(same.json.metadata.resourceVersion);
    const { items } = await api.storage.page('/registry/written.example.com/', {});
    expect(Buffer.from(items[0]?.bytes ?? []).toString()).toContain('"late":"yes"');
  });

  it('lose nulls that are no longer allowed, and have defaults for those that never were', async () => {
    const group = 'nulls.example.com';
    const fields = { a: text({ nullable: true }), b: text({ nullable: true }), c: text() };
    const first: Definition = { group, storage: 'v1', versions: { v1: fields } };
    await define(first);
    expect((await make(group, 'old', { a: null, b: null, c: null })).spec).toEqual({
      a: null,
      b: null,
    });
    await redefine({
      ...first,
      versions: { v1: { a: text(), b: text({ default: 'b' }), c: text() } },
    });
    expect((await api.call('GET', `${path(group)}/old`)).json.spec).toEqual({ b: 'b' });
  });

  it('are shown to watches that resume from before the change as they are now', async () => {
    const group = 'resumed.example.com';
    const first: Definition = { group, storage: 'v1', versions: { v1: { a: text() } } };
    await define(first);
    const { metadata } = await make(group, 'one', { a: '1' });
    await make(group, 'two', { a: '2' });
    await redefine({ ...first, versions: { v1: { a: text(), late: text({ default: 'yes' }) } } });
    const url = `${path(group)}?resourceVersion=${metadata.resourceVersion}`;
    const watching = await api.watch(url);
    expect((await watching.next())?.object).toMatchObject({
      metadata: { name: 'two' },
      spec: { a: '2', late: 'yes' },
    });
    watching.stop();
  });

  it('lose in a version what only another one has, and have the defaults of the one that is stored', async () => {
    const group = 'apart.example.com';
    await define({
      group,
      storage: 'v2',
      versions: {
        v1: { both: text(), one: text({ default: '1' }) },
        v2: { both: text(), two: text({ default: '2' }) },
      },
    });
    const made = await make(group, 'a in v1', { both: 'x' });
    // What the storage version does not know is not stored.
    expect(made).toMatchObject({ apiVersion: `${group}/v1`, spec: { both: 'x' } });
    expect(made.spec).toEqual({ both: 'x' });
    expect((await api.call('GET', `${path(group, 'v2')}/a`)).json.spec).toEqual({
      both: 'x',
      two: '2',
    });
  });

  it('are stored in the new storage version as they are written, while watches and lists go on', async () => {
    const group = 'moved.example.com';
    const fields = { a: text() };
    const first: Definition = { group, storage: 'v1', versions: { v1: fields, v2: fields } };
    await define(first);
    const { metadata } = await make(group, 'old', { a: '1' });
    await redefine({ ...first, storage: 'v2' });
    const url = `${CRDS}/tabs.${group}`;
    expect((await api.call('GET', url)).json.status).toMatchObject({
      storedVersions: ['v1', 'v2'],
    });
    const dropped = await api.call('PATCH', url, {
      body: {
        spec: { versions: body({ group, storage: 'v2', versions: { v2: fields } }).spec.versions },
      },
      type: MERGE,
    });
    expect(dropped.json).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(dropped.json.message).toMatch(
      /status\.storedVersions\[0\]: Invalid value: "v1": missing from spec\.versions; v1 was previously a storage version/,
    );
    const watching = await api.watch(`${path(group)}?resourceVersion=${metadata.resourceVersion}`);
    await make(group, 'new in v2', { a: '2' });
    const event = await watching.next();
    expect(event).toMatchObject({
      type: 'ADDED',
      object: { apiVersion: `${group}/v1`, spec: { a: '2' } },
    });
    watching.stop();
    const listed = async (version: string) =>
      (await api.call('GET', path(group, version))).json.items.map(({ apiVersion }) => apiVersion);
    for (const version of ['v1', 'v2'])
      expect(await listed(version)).toEqual([`${group}/${version}`, `${group}/${version}`]);
    const stored = async () => {
      const { items } = await api.storage.page(`/registry/${group}/`, {});
      return items.map(
        ({ bytes }) => JSON.parse(Buffer.from(bytes).toString()).apiVersion as string,
      );
    };
    expect(await stored()).toEqual([`${group}/v2`, `${group}/v1`]);
    // A write that changes nothing moves the object: so storage is migrated.
    const one = await api.call('GET', `${path(group)}/old`);
    const put = await api.call('PUT', `${path(group)}/old`, { body: one.json });
    expect(put.json).toMatchObject({ apiVersion: `${group}/v1`, metadata: { generation: 1 } });
    expect(await stored()).toEqual([`${group}/v2`, `${group}/v2`]);
  });
});

interface Table {
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

describe('The age of schemas', () => {
  it('counts a write as new only where none that began before the change can have made it', () => {
    const age = new SchemaAge(10n);
    expect([age.isCurrent(10n), age.isCurrent(11n)]).toEqual([false, true]);
    const done = age.writing(age.generation);
    age.changed(12n);
    expect(age.isCurrent(13n)).toBe(false);
    done(14n);
    expect([age.isCurrent(14n), age.isCurrent(15n)]).toEqual([false, true]);
    // A request that began under the old definition and writes only now.
    const late = age.writing(0);
    expect(age.isCurrent(16n)).toBe(false);
    late(16n);
    expect([age.isCurrent(16n), age.isCurrent(17n)]).toEqual([false, true]);
    age.writing(age.generation)(18n);
    expect(age.isCurrent(18n)).toBe(true);
  });
});
