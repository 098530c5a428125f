// PriorityClasses at the server: those of the system, the one default, and what pods get from them.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const CLASSES = '/apis/scheduling.k8s.io/v1/priorityclasses';
const PODS = '/api/v1/namespaces/default/pods';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
  await api.call('POST', '/api/v1/namespaces/default/serviceaccounts', {
    body: { metadata: { name: 'default' } },
  });
});
afterAll(() => api.close());

const aClass = (name: string, value: number, more: object = {}) => ({
  body: { metadata: { name }, value, ...more },
});
const aPod = (name: string, spec: object = {}) => ({
  body: { metadata: { name }, spec: { containers: [{ name: 'a', image: 'a' }], ...spec } },
});

it('every cluster has the two classes of the system', async () => {
  const { items } = (await api.call('GET', CLASSES)).json;
  expect(items.map(({ metadata, ...rest }) => [metadata.name, rest['value']])).toEqual([
    ['system-cluster-critical', 2_000_000_000],
    ['system-node-critical', 2_000_001_000],
  ]);
});

it('a pod gets the number and the policy of its class', async () => {
  await api.call('POST', CLASSES, aClass('high', 1000, { preemptionPolicy: 'Never' }));
  const made = await api.call('POST', PODS, aPod('named', { priorityClassName: 'high' }));
  expect(made.json.spec).toMatchObject({ priority: 1000, preemptionPolicy: 'Never' });
  const system = { priorityClassName: 'system-node-critical' };
  const critical = await api.call('POST', PODS, aPod('critical', system));
  expect(critical.json.spec).toMatchObject({ priority: 2_000_001_000 });
});

it('a pod of no class gets none, until a class is the default', async () => {
  const before = await api.call('POST', PODS, aPod('before'));
  expect(before.json.spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
  expect(before.json.spec).not.toHaveProperty('priorityClassName');
  await api.call('POST', CLASSES, aClass('usual', 7, { globalDefault: true }));
  const after = await api.call('POST', PODS, aPod('after'));
  expect(after.json.spec).toMatchObject({ priority: 7, priorityClassName: 'usual' });
});

it('a second default is refused', async () => {
  const { status, json } = await api.call(
    'POST',
    CLASSES,
    aClass('second', 8, { globalDefault: true }),
  );
  expect([status, json.message]).toEqual([
    403,
    'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
  ]);
  const same = { body: { globalDefault: true }, type: 'application/merge-patch+json' };
  expect((await api.call('PATCH', `${CLASSES}/usual`, same)).status).toBe(200);
  expect((await api.call('PATCH', `${CLASSES}/high`, same)).status).toBe(403);
});

it.each<[string, object, RegExp]>([
  ['a class that is not there', { priorityClassName: 'x' }, /no PriorityClass with name x was/],
  [
    'another number',
    { priorityClassName: 'high', priority: 5 },
    /integer value of priority \(5\) must not be provided in pod spec; .* computed 1000 from/,
  ],
  [
    'another policy',
    { priorityClassName: 'high', preemptionPolicy: 'PreemptLowerPriority' },
    /PreemptionPolicy \(PreemptLowerPriority\) must not be provided .* computed Never from/,
  ],
])('a pod with %s is refused', async (...[, spec, message]) => {
  const { status, json } = await api.call('POST', PODS, aPod('refused', spec));
  expect([status, json.message]).toEqual([403, expect.stringMatching(message)]);
});

it('a pod keeps both when it is replaced without them', async () => {
  await api.call('POST', CLASSES, aClass('kept', 1200));
  const made = await api.call('POST', PODS, aPod('kept', { priorityClassName: 'kept' }));
  const { priority, preemptionPolicy, ...spec } = made.json.spec;
  const body = { ...made.json, spec, metadata: { ...made.json.metadata, labels: { a: 'b' } } };
  const { status, json, text } = await api.call('PUT', `${PODS}/kept`, { body });
  expect(status, text).toBe(200);
  expect(json.spec).toMatchObject({ priority, preemptionPolicy });
  expect(priority).toBe(1200);
});

it('a pod has one address, whichever of its two fields is written', async () => {
  await api.call('POST', PODS, aPod('placed'));
  const write = async (status: object) => {
    const type = 'application/merge-patch+json';
    const { json } = await api.call('PATCH', `${PODS}/placed/status`, { body: { status }, type });
    return json.status as unknown as { podIP?: string; podIPs?: object[] };
  };
  const both = { podIP: '10.1.0.9', podIPs: [{ ip: '10.1.0.9' }] };
  expect(await write(both)).toMatchObject(both);
  expect(await write({ podIP: '10.1.0.7' })).toMatchObject({
    podIP: '10.1.0.7',
    podIPs: [{ ip: '10.1.0.7' }],
  });
});
