// Forms of answers: objects, lists, Tables, metadata alone, YAML; for what is read and for what is written.
// Invariant: the form never changes what is done, and one that is none changes nothing.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ApiCaller, OpenCaller } from '../../support/api-caller.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const METADATA = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
const map = (name: string, labels = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
});

/** Holds for every way to a server, over every storage. */
export function showingContract(open: OpenCaller): void {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await open();
    for (const name of ['a', 'ab', 'b']) await api.call('POST', MAPS, { body: map(name) });
  });
  afterAll(() => api.close());

  it('a Table carries of its objects what is asked for', async () => {
    const table = async (query: string) =>
      JSON.parse((await api.call('GET', `${MAPS}?${query}`, { accept: TABLE })).text) as {
        rows: { object?: { kind: string } }[];
      };
    expect((await table('')).rows[0]?.object?.kind).toBe('PartialObjectMetadata');
    expect((await table('includeObject=Object')).rows[0]?.object?.kind).toBe('ConfigMap');
    expect((await table('includeObject=None')).rows[0]?.object ?? null).toBeNull();
  });

  it('are the same for what was written as for what is read', async () => {
    const accept = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
    const made = await api.call('POST', MAPS, { body: map('form'), accept });
    expect([made.status, made.json.kind]).toEqual([201, 'PartialObjectMetadata']);
    const type = 'application/merge-patch+json';
    const body = { metadata: { labels: { a: 'b' } } };
    const patched = await api.call('PATCH', `${MAPS}/form`, { body, type, accept });
    expect(patched.json).toMatchObject({ kind: 'PartialObjectMetadata', ...body });
    const table = await api.call('PUT', `${MAPS}/form`, { body: map('form'), accept: TABLE });
    expect(table.json.kind).toBe('Table');
    await api.call('DELETE', `${MAPS}/form`);
  });

  it('that are none change nothing', async () => {
    const accept = 'image/png';
    expect((await api.call('POST', MAPS, { body: map('none'), accept })).status).toBe(406);
    expect((await api.call('GET', `${MAPS}/none`)).status).toBe(404);
    expect((await api.call('DELETE', `${MAPS}/a`, { accept })).status).toBe(406);
    expect((await api.call('GET', `${MAPS}/a`)).status).toBe(200);
  });

  it('are refused where there is none such: 400 for a part, 406 for a version or a type', async () => {
    const status = async (accept: string, query = '') =>
      (await api.call('GET', `${MAPS}?${query}`, { accept })).status;
    expect(await status(TABLE, 'includeObject=All')).toBe(400);
    expect(await status(TABLE, 'watch=1&includeObject=All')).toBe(400);
    expect(await status(TABLE.replace('v=v1', 'v=v9'))).toBe(406);
    expect(await status('application/vnd.kubernetes.protobuf')).toBe(406);
    expect(await status(`${TABLE.replace('v=v1', 'v=v9')},application/json`)).toBe(200);
  });

  it('of a list are the same objects, the same revision and the same pages', async () => {
    const plain = (await api.call('GET', `${MAPS}?limit=2`)).json;
    expect([plain.kind, plain.apiVersion]).toEqual(['ConfigMapList', 'v1']);
    const metadata = (await api.call('GET', `${MAPS}?limit=2`, { accept: METADATA })).json;
    expect([metadata.kind, metadata.apiVersion]).toEqual([
      'PartialObjectMetadataList',
      'meta.k8s.io/v1',
    ]);
    const { accept } = { accept: TABLE };
    const table = (await api.call('GET', `${MAPS}?limit=2`, { accept })).json;
    expect([table.kind, table.apiVersion]).toEqual(['Table', 'meta.k8s.io/v1']);
    for (const shown of [metadata, table]) expect(shown.metadata).toEqual(plain.metadata);
    expect(metadata.items.map((item) => item.metadata)).toEqual(
      plain.items.map((item) => item.metadata),
    );
    const rows = table['rows'] as unknown as { cells: unknown[] }[];
    expect(rows.map(({ cells }) => cells[0])).toEqual(['a', 'ab']);
    const columns = table['columnDefinitions'] as unknown as { name: string }[];
    expect(columns.map(({ name }) => name)).toEqual(['Name', 'Data', 'Age']);
  });

  it('may be YAML, for objects, lists and refusals', async () => {
    const accept = 'application/yaml';
    for (const path of [`${MAPS}/a`, MAPS, `${MAPS}/none`]) {
      const plain = await api.call('GET', path);
      const yaml = await api.call('GET', path, { accept });
      expect(yaml.status).toBe(plain.status);
      if (plain.status !== 200) continue;
      expect(yaml.headers['content-type']).toMatch(/^application\/yaml/);
      expect(parse(yaml.text)).toEqual(plain.json);
    }
  });

  it('are the first that fits of those that are asked for', async () => {
    const kindFor = async (accept: string) => (await api.call('GET', MAPS, { accept })).json.kind;
    expect(await kindFor(`${TABLE},application/json`)).toBe('Table');
    expect(await kindFor(`application/json,${TABLE}`)).toBe('ConfigMapList');
    expect(await kindFor('image/png,*/*')).toBe('ConfigMapList');
    expect(await kindFor('application/vnd.kubernetes.protobuf,application/json')).toBe(
      'ConfigMapList',
    );
  });
}
