// What is left out of objects, and what is always in them, whichever way they were written.
// Invariant: as upstream writes them: no optional list or map without anything in it, no zero that is as none, and a status of
// every kind that has one.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Method } from '../../../api/wire/exchange.ts';
import type { ApiCaller, OpenCaller } from '../../support/api-caller.ts';

const CORE = '/api/v1/namespaces/default';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const APPLY = 'application/apply-patch+yaml';
/** Zeros that are as none, and zeros that say something: upstream's types have pointers for these. */
const ZEROS = {
  stdin: false,
  tty: false,
  workingDir: '',
  ports: [{ containerPort: 80, hostPort: 0 }],
};
const KEPT_ZEROS = { securityContext: { privileged: false, runAsUser: 0 } };
const ZEROS_OF_A_POD = {
  hostNetwork: false,
  hostPID: false,
  nodeName: '',
  hostUsers: true,
  shareProcessNamespace: false,
  automountServiceAccountToken: false,
};
const containers = [
  { name: 'c', image: 'i', args: [], env: [], command: ['run'], ...ZEROS, ...KEPT_ZEROS },
];
const deployment = (name: string, annotations: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels: {}, annotations, ownerReferences: [] },
  spec: {
    replicas: 0,
    minReadySeconds: 0,
    paused: false,
    selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
    template: {
      metadata: { labels: { app: 'web' }, annotations: {} },
      spec: {
        containers,
        ...ZEROS_OF_A_POD,
        volumes: [{ name: 'v', emptyDir: { medium: '' } }],
        nodeSelector: {},
        securityContext: {},
      },
    },
  },
});

const LEFT_OUT =
  'args env nodeSelector matchExpressions ownerReferences minReadySeconds paused hostNetwork hostPID nodeName medium stdin tty workingDir hostPort'.split(
    ' ',
  );

const MADE = `${DEPLOYMENTS}/made`;
const strategic = { spec: { template: { spec: { containers } } } };
const operations = [
  { op: 'add', path: '/spec/template/spec/containers/0/args', value: [] },
  { op: 'add', path: '/metadata/annotations', value: {} },
];

type Sent = readonly [method: Method, path: string, body: unknown, type?: string];

const WRITES: readonly (readonly [name: string, sent: Sent])[] = [
  ['a create', ['POST', DEPLOYMENTS, deployment('new')]],
  ['an update', ['PUT', MADE, deployment('made')]],
  ['a JSON patch', ['PATCH', MADE, operations, 'application/json-patch+json']],
  ['a merge patch', ['PATCH', MADE, strategic, 'application/merge-patch+json']],
  ['a strategic merge', ['PATCH', MADE, strategic, 'application/strategic-merge-patch+json']],
  [
    'an apply of something new',
    ['PATCH', `${DEPLOYMENTS}/a?fieldManager=x`, deployment('a'), APPLY],
  ],
  ['an apply', ['PATCH', `${MADE}?fieldManager=x&force=1`, deployment('made'), APPLY]],
];

/** Kinds with a status that nobody has written yet: the path, the object, what it shows. */
const STATUSES: readonly (readonly [path: string, object: object, status: object])[] = [
  [DEPLOYMENTS, deployment('shown'), {}],
  [
    '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers',
    {
      metadata: { name: 'shown' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
        maxReplicas: 2,
      },
    },
    { desiredReplicas: 0 },
  ],
  [
    '/apis/networking.k8s.io/v1/servicecidrs',
    { metadata: { name: 'shown' }, spec: { cidrs: ['10.200.0.0/24'] } },
    {},
  ],
  [
    '/api/v1/nodes',
    { metadata: { name: 'shown' } },
    {
      daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
      nodeInfo: expect.objectContaining({ kubeletVersion: '', osImage: '' }) as object,
    },
  ],
];

