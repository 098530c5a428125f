// Kinds of workloads at the server: status apart from spec, generation, scale, what a delete leaves, the parts' health.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller, type Json } from '../support/api-caller.ts';

let api: ApiCaller;
beforeAll(async () => {
  const components = [
    { name: 'scheduler', healthy: () => true },
    { name: 'controller-manager', healthy: () => Promise.reject(new Error('no answer')) },
  ];
  api = await anApiCaller({ components });
});
afterAll(() => api.close());

const MERGE = 'application/merge-patch+json';
const template = {
  metadata: { labels: { app: 'a' } },
  spec: { containers: [{ name: 'a', image: 'a' }] },
};
const ending = { ...template, spec: { ...template.spec, restartPolicy: 'Never' } };
const selector = { matchLabels: { app: 'a' } };
const path = (group: string, plural: string) =>
  `${group === '' ? '/api/v1' : `/apis/${group}/v1`}/namespaces/default/${plural}`;
const make = async (group: string, plural: string, body: object): Promise<Json> => {
  const { status, json } = await api.call('POST', path(group, plural), { body });
  expect(json.message).toBeUndefined();
  expect(status).toBe(201);
  return json;
};

const WORKLOADS: [string, string, object, object, object][] = [
  ['apps', 'statefulsets', { selector, template }, { replicas: 2 }, { replicas: 1 }],
  [
    'apps',
    'daemonsets',
    { selector, template },
    { minReadySeconds: 2 },
    { numberReady: 1, currentNumberScheduled: 1, numberMisscheduled: 0, desiredNumberScheduled: 1 },
  ],
  ['', 'replicationcontrollers', { template }, { replicas: 2 }, { replicas: 1 }],
  ['batch', 'jobs', { template: ending }, { parallelism: 2 }, { active: 1 }],
  [
    'batch',
    'cronjobs',
    { schedule: '@daily', jobTemplate: { spec: { template: ending } } },
    { suspend: true },
    { lastScheduleTime: '2026-01-01T00:00:00Z' },
  ],
  ['policy', 'poddisruptionbudgets', { selector }, { minAvailable: 2 }, { expectedPods: 3 }],
];

it.each(WORKLOADS)(
  '%s %s keep status apart from spec, and count changes of spec',
  async (...[group, plural, spec, change, status]) => {
    const made = await make(group, plural, { metadata: { name: 'one' }, spec, status });
    expect(made.metadata.generation).toBe(1);
    expect(made.status).not.toMatchObject(status);
    const at = `${path(group, plural)}/one`;
    const spoken = await api.call('PATCH', at, { body: { status, spec: change }, type: MERGE });
    expect(spoken.json.metadata.generation).toBe(2);
    expect(spoken.json.status).not.toMatchObject(status);
    const written = await api.call('PATCH', `${at}/status`, {
      body: { status, spec },
      type: MERGE,
    });
    expect(written.json).toMatchObject({ metadata: { generation: 2 }, spec: change, status });
  },
);

it.each([
  ['apps', 'statefulsets'],
  ['', 'replicationcontrollers'],
])('%s %s can be scaled', async (group, plural) => {
  const at = `${path(group, plural)}/one/scale`;
  expect((await api.call('GET', at)).json).toMatchObject({
    kind: 'Scale',
    spec: { replicas: 2 },
    status: { selector: 'app=a' },
  });
  const put = await api.call('PUT', at, {
    body: { metadata: { name: 'one' }, spec: { replicas: 5 } },
  });
  expect(put.json.spec).toEqual({ replicas: 5 });
  expect((await api.call('GET', `${path(group, plural)}/one`)).json.spec['replicas']).toBe(5);
});

it('a job selects its pods by its uid', async () => {
  const { metadata, spec } = await make('batch', 'jobs', {
    metadata: { generateName: 'gen-' },
    spec: { template: ending },
  });
  expect(spec['selector']).toEqual({
    matchLabels: { 'batch.kubernetes.io/controller-uid': metadata.uid },
  });
  expect(spec['template']).toMatchObject({ metadata: { labels: { 'job-name': metadata.name } } });
});

it('a deleted job leaves its pods with a word of warning, unless told otherwise', async () => {
  for (const name of ['left', 'kept', 'swept', 'said'])
    await make('batch', 'jobs', { metadata: { name }, spec: { template: ending } });
  const jobs = path('batch', 'jobs');
  const left = await api.call('DELETE', `${jobs}/left`);
  expect(String(left.headers['warning'])).toContain('child pods are preserved by default');
  expect(left.json.metadata.finalizers).toEqual(['orphan']);
  const swept = await api.call('DELETE', `${jobs}/swept?propagationPolicy=Background`);
  expect(swept.headers['warning']).toBeUndefined();
  expect((await api.call('GET', `${jobs}/swept`)).status).toBe(404);
  const said = await api.call('DELETE', `${jobs}/said`, { body: { orphanDependents: false } });
  expect(said.json.status).toBe('Success');
  await make('', 'replicationcontrollers', { metadata: { name: 'rc' }, spec: { template } });
  const controller = await api.call('DELETE', `${path('', 'replicationcontrollers')}/rc`);
  expect(controller.json.metadata.finalizers).toEqual(['orphan']);
  expect(controller.headers['warning']).toBeUndefined();
});

it('the parts of the control plane say how they are', async () => {
  const { json, headers } = await api.call('GET', '/api/v1/componentstatuses');
  expect(String(headers['warning'])).toContain('v1 ComponentStatus is deprecated in v1.19+');
  expect(json['kind']).toBe('ComponentStatusList');
  expect(json.items.map(({ metadata, ...rest }) => [metadata.name, rest['conditions']])).toEqual([
    ['scheduler', [{ type: 'Healthy', status: 'True', message: 'ok' }]],
    ['controller-manager', [{ type: 'Healthy', status: 'False', message: 'no answer' }]],
    ['etcd-0', [{ type: 'Healthy', status: 'True', message: 'ok' }]],
  ]);
  const one = await api.call('GET', '/api/v1/componentstatuses/etcd-0');
  expect(one.json).toMatchObject({ kind: 'ComponentStatus', metadata: { name: 'etcd-0' } });
  expect((await api.call('GET', '/api/v1/componentstatuses/none')).status).toBe(404);
  expect((await api.call('POST', '/api/v1/componentstatuses', { body: {} })).status).toBe(405);
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const table = await api.call(
    'GET',
    '/api/v1/componentstatuses?fieldSelector=metadata.name=scheduler',
    { accept },
  );
  expect(table.json).toMatchObject({
    kind: 'Table',
    rows: [{ cells: ['scheduler', 'Healthy', 'ok', ''] }],
  });
});
