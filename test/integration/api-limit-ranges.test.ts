// LimitRanges at the server: what pods get from them, and what they refuse to pods and claims.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller, type Called } from '../support/api-caller.ts';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
});
afterAll(() => api.close());

/** A namespace with these bounds. */
async function bounded(name: string, ...limits: object[]): Promise<void> {
  await api.call('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
  const at = `/api/v1/namespaces/${name}`;
  await api.call('POST', `${at}/serviceaccounts`, { body: { metadata: { name: 'default' } } });
  const body = { metadata: { name: 'bounds' }, spec: { limits } };
  expect((await api.call('POST', `${at}/limitranges`, { body })).status).toBe(201);
}

const pod = (namespace: string, resources: object, more: object = {}): Promise<Called> => {
  const containers = [{ name: 'a', image: 'a', resources }];
  const body = { metadata: { generateName: 'p-' }, spec: { containers, ...more } };
  return api.call('POST', `/api/v1/namespaces/${namespace}/pods`, { body });
};
const claim = (namespace: string, storage: string): Promise<Called> => {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } };
  const body = { metadata: { generateName: 'c-' }, spec };
  return api.call('POST', `/api/v1/namespaces/${namespace}/persistentvolumeclaims`, { body });
};
/** What is refused, without the name that was made up. */
const refusal = ({ status, json }: Called) => [
  status,
  json.message.replace(/"[pc]-\w+"/, 'X').replace(/ is forbidden/, ''),
];

it('containers get what they do not ask for, and the pod says so', async () => {
  const item = {
    type: 'Container',
    default: { cpu: '1', memory: '1Gi' },
    defaultRequest: { cpu: '100m' },
  };
  await bounded('defaults', item);
  const init = { initContainers: [{ name: 'i', image: 'i' }] };
  const { json } = await pod('defaults', { requests: { memory: '2Mi' } }, init);
  const requests = { cpu: '100m', memory: '2Mi' };
  const limits = { cpu: '1', memory: '1Gi' };
  expect(json.spec['containers']).toMatchObject([{ resources: { requests, limits } }]);
  expect(json.metadata.annotations).toEqual({
    'kubernetes.io/limit-ranger':
      'LimitRanger plugin set: cpu, memory request for init container i; ' +
      'cpu, memory limit for init container i; cpu request for container a; ' +
      'cpu, memory limit for container a',
  });
  expect(json.status['qosClass']).toBe('Burstable');
});

it.each<[string, object, object, string]>([
  [
    'least',
    { min: { cpu: '200m' } },
    { requests: { cpu: '100m' }, limits: { cpu: '1' } },
    'minimum cpu usage per Pod is 200m, but request is 100m',
  ],
  [
    'none',
    { min: { cpu: '200m' } },
    {},
    'minimum cpu usage per Pod is 200m.  No request is specified',
  ],
  [
    'most',
    { max: { memory: '1Gi' } },
    { limits: { memory: '2Gi' } },
    'maximum memory usage per Pod is 1Gi, but limit is 2Gi',
  ],
  [
    'open',
    { max: { memory: '1Gi' } },
    {},
    'maximum memory usage per Pod is 1Gi.  No limit is specified',
  ],
  [
    'ratio',
    { maxLimitRequestRatio: { cpu: '2' } },
    { requests: { cpu: '1' }, limits: { cpu: '3' } },
    'cpu max limit to request ratio per Pod is 2, but provided ratio is 3.000000',
  ],
])('a pod beyond its bounds is refused: %s', async (...[name, bounds, resources, why]) => {
  await bounded(`pod-${name}`, { type: 'Pod', ...bounds });
  expect(refusal(await pod(`pod-${name}`, resources))).toEqual([403, `pods X: ${why}`]);
});

it('all that is beyond is told at once', async () => {
  await bounded('several', { type: 'Container', max: { cpu: '1', memory: '1Gi' } });
  const beyond = await pod('several', { limits: { cpu: '2', memory: '2Gi' } });
  expect(refusal(beyond)).toEqual([
    403,
    'pods X: [maximum cpu usage per Container is 1, but limit is 2, ' +
      'maximum memory usage per Container is 1Gi, but limit is 2Gi]',
  ]);
  expect((await pod('several', { limits: { cpu: '1' } })).status).toBe(201);
});

it('claims keep to their bounds when they are made', async () => {
  await bounded('claims', {
    type: 'PersistentVolumeClaim',
    min: { storage: '1Gi' },
    max: { storage: '5Gi' },
  });
  expect((await claim('claims', '2Gi')).status).toBe(201);
  expect(refusal(await claim('claims', '1Mi'))).toEqual([
    403,
    'persistentvolumeclaims X: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi',
  ]);
  expect(refusal(await claim('claims', '9Gi'))).toEqual([
    403,
    'persistentvolumeclaims X: maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 9Gi',
  ]);
});