/** Holds for every way to a server, over every storage. */
export function leavingOutContract(open: OpenCaller): void {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await open();
    await api.call('POST', DEPLOYMENTS, { body: deployment('made', { a: 'b' }) });
  });
  afterAll(() => api.close());

  it.each(WRITES)('leaves out what is empty: %s', async (_, [method, path, body, type]) => {
    const { status, json } = await api.call(method, path, { body, ...(type && { type }) });
    expect([status, json.message]).toEqual([
      method === 'POST' || path.includes('/a?') ? 201 : 200,
      undefined,
    ]);
    const { managedFields: owners, ...metadata } = json.metadata;
    const shown = JSON.stringify({ metadata, spec: json.spec });
    for (const field of LEFT_OUT) expect(shown).not.toContain(`"${field}"`);
    expect(metadata).not.toHaveProperty('labels');
    const pod = (json.spec['template'] as { spec: { volumes: object[] } } | undefined)?.spec;
    // Parts that are objects of their own say something by being there.
    expect(pod).toMatchObject({ securityContext: {}, volumes: [{ name: 'v', emptyDir: {} }] });
    expect(pod).toMatchObject({
      shareProcessNamespace: false,
      automountServiceAccountToken: false,
    });
    expect(json.spec).toMatchObject({
      replicas: 0,
      template: { spec: { containers: [KEPT_ZEROS] } },
    });
    // Nobody owns what is not there; who applies it does (below).
    if (type !== APPLY) expect(JSON.stringify(owners)).not.toMatch(/f:(minReady|hostNet|stdin)/);
  });

  it('takes what a zero stands for to be absent: the defaults come in its place', async () => {
    const probe = { tcpSocket: { port: 80 }, periodSeconds: 0, initialDelaySeconds: 0 };
    const spec = { containers: [{ name: 'c', image: 'i', livenessProbe: probe }], dnsPolicy: '' };
    const body = { metadata: { name: 'p' }, template: { spec } };
    const { json } = await api.call('POST', `${CORE}/podtemplates`, { body });
    const shown = (json['template'] as { spec: { containers: [{ livenessProbe: object }] } }).spec;
    expect(shown).toMatchObject({ dnsPolicy: 'ClusterFirst' });
    expect(shown.containers[0].livenessProbe).toMatchObject({ periodSeconds: 10 });
    expect(shown.containers[0].livenessProbe).not.toHaveProperty('initialDelaySeconds');
  });

  it('shows a scale to none without the number, as its type has it', async () => {
    const { json } = await api.call('GET', `${MADE}/scale`);
    expect([json.spec, json.status]).toEqual([{}, { replicas: 0, selector: 'app=web' }]);
    const again = await api.call('PUT', `${MADE}/scale`, { body: json });
    expect([again.status, again.json.spec]).toEqual([200, {}]);
  });

  it('gives who applies something empty the field all the same', async () => {
    const path = `${DEPLOYMENTS}/owned?fieldManager=x`;
    const { json } = await api.call('PATCH', path, { body: deployment('owned'), type: APPLY });
    const owned = JSON.stringify(json.metadata.managedFields?.[0]?.fieldsV1);
    expect(owned).toContain('"f:args":{}');
    expect(owned).toContain('"f:minReadySeconds":{}');
    const again = await api.call('PATCH', path, { body: deployment('owned'), type: APPLY });
    expect(again.json.metadata.resourceVersion).toBe(json.metadata.resourceVersion);
  });

  it('keeps what is empty where the field must be there, or is always written', async () => {
    const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles';
    const role = await api.call('POST', roles, { body: { metadata: { name: 'r' }, rules: [] } });
    expect(role.json['rules']).toEqual([]);
    const body = { metadata: { name: 'l' }, spec: { limits: [] } };
    const range = await api.call('POST', `${CORE}/limitranges`, { body });
    expect(range.json.spec).toEqual({ limits: [] });
  });

  it.each(STATUSES)(
    'shows a status that is still to be written: %s',
    async (path, body, status) => {
      const made = await api.call('POST', path, { body });
      expect([made.status, made.json.message, made.json.status]).toEqual([201, undefined, status]);
    },
  );

  it('takes the status that a node is made with', async () => {
    const status = { capacity: { cpu: '4' } };
    const body = { metadata: { name: 'told' }, status };
    const { json } = await api.call('POST', '/api/v1/nodes', { body });
    expect(json.status).toMatchObject({ ...status, allocatable: { cpu: '4' } });
  });
}
