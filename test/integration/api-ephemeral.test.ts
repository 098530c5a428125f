// pods/ephemeralcontainers at the server: what may be added, what stays, and that nothing else changes along with it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller, type Json } from '../support/api-caller.ts';

const PODS = '/api/v1/namespaces/default/pods';
const STRATEGIC = 'application/strategic-merge-patch+json';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
  const accounts = '/api/v1/namespaces/default/serviceaccounts';
  await api.call('POST', accounts, { body: { metadata: { name: 'default' } } });
});
afterAll(() => api.close());

let made = 0;
async function aPod(): Promise<string> {
  const name = `p${made++}`;
  const spec = {
    containers: [{ name: 'app', image: 'app:1' }],
    initContainers: [{ name: 'init', image: 'app:1' }],
    volumes: [{ name: 'v', emptyDir: {} }],
  };
  const { status } = await api.call('POST', PODS, { body: { metadata: { name }, spec } });
  expect(status).toBe(201);
  return `${PODS}/${name}`;
}

const add = (pod: string, container: object, query = '') =>
  api.call('PATCH', `${pod}/ephemeralcontainers${query}`, {
    body: { spec: { ephemeralContainers: [container] } },
    type: STRATEGIC,
    agent: 'kubectl-debug/1.36',
  });
const specOf = ({ spec }: Json) => spec as unknown as { ephemeralContainers?: object[] };

describe('An ephemeral container', () => {
  it('joins with its defaults, counts as a generation, and is its writer’s', async () => {
    const pod = await aPod();
    const container = { name: 'look', image: 'tools', targetContainerName: 'app', stdin: true };
    const { status, json } = await add(pod, container);
    expect(status, json.message).toBe(200);
    expect(json.metadata.generation).toBe(2);
    expect(specOf(json).ephemeralContainers).toEqual([
      {
        ...container,
        imagePullPolicy: 'Always',
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
      },
    ]);
    expect(json.metadata.managedFields).toContainEqual(
      expect.objectContaining({ manager: 'kubectl-debug', subresource: 'ephemeralcontainers' }),
    );
    expect((await api.call('GET', `${pod}/ephemeralcontainers`)).json.metadata.name).toBe(
      json.metadata.name,
    );
  });

  it('is followed by others; one that is there neither changes nor goes', async () => {
    const pod = await aPod();
    await add(pod, { name: 'a', image: 'tools:1' });
    const both = (await add(pod, { name: 'b', image: 'tools:1' })).json;
    expect(specOf(both).ephemeralContainers).toHaveLength(2);
    const changed = await add(pod, { name: 'a', image: 'tools:2' });
    expect([changed.status, changed.json.message]).toEqual([
      422,
      expect.stringContaining(
        'spec.ephemeralContainers: Forbidden: existing ephemeral containers "a" may not be changed',
      ),
    ]);
    const body = { ...both, spec: { ...both.spec, ephemeralContainers: [] } };
    const gone = await api.call('PUT', `${pod}/ephemeralcontainers`, { body });
    expect(gone.json.message).toContain('existing ephemeral containers "b" may not be removed');
  });

  it('takes no other change along, and with a dry run none at all', async () => {
    const pod = await aPod();
    const read = (await api.call('GET', pod)).json;
    const body = {
      ...read,
      metadata: { ...read.metadata, labels: { new: 'label' } },
      spec: {
        ...read.spec,
        containers: [{ name: 'app', image: 'other' }],
        ephemeralContainers: [{ name: 'look', image: 'tools:1' }],
      },
    };
    const dry = await api.call('PUT', `${pod}/ephemeralcontainers?dryRun=All`, { body });
    expect([dry.status, specOf(dry.json).ephemeralContainers?.length]).toEqual([200, 1]);
    expect(specOf((await api.call('GET', pod)).json).ephemeralContainers).toBeUndefined();
    const { json } = await api.call('PUT', `${pod}/ephemeralcontainers`, { body });
    expect(json.metadata.labels).toBeUndefined();
    expect(json.spec['containers']).toEqual(read.spec['containers']);
    expect(specOf(json).ephemeralContainers).toHaveLength(1);
    const stale = await api.call('PUT', `${pod}/ephemeralcontainers`, { body });
    expect([stale.status, stale.json.reason]).toEqual([409, 'Conflict']);
  });

  it.each([
    ['ports', { ports: [{ containerPort: 80 }] }],
    ['livenessProbe', { livenessProbe: { tcpSocket: { port: 80 } } }],
    ['lifecycle', { lifecycle: { preStop: { exec: { command: ['x'] } } } }],
    ['resources', { resources: { limits: { cpu: '1' } } }],
    ['volumeMounts[0].subPath', { volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'a' }] }],
  ])('has no %s', async (field, more) => {
    const { status, json } = await add(await aPod(), { name: 'look', image: 'tools:1', ...more });
    expect(status).toBe(422);
    expect(json.message).toContain(
      `spec.ephemeralContainers[0].${field}: Forbidden: cannot be set for an Ephemeral Container`,
    );
  });

  it.each([
    [{ name: 'app', image: 'a:1' }, 'spec.ephemeralContainers[0].name: Duplicate value: "app"'],
    [{ name: 'init', image: 'a:1' }, 'spec.ephemeralContainers[0].name: Duplicate value: "init"'],
    [
      { name: 'x', image: 'a:1', targetContainerName: 'none' },
      'spec.ephemeralContainers[0].targetContainerName: Not found: "none"',
    ],
    [{ name: 'x' }, 'spec.ephemeralContainers[0].image: Required value'],
    [{ name: 'X', image: 'a:1' }, 'spec.ephemeralContainers[0].name: Invalid value: "X"'],
    [
      { name: 'x', image: 'a:1', volumeMounts: [{ name: 'w', mountPath: '/w' }] },
      'spec.ephemeralContainers[0].volumeMounts[0].name: Not found: "w"',
    ],
  ])('%j is refused', async (container, message) => {
    const { status, json } = await add(await aPod(), container);
    expect([status, json.message]).toEqual([422, expect.stringContaining(message)]);
  });

  it('comes by no other way: neither with the pod nor by an update of it', async () => {
    const pod = await aPod();
    const ephemeralContainers = [{ name: 'look', image: 'tools:1' }];
    const update = await api.call('PATCH', pod, {
      body: { spec: { ephemeralContainers } },
      type: STRATEGIC,
    });
    expect([update.status, update.json.reason]).toEqual([422, 'Invalid']);
    const spec = { containers: [{ name: 'a', image: 'a' }], ephemeralContainers };
    const create = await api.call('POST', PODS, { body: { metadata: { name: 'early' }, spec } });
    expect(create.json.message).toContain(
      'spec.ephemeralContainers: Forbidden: cannot be set on create',
    );
  });

  it('joins no pod that is not there, whichever way it is sent', async () => {
    const none = `${PODS}/none`;
    expect((await add(none, { name: 'a', image: 'a' })).status).toBe(404);
    const config = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'none' } };
    const applied = await api.call('PATCH', `${none}/ephemeralcontainers?fieldManager=me`, {
      body: { ...config, spec: { ephemeralContainers: [{ name: 'a', image: 'a' }] } },
      type: 'application/apply-patch+yaml',
    });
    expect(applied.status).toBe(404);
  });

  it('is a right of its own', async () => {
    const { status, json } = await api.call('PATCH', `${PODS}/x/ephemeralcontainers`, {
      body: {},
      type: STRATEGIC,
      as: 'ann',
    });
    expect([status, json.message]).toEqual([
      403,
      expect.stringContaining('cannot patch resource "pods/ephemeralcontainers"'),
    ]);
  });
});
