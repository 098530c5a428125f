// Definitions of custom resources through the server: what follows when they change, clash, are refused, or go.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LooseObject } from '../../api/meta/object.ts';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';
import { until } from '../support/until.ts';
import {
  CRDS,
  definerIn,
  established,
  definition,
  schema,
  type Status,
  tab,
} from '../support/cron-tabs.ts';

describe.each(['memory', 'lmdb'] as const)('Custom resources over %s storage', (backend) => {
  let api: ApiCaller;
  let defined: ReturnType<typeof definerIn>;
  beforeAll(async () => {
    api = await anApiCaller({ backend });
    defined = definerIn(api);
  });
  afterAll(() => api.close());

  it('follow a change of their definition', async () => {
    const group = 'changed.example.com';
    const path = await defined(group);
    const url = `${CRDS}/crontabs.${group}`;
    const patched = await api.call('PATCH', url, {
      body: [
        {
          op: 'add',
          path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/late',
          value: { type: 'string', default: 'yes' },
        },
        { op: 'remove', path: '/spec/versions/0/subresources' },
      ],
      type: 'application/json-patch+json',
    });
    expect(patched.status, patched.text).toBe(200);
    const made = await api.call('POST', path, { body: tab(group, 'a') });
    expect(made.json.spec).toMatchObject({ late: 'yes' });
    expect((await api.call('GET', `${path}/a/scale`)).status).toBe(404);
    const kind = await api.call('PATCH', url, {
      body: { spec: { names: { kind: 'Other' }, scope: 'Cluster' } },
      type: 'application/merge-patch+json',
    });
    expect(kind.json.message).toMatch(/spec\.scope: .*immutable.*spec\.names\.kind: .*immutable/s);
  });

  it('are served with the answer to their definition, which is written once', async () => {
    const group = 'once.example.com';
    const watch = await api.watch(CRDS);
    const { json } = await api.call('POST', CRDS, { body: definition(group) });
    expect(json.status).toMatchObject({ acceptedNames: { plural: 'crontabs', kind: 'CronTab' } });
    expect((await api.call('GET', `/apis/${group}/v1/crontabs`)).status).toBe(200);
    await api.call('DELETE', `${CRDS}/crontabs.${group}`);
    const { resourceVersion } = json.metadata;
    for (let event = await watch.next(); event; event = await watch.next()) {
      if (event.object.metadata.name !== `crontabs.${group}`) continue;
      expect(event).toMatchObject({ type: 'ADDED', object: { metadata: { resourceVersion } } });
      break;
    }
    expect(await watch.take(1)).toEqual([`MODIFIED crontabs.${group}`]);
    watch.stop();
  });

  it('keep nobody from their names where the definition was refused, or only tried', async () => {
    const group = 'refused.example.com';
    const bad = definition(group, { scope: 'Nowhere' });
    expect((await api.call('POST', CRDS, { body: bad })).status).toBe(422);
    const tried = await api.call('POST', `${CRDS}?dryRun=All`, { body: definition(group) });
    expect(tried.status).toBe(201);
    const other = definition(group, {
      names: { plural: 'tabs', kind: 'Tab', shortNames: ['ct'] },
    });
    other.metadata.name = `tabs.${group}`;
    await api.call('POST', CRDS, { body: other });
    expect((await api.call('GET', `/apis/${group}/v1/tabs`)).status).toBe(200);
  });

  it('share no name with others of their group', async () => {
    const group = 'crowded.example.com';
    await defined(group);
    const second = definition(group, {
      names: { plural: 'tabs', kind: 'Tab', shortNames: ['ct'] },
    });
    second.metadata.name = `tabs.${group}`;
    await api.call('POST', CRDS, { body: second });
    const conditions = async () => {
      const { json } = await api.call('GET', `${CRDS}/tabs.${group}`);
      return (json.status as unknown as Status | undefined)?.conditions ?? [];
    };
    await until(async () => (await conditions()).length === 2);
    expect(await conditions()).toMatchObject([
      {
        type: 'NamesAccepted',
        status: 'False',
        reason: 'ShortNamesConflict',
        message: '"ct" is already in use',
      },
      { type: 'Established', status: 'False', reason: 'NotAccepted' },
    ]);
    expect((await api.call('GET', `/apis/${group}/v1/tabs`)).status).toBe(404);
    await api.call('DELETE', `${CRDS}/crontabs.${group}`);
    await established(api, `tabs.${group}`);
    expect((await api.call('GET', `/apis/${group}/v1/tabs`)).status).toBe(200);
  });

  it('that were stored under an older schema may be changed elsewhere', async () => {
    const group = 'older.example.com';
    const path = await defined(group);
    await api.call('POST', path, { body: tab(group, 'a', { replicas: 9 }) });
    const tightened = await api.call('PATCH', `${CRDS}/crontabs.${group}`, {
      body: [
        {
          op: 'replace',
          path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/replicas/maximum',
          value: 5,
        },
      ],
      type: 'application/json-patch+json',
    });
    expect(tightened.status, tightened.text).toBe(200);
    const patch = (body: object) =>
      api.call('PATCH', `${path}/a`, { body, type: 'application/merge-patch+json' });
    expect((await patch({ metadata: { labels: { a: 'b' } } })).status).toBe(200);
    expect((await patch({ spec: { image: 'nginx' } })).status).toBe(200);
    expect((await patch({ spec: { replicas: 8 } })).json).toMatchObject({ code: 422 });
    expect((await patch({ spec: { replicas: 5 } })).status).toBe(200);
  });

  it('go with a definition whose stored version nobody is served', async () => {
    const group = 'unserved.example.com';
    const version = { schema: { openAPIV3Schema: schema } };
    const versions = (served: boolean) => [
      { ...version, name: 'v1', storage: true, served },
      { ...version, name: 'v2', storage: false, served: true },
    ];
    const path = await defined(group, { versions: versions(true) });
    await api.call('POST', path, { body: tab(group, 'a') });
    const type = 'application/merge-patch+json';
    const body = { spec: { versions: versions(false) } };
    const url = `${CRDS}/crontabs.${group}`;
    expect((await api.call('PATCH', url, { body, type })).status).toBe(200);
    await until(async () => (await api.call('GET', path)).status === 404);
    await api.call('DELETE', url);
    await until(async () => (await api.call('GET', url)).status === 404);
  });

  it('of a definition that was never accepted are nobody’s: it takes nothing along', async () => {
    const group = 'rbac.authorization.k8s.io';
    const before = (await api.call('GET', `/apis/${group}/v1/clusterroles`)).json.items.length;
    const taking = definition(group, { names: { plural: 'clusterroles', kind: 'Taking' } });
    const metadata = {
      name: `clusterroles.${group}`,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, a test' },
    };
    const made = await api.call('POST', CRDS, { body: { ...taking, metadata } });
    expect(made.status, made.text).toBe(201);
    // Not even where somebody writes that it was.
    const status = {
      acceptedNames: { plural: 'clusterroles', kind: 'Taking' },
      conditions: [{ type: 'Established', status: 'True' }],
    };
    await api.call('PATCH', `${CRDS}/${metadata.name}/status`, {
      body: { status },
      type: 'application/merge-patch+json',
    });
    await api.call('DELETE', `${CRDS}/${metadata.name}`);
    await until(async () => (await api.call('GET', `${CRDS}/${metadata.name}`)).status === 404);
    const { json } = await api.call('GET', `/apis/${group}/v1/clusterroles`);
    expect(json.items.length).toBe(before);
    expect(before).toBeGreaterThan(5);
  });

  it('go with their definition, which waits for the last of them', async () => {
    const group = 'ended.example.com';
    const path = await defined(group);
    const held: LooseObject = { ...tab(group, 'held') };
    held.metadata = { name: 'held', finalizers: ['example.com/hold'] };
    await api.call('POST', path, { body: held });
    await api.call('POST', path, { body: tab(group, 'free') });
    await api.call('DELETE', `${CRDS}/crontabs.${group}`);
    await until(async () => (await api.call('GET', `${path}/free`)).status === 404);
    const crd = await api.call('GET', `${CRDS}/crontabs.${group}`);
    expect(crd.json.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io']);
    const late = await api.call('POST', path, { body: tab(group, 'late') });
    expect(late.json).toMatchObject({
      code: 405,
      message: 'create not allowed while custom resource definition is terminating',
    });
    await api.call('PATCH', `${path}/held`, {
      body: { metadata: { finalizers: null } },
      type: 'application/merge-patch+json',
    });
    await until(async () => (await api.call('GET', `${CRDS}/crontabs.${group}`)).status === 404);
    expect((await api.call('GET', path)).status).toBe(404);
    const groups = await api.call('GET', '/apis');
    expect(groups.text).not.toContain(group);
  });
});
