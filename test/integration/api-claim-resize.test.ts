// Which claims may ask for more at the server: what has no volume, or a class that cannot grow, is refused, and nothing gets smaller.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims';
const CLASS = 'the storageclass that provisions the pvc must support resize';
let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
  for (const allowVolumeExpansion of [true, false])
    await api.call('POST', '/apis/storage.k8s.io/v1/storageclasses', {
      body: {
        metadata: { name: `grows-${allowVolumeExpansion}` },
        provisioner: 'example.com/disk',
        allowVolumeExpansion,
      },
    });
});
afterAll(() => api.close());

const sized = (storage: string) => ({ resources: { requests: { storage } } });
const patch = (path: string, body: object) =>
  api.call('PATCH', `${CLAIMS}/${path}`, {
    body,
    type: 'application/merge-patch+json',
  });

/** A claim of 2Gi that says that it has as much. */
async function aBoundClaim(name: string, storageClassName: string): Promise<void> {
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName, ...sized('2Gi') };
  const made = await api.call('POST', CLAIMS, { body: { metadata: { name }, spec } });
  expect(made.status).toBe(201);
  const status = { phase: 'Bound', capacity: { storage: '2Gi' } };
  expect((await patch(`${name}/status`, { status })).status).toBe(200);
}

it.each([
  ['grows where its class allows it', 'grows-true', '3Gi', 200, ''],
  ['stays where its class does not', 'grows-false', '3Gi', 403, CLASS],
  ['stays where its class is not there', 'nowhere', '3Gi', 403, CLASS],
  ['stays where it has no class', '', '3Gi', 403, CLASS],
  ['is written as large as it is', 'grows-false', '2Gi', 200, ''],
  ['gets no smaller', 'grows-true', '1Gi', 422, 'field can not be less than status.capacity'],
] as const)('a claim %s', async (...[does, storageClassName, storage, status, why]) => {
  const name = does.replaceAll(' ', '-');
  await aBoundClaim(name, storageClassName);
  const answer = await patch(name, { spec: sized(storage) });
  expect(answer.status).toBe(status);
  expect((answer.json as { message?: string }).message ?? '').toContain(why);
});
