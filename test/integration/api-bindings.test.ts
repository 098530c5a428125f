// Bindings by both ways, pods/NAME/binding and the collection: what they do, and when they are refused.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const NS = '/api/v1/namespaces/default';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
  await api.call('POST', `${NS}/serviceaccounts`, { body: { metadata: { name: 'default' } } });
});
afterAll(() => api.close());

let made = 0;
async function aPod(more: object = {}, metadata: object = {}): Promise<string> {
  const name = `p${made++}`;
  const spec = { containers: [{ name: 'a', image: 'a' }], ...more };
  const body = { metadata: { name, ...metadata }, spec };
  expect((await api.call('POST', `${NS}/pods`, { body })).status).toBe(201);
  return name;
}
const get = async (name: string) => (await api.call('GET', `${NS}/pods/${name}`)).json;

/** How a Binding of a pod is posted. */
const WAYS: readonly [string, (pod: string) => string][] = [
  ['pods/NAME/binding', (pod) => `${NS}/pods/${pod}/binding`],
  ['bindings', () => `${NS}/bindings`],
];

describe.each(WAYS)('a Binding by %s', (_way, pathOf) => {
  const bind = (pod: string, more: object = {}, query = '') => {
    const target = { kind: 'Node', name: 'n1' };
    const body = { metadata: { name: pod }, target, ...more };
    return api.call('POST', pathOf(pod) + query, { body });
  };
  const refused = async (pod: string, more: object = {}) => {
    const { status, json } = await bind(pod, more);
    return [status, json.reason, json.message];
  };

  it('gives the pod its node, and its annotations along', async () => {
    const pod = await aPod({}, { annotations: { old: '1' } });
    const { status, json } = await bind(pod, {
      metadata: { name: pod, annotations: { new: '2' } },
    });
    expect([status, json.kind, json.status]).toEqual([201, 'Status', 'Success']);
    const { metadata, spec, status: now } = await get(pod);
    expect(spec['nodeName']).toBe('n1');
    expect(metadata.annotations).toEqual({ old: '1', new: '2' });
    expect(now['conditions']).toContainEqual(
      expect.objectContaining({ type: 'PodScheduled', status: 'True' }),
    );
  });

  it('binds once', async () => {
    const pod = await aPod();
    await bind(pod);
    const why = `pod ${pod} is already assigned to node "n1"`;
    expect(await refused(pod)).toEqual([
      409,
      'Conflict',
      `Operation cannot be fulfilled on pods/binding "${pod}": ${why}`,
    ]);
  });

  it('binds the pod that is meant, in the state that is meant', async () => {
    const pod = await aPod();
    const { uid, resourceVersion } = (await get(pod)).metadata;
    expect((await refused(pod, { metadata: { name: pod, uid: 'other' } }))[2]).toContain(
      `Precondition failed: UID in precondition: other, UID in object meta: ${uid}`,
    );
    expect((await refused(pod, { metadata: { name: pod, resourceVersion: '1' } }))[0]).toBe(409);
    const metadata = { name: pod, uid, resourceVersion };
    expect((await bind(pod, { metadata })).status).toBe(201);
  });

  it('binds no pod that is being deleted, is gated, or is not there', async () => {
    const leaving = await aPod({}, { finalizers: ['test.io/held'] });
    await api.call('DELETE', `${NS}/pods/${leaving}`);
    expect((await refused(leaving))[2]).toContain(
      `pod ${leaving} is being deleted, cannot be assigned to a host`,
    );
    const gated = await aPod({ schedulingGates: [{ name: 'test.io/wait' }] });
    expect((await refused(gated))[2]).toContain('has non-empty .spec.schedulingGates');
    expect(await refused('none')).toEqual([404, 'NotFound', 'pods "none" not found']);
  });

  it('binds to nodes only', async () => {
    const pod = await aPod();
    expect((await refused(pod, { target: { kind: 'Pod', name: 'n1' } }))[2]).toContain(
      'target.kind: Unsupported value: "Pod"',
    );
    expect((await refused(pod, { target: {} }))[2]).toContain('the node to bind to is required');
    expect((await refused(pod, { target: { name: '-' } }))[0]).toBe(400);
    expect((await get(pod)).spec['nodeName']).toBeUndefined();
  });

  it('does nothing in a dry run', async () => {
    const pod = await aPod();
    expect((await bind(pod, {}, '?dryRun=All')).status).toBe(201);
    expect((await get(pod)).spec['nodeName']).toBeUndefined();
  });

  it('is for its own namespace', async () => {
    const pod = await aPod();
    const metadata = { name: pod, namespace: 'other' };
    expect(await refused(pod, { metadata })).toEqual([
      400,
      'BadRequest',
      'the namespace of the provided object does not match the namespace sent on the request',
    ]);
  });

  it('refuses fields that it has not, if asked to', async () => {
    const pod = await aPod();
    const { status, json } = await bind(pod, { node: 'n1' }, '?fieldValidation=Strict');
    expect([status, json.message]).toEqual([400, expect.stringContaining('unknown field "node"')]);
  });
});

describe('the collection', () => {
  it('needs the name of a pod, and can neither be listed nor read', async () => {
    const target = { kind: 'Node', name: 'n1' };
    const { status, json } = await api.call('POST', `${NS}/bindings`, { body: { target } });
    expect([status, json.message]).toEqual([
      400,
      'metadata.name: Required value: the pod to bind is required',
    ]);
    for (const path of ['/bindings', '/bindings/a'])
      expect((await api.call('GET', NS + path)).status).toBe(405);
  });

  it('is in discovery, and a right of its own', async () => {
    const { json } = await api.call('GET', '/api/v1');
    expect((json as unknown as { resources: object[] }).resources).toContainEqual({
      name: 'bindings',
      singularName: 'binding',
      namespaced: true,
      kind: 'Binding',
      verbs: ['create'],
    });
    const denied = await api.call('POST', `${NS}/bindings`, { body: {}, as: 'ann' });
    expect(denied.json.message).toContain('cannot create resource "bindings"');
  });
});
