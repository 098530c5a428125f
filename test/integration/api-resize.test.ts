// pods/resize at the server: what may change, what keeps to quotas and ranges, and that nothing else changes along with it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller, type Json } from '../support/api-caller.ts';

const STRATEGIC = 'application/strategic-merge-patch+json';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
  await account('default');
});
afterAll(() => api.close());

const account = (namespace: string) =>
  api.call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, {
    body: { metadata: { name: 'default' } },
  });

type Amounts = Record<string, string | null>;
interface Sizes {
  readonly requests?: Amounts;
  readonly limits?: Amounts;
}
const SIZES: Sizes = {
  requests: { cpu: '100m', memory: '64Mi' },
  limits: { cpu: '200m', memory: '128Mi' },
};

let made = 0;
/** A pod with a container `app` and, unless it is alone, an init container and a sidecar. */
async function aPod(
  resources: Sizes = SIZES,
  { namespace = 'default', alone = false } = {},
): Promise<string> {
  const name = `p${made++}`;
  const spec = {
    containers: [{ name: 'app', image: 'a:1', resources }],
    initContainers: alone
      ? []
      : [
          { name: 'once', image: 'a:1', resources },
          { name: 'side', image: 'a:1', resources, restartPolicy: 'Always' },
        ],
  };
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const { status, json } = await api.call('POST', pods, { body: { metadata: { name }, spec } });
  expect(status, json.message).toBe(201);
  return `${pods}/${name}`;
}

const patch = (pod: string, spec: object, query = '') =>
  api.call('PATCH', `${pod}/resize${query}`, { body: { spec }, type: STRATEGIC });
const resize = (pod: string, resources: Sizes, query = '') =>
  patch(pod, { containers: [{ name: 'app', resources }] }, query);
const sizesOf = ({ spec }: Json) =>
  (spec as unknown as { containers: { resources: Sizes }[] }).containers[0]?.resources;

describe('A resize', () => {
  it('changes CPU and memory, counts as a generation, and is its writer’s', async () => {
    const pod = await aPod();
    const { status, json } = await resize(pod, { requests: { cpu: '150m' }, limits: { cpu: '1' } });
    expect(status, json.message).toBe(200);
    expect(sizesOf(json)).toEqual({
      requests: { cpu: '150m', memory: '64Mi' },
      limits: { cpu: '1', memory: '128Mi' },
    });
    expect(json.metadata.generation).toBe(2);
    expect(json.metadata.managedFields).toContainEqual(
      expect.objectContaining({ subresource: 'resize' }),
    );
    expect((await api.call('GET', `${pod}/resize`)).json).toEqual(
      (await api.call('GET', pod)).json,
    );
  });

  it('changes what the pod as a whole may use, where it says so from the start', async () => {
    const pods = '/api/v1/namespaces/default/pods';
    const resources = { limits: { cpu: '1', memory: '256Mi' } };
    const spec = { containers: [{ name: 'app', image: 'a:1' }], resources };
    const made = await api.call('POST', pods, { body: { metadata: { name: 'whole' }, spec } });
    expect(made.status, made.json.message).toBe(201);
    // What is not asked for is what is limited, as for containers.
    const whole = ({ spec }: Json) => (spec as unknown as { resources: Sizes }).resources;
    expect(whole(made.json).requests).toEqual({ cpu: '1', memory: '256Mi' });
    const more = { requests: { cpu: '1' }, limits: { cpu: '2', memory: '256Mi' } };
    const changed = await patch(`${pods}/whole`, { resources: more });
    expect(changed.json.message).toContain('Pod QOS Class may not change as a result of resizing');
    const both = { cpu: '2', memory: '128Mi' };
    const fits = await patch(`${pods}/whole`, { resources: { requests: both, limits: both } });
    expect(fits.status, fits.json.message).toBe(200);
    expect(whole(fits.json)).toEqual({ requests: both, limits: both });
    const lost = await patch(`${pods}/whole`, { resources: { limits: { cpu: null } } });
    expect(lost.json.message).toContain(
      'spec.resources.limits: Forbidden: resource limits cannot be removed',
    );
    const added = await patch(await aPod(), { resources });
    expect(added.json.message).toContain(
      'spec.resources: Forbidden: pod-level resources cannot be added',
    );
  });

  it('of a sidecar works, of an init container that runs once not', async () => {
    const pod = await aPod();
    const of = (name: string) =>
      patch(pod, { initContainers: [{ name, resources: { requests: { cpu: '120m' } } }] });
    expect((await of('side')).status).toBe(200);
    expect((await of('once')).json.message).toContain(
      'spec.initContainers[0].resources: Forbidden: resources for non-sidecar init containers are immutable',
    );
  });

  it('takes no other change along, and with a dry run none at all', async () => {
    const pod = await aPod();
    const read = (await api.call('GET', pod)).json;
    const body = structuredClone(read) as unknown as {
      metadata: { labels?: object };
      spec: { containers: { image: string; resources: Sizes }[] };
    };
    body.metadata.labels = { new: 'label' };
    const [container] = body.spec.containers;
    Object.assign(container ?? {}, {
      image: 'other',
      resources: { ...SIZES, limits: { cpu: '1', memory: '128Mi' } },
    });
    const dry = await api.call('PUT', `${pod}/resize?dryRun=All`, { body });
    expect(sizesOf(dry.json)?.limits?.['cpu']).toBe('1');
    expect((await api.call('GET', pod)).json).toEqual(read);
    const { json } = await api.call('PUT', `${pod}/resize`, { body });
    expect(json.metadata.labels).toBeUndefined();
    expect(json.spec['containers']).toEqual([
      expect.objectContaining({ image: 'a:1', resources: container?.resources }),
    ]);
  });

  it.each<[string, Sizes, string]>([
    [
      'a limit that is taken away',
      { limits: { memory: null } },
      'spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed',
    ],
    [
      'a request above its limit',
      { requests: { cpu: '300m' } },
      'spec.containers[0].resources.requests: Invalid value: "300m": must be less than or equal to cpu limit of 200m',
    ],
    [
      'another resource',
      { limits: { 'ephemeral-storage': '1Gi' } },
      'spec: Forbidden: only cpu and memory resources are mutable',
    ],
    [
      'another class of service',
      { requests: { cpu: '200m', memory: '128Mi' } },
      'spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing',
    ],
    [
      'an amount that is none',
      { limits: { cpu: '-1' } },
      'spec.containers[0].resources.limits[cpu]: Invalid value: "-1"',
    ],
  ])('%s is refused', async (_what, resources, message) => {
    const { status, json } = await resize(await aPod(SIZES, { alone: true }), resources);
    expect([status, json.message]).toEqual([422, expect.stringContaining(message)]);
  });

  it('of a pod that asks for nothing is refused: it would leave its class', async () => {
    const { json } = await resize(await aPod({}), { requests: { cpu: '1m' } });
    expect(json.message).toContain('Pod QOS Class may not change');
  });

  it('neither adds, removes nor renames containers, nor changes their policies', async () => {
    const pod = await aPod();
    const read = (await api.call('GET', pod)).json;
    const put = (containers: object[]) =>
      api.call('PUT', `${pod}/resize`, { body: { ...read, spec: { ...read.spec, containers } } });
    const one = (read.spec['containers'] as unknown as object[])[0] ?? {};
    expect((await put([one, { ...one, name: 'b' }])).json.message).toContain(
      'spec.containers: Forbidden: containers may not be added or removed on resize',
    );
    expect((await put([{ ...one, name: 'b' }])).json.message).toContain(
      'spec.containers: Forbidden: containers may not be renamed or reordered on resize',
    );
    const resizePolicy = [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }];
    expect((await put([{ ...one, resizePolicy }])).json.message).toContain(
      'only cpu and memory resources are mutable',
    );
  });

  it('comes by no other way than its own', async () => {
    const body = { spec: { containers: [{ name: 'app', resources: { limits: { cpu: '1' } } }] } };
    const { status } = await api.call('PATCH', await aPod(), { body, type: STRATEGIC });
    expect(status).toBe(422);
  });

  it('is a right of its own', async () => {
    const pod = await aPod();
    const asked = await api.call('PATCH', `${pod}/resize`, {
      body: {},
      type: STRATEGIC,
      as: 'ann',
    });
    expect([asked.status, asked.json.message]).toEqual([
      403,
      expect.stringContaining('cannot patch resource "pods/resize"'),
    ]);
  });
});

