// The default StorageClass at the server: which claims get it, and which class it is.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
});
afterAll(() => api.close());

const aClass = (name: string, mark = 'storageclass.kubernetes.io/is-default-class') =>
  api.call('POST', '/apis/storage.k8s.io/v1/storageclasses', {
    body: { metadata: { name, annotations: { [mark]: 'true' } }, provisioner: 'example.com/disk' },
  });
async function classOf(spec: object = {}, annotations: object = {}): Promise<unknown> {
  const resources = { requests: { storage: '1Gi' } };
  const body = {
    metadata: { generateName: 'c-', annotations },
    spec: { accessModes: ['ReadWriteOnce'], resources, ...spec },
  };
  const claims = '/api/v1/namespaces/default/persistentvolumeclaims';
  const { status, json } = await api.call('POST', claims, { body });
  expect(status).toBe(201);
  return json.spec['storageClassName'];
}

it('a claim gets the default class, unless it names one, or none', async () => {
  expect(await classOf()).toBeUndefined();
  await aClass('usual', 'storageclass.beta.kubernetes.io/is-default-class');
  expect(await classOf()).toBe('usual');
  expect(await classOf({ storageClassName: 'fast' })).toBe('fast');
  expect(await classOf({ storageClassName: '' })).toBe('');
  const old = { 'volume.beta.kubernetes.io/storage-class': 'fast' };
  expect(await classOf({}, old)).toBeUndefined();
});

it('of two defaults the newest counts, of equally new ones the first by name', async () => {
  await aClass('a-usual');
  const made = await api.call('GET', '/apis/storage.k8s.io/v1/storageclasses');
  const times = made.json.items.map(({ metadata }) => metadata.creationTimestamp);
  const [first, second] = times;
  expect(await classOf()).toBe((first ?? '') >= (second ?? '') ? 'a-usual' : 'usual');
});
