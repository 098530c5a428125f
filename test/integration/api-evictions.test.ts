// Evictions at the server: budgets that let go, that refuse and why, and what an eviction leaves behind.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller, type Json } from '../support/api-caller.ts';

const NS = '/api/v1/namespaces/default';
const BUDGETS = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
  await api.call('POST', `${NS}/serviceaccounts`, { body: { metadata: { name: 'default' } } });
});
afterAll(() => api.close());

/** A pod of an app that runs, ready or not. It stays until somebody takes its finalizer. */
async function aPod(name: string, app: string, ready = true): Promise<void> {
  const metadata = { name, labels: { app }, finalizers: ['test.io/held'] };
  const spec = { containers: [{ name: 'a', image: 'a' }] };
  await api.call('POST', `${NS}/pods`, { body: { metadata, spec } });
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
  await setStatus(`${NS}/pods/${name}`, { phase: 'Running', conditions });
}

/** A budget of an app, with the status that a controller gave it. */
async function aBudget(
  name: string,
  status: object,
  { app = name, ...spec }: { app?: string; unhealthyPodEvictionPolicy?: string } = {},
): Promise<void> {
  const selector = { matchLabels: { app } };
  await api.call('POST', BUDGETS, { body: { metadata: { name }, spec: { selector, ...spec } } });
  await setStatus(`${BUDGETS}/${name}`, { observedGeneration: 1, ...status });
}

async function setStatus(path: string, status: object): Promise<void> {
  const type = 'application/merge-patch+json';
  const { status: code } = await api.call('PATCH', `${path}/status`, { body: { status }, type });
  expect(code).toBe(200);
}

const evict = (name: string, body: object = {}, query = '') =>
  api.call('POST', `${NS}/pods/${name}/eviction${query}`, { body });
const get = async (path: string): Promise<Json> => (await api.call('GET', path)).json;

it('a pod without a budget goes, and says why', async () => {
  await aPod('free', 'free');
  const { status, json } = await evict('free', { metadata: { name: 'free' } });
  expect([status, json.status]).toEqual([201, 'Success']);
  const pod = await get(`${NS}/pods/free`);
  expect(pod.metadata.deletionTimestamp).toBeDefined();
  expect(pod.status['conditions']).toContainEqual(
    expect.objectContaining({ type: 'DisruptionTarget', reason: 'EvictionByEvictionAPI' }),
  );
});

it('an eviction takes a place of the budget, and the last one is refused', async () => {
  await aPod('w1', 'web');
  await aPod('w2', 'web');
  await aBudget('web', { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 2 });
  expect((await evict('w1')).status).toBe(201);
  const { status } = await get(`${BUDGETS}/web`);
  expect(status).toMatchObject({
    disruptionsAllowed: 0,
    disruptedPods: { w1: expect.any(String) },
    conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }],
  });
  const refused = await evict('w2');
  expect(refused.json).toMatchObject({
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      causes: [
        {
          reason: 'DisruptionBudget',
          message: 'The disruption budget web needs 2 healthy pods and has 2 currently',
        },
      ],
    },
  });
  const pod = await get(`${NS}/pods/w2`);
  expect(pod.metadata.deletionTimestamp).toBeUndefined();
  expect(pod.status['conditions']).toHaveLength(1);
});

it('evictions at once never share a place', async () => {
  const names = Array.from({ length: 24 }, (_, i) => `c${i}`);
  for (const name of names) await aPod(name, 'crowd');
  await aBudget('crowd', { disruptionsAllowed: 10, currentHealthy: 24, desiredHealthy: 14 });
  const codes = await Promise.all(names.map(async (name) => (await evict(name)).status));
  expect(codes.filter((code) => code === 201)).toHaveLength(10);
  expect(codes.filter((code) => code === 429)).toHaveLength(14);
});

it('a budget that nobody has looked at asks to come again', async () => {
  await aPod('new', 'new');
  await aBudget('new', { observedGeneration: 0, disruptionsAllowed: 1 });
  const { status, headers, json } = await evict('new');
  expect([status, headers['retry-after']]).toEqual([429, '10']);
  expect(JSON.stringify(json)).toContain('is still being processed by the server.');
});

it('why a budget failed to be looked at is told', async () => {
  await aPod('odd', 'odd');
  const condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'SyncFailed',
    message: 'no scale',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  await aBudget('odd', { conditions: [condition] });
  expect(JSON.stringify((await evict('odd')).json)).toContain('because it failed sync: no scale');
});

it('two budgets of one pod are more than an eviction can keep to', async () => {
  await aPod('torn', 'torn');
  for (const name of ['one', 'two'])
    await aBudget(name, { disruptionsAllowed: 1 }, { app: 'torn' });
  const { status, json } = await evict('torn');
  expect([status, json.message]).toEqual([
    500,
    'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
  ]);
});

it.each<[string, object, { unhealthyPodEvictionPolicy?: string }, number]>([
  ['where the others suffice', { currentHealthy: 2, desiredHealthy: 2 }, {}, 201],
  ['not where they do not', { currentHealthy: 1, desiredHealthy: 2 }, {}, 429],
  [
    'always where the budget says so',
    { currentHealthy: 1, desiredHealthy: 2 },
    { unhealthyPodEvictionPolicy: 'AlwaysAllow' },
    201,
  ],
])('a pod that is not ready goes %s', async (...[what, figures, spec, code]) => {
  const app = `un${what.length}`;
  await aPod(app, app, false);
  await aBudget(app, { disruptionsAllowed: 0, ...figures }, spec);
  expect((await evict(app)).status).toBe(code);
});

it('a pod that serves nobody goes whatever its budget says', async () => {
  await aPod('over', 'over');
  await aBudget('over', { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 1 });
  await setStatus(`${NS}/pods/over`, { phase: 'Succeeded' });
  expect((await evict('over')).status).toBe(201);
});

it('a dry run takes no place and marks no pod', async () => {
  await aPod('dry', 'dry');
  await aBudget('dry', { disruptionsAllowed: 1, currentHealthy: 1, desiredHealthy: 0 });
  expect((await evict('dry', {}, '?dryRun=All')).status).toBe(201);
  expect((await evict('dry', { deleteOptions: { dryRun: ['All'] } })).status).toBe(201);
  expect((await get(`${BUDGETS}/dry`)).status['disruptionsAllowed']).toBe(1);
  expect((await get(`${NS}/pods/dry`)).status['conditions']).toHaveLength(1);
});

it('preconditions and names are held to, and then nothing is taken', async () => {
  await aPod('meant', 'meant');
  await aBudget('meant', { disruptionsAllowed: 1, currentHealthy: 1, desiredHealthy: 0 });
  const other = { preconditions: { uid: 'other' } };
  expect((await evict('meant', { deleteOptions: other })).status).toBe(409);
  expect((await evict('meant', { metadata: { name: 'other' } })).status).toBe(400);
  expect((await evict('nobody')).status).toBe(404);
  expect((await get(`${BUDGETS}/meant`)).status['disruptionsAllowed']).toBe(1);
  const { resourceVersion } = (await get(`${NS}/pods/meant`)).metadata;
  const same = { preconditions: { resourceVersion } };
  expect((await evict('meant', { deleteOptions: same })).status).toBe(201);
});