describe('A resize keeps to', () => {
  beforeAll(async () => {
    await api.call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'bound' } } });
    await account('bound');
  });
  const make = (plural: string, body: object) =>
    api.call('POST', `/api/v1/namespaces/bound/${plural}`, { body });

  it('the quota of its namespace, and the greatest of its ranges', async () => {
    const pod = await aPod(SIZES, { namespace: 'bound' });
    const hard = { 'requests.cpu': '400m' };
    await make('resourcequotas', { metadata: { name: 'q' }, spec: { hard } });
    const status = { hard, used: { 'requests.cpu': '200m' } };
    await api.call('PATCH', '/api/v1/namespaces/bound/resourcequotas/q/status', {
      body: { status },
      type: 'application/merge-patch+json',
    });
    const beyond = await resize(pod, { requests: { cpu: '2' }, limits: { cpu: '2' } });
    expect([beyond.status, beyond.json.message]).toEqual([
      403,
      expect.stringContaining('exceeded quota: q, requested: requests.cpu=1900m'),
    ]);
    expect((await resize(pod, { requests: { cpu: '200m' } })).status).toBe(200);
    await make('limitranges', {
      metadata: { name: 'r' },
      spec: { limits: [{ type: 'Container', max: { cpu: '500m' } }] },
    });
    const range = await resize(pod, { limits: { cpu: '900m' } });
    expect([range.status, range.json.message]).toEqual([
      403,
      expect.stringContaining('maximum cpu usage per Container is 500m, but limit is 900m'),
    ]);
  });
});

describe('A resize policy', () => {
  const create = (resizePolicy: object[], restartPolicy = 'Always') =>
    api.call('POST', '/api/v1/namespaces/default/pods', {
      body: {
        metadata: { name: `r${made++}` },
        spec: { restartPolicy, containers: [{ name: 'app', image: 'a', resizePolicy }] },
      },
    });
  const cpu = { resourceName: 'cpu', restartPolicy: 'RestartContainer' };

  it.each([
    [
      [{ ...cpu, resourceName: 'disk' }],
      'Always',
      'resizePolicy[0].resourceName: Unsupported value',
    ],
    [[{ ...cpu, restartPolicy: 'Maybe' }], 'Always', 'resizePolicy[0].restartPolicy: Unsupported'],
    [[cpu, cpu], 'Always', 'resizePolicy[1].resourceName: Duplicate value: "cpu"'],
    [[cpu], 'Never', "must be 'NotRequired' when `restartPolicy` is 'Never'"],
  ])('%j with %s is refused', async (policy, restartPolicy, message) => {
    const { status, json } = await create(policy, restartPolicy);
    expect([status, json.message]).toEqual([422, expect.stringContaining(message)]);
  });

  it('is kept as it was written', async () => {
    expect((await create([cpu])).json.spec['containers']).toEqual([
      expect.objectContaining({ resizePolicy: [cpu] }),
    ]);
  });
});
