// CertificateSigningRequests at the server: who asks, who may approve, who may sign.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';
import { aSigningRequest } from '../support/signing-request.ts';

const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const GROUP = 'certificates.k8s.io';
const MERGE = 'application/merge-patch+json';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
  await grant('asker', [rule(['create'], 'certificatesigningrequests')]);
  const parts = ['certificatesigningrequests/approval', 'certificatesigningrequests/status'];
  await grant('reader', [rule(['patch'], ...parts)]);
  await grant('approver', [
    rule(['patch'], ...parts),
    { ...rule(['approve'], 'signers'), resourceNames: ['example.com/*'] },
  ]);
});
afterAll(() => api.close());

const rule = (verbs: string[], ...resources: string[]) => ({
  verbs,
  apiGroups: [GROUP],
  resources,
});

async function grant(name: string, rules: object[]): Promise<void> {
  await api.call('POST', `${RBAC}/clusterroles`, { body: { metadata: { name }, rules } });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
  const subjects = [{ kind: 'User', name }];
  await api.call('POST', `${RBAC}/clusterrolebindings`, {
    body: { metadata: { name }, roleRef, subjects },
  });
}

async function ask(name: string, signerName = 'example.com/sign') {
  const request = await aSigningRequest('ann');
  const spec = { request, signerName, usages: ['any'], username: 'forged', groups: ['forged'] };
  return api.call('POST', REQUESTS, { body: { metadata: { name }, spec }, as: 'asker' });
}

const write = (path: string, status: object, as?: string) =>
  api.call('PATCH', `${REQUESTS}/${path}`, {
    body: { status },
    type: MERGE,
    ...(as === undefined ? {} : { as }),
  });
const approved = { conditions: [{ type: 'Approved', status: 'True', reason: 'Test' }] };

it('a request says who made it, whatever it says itself', async () => {
  const { status, json } = await ask('one');
  expect(status).toBe(201);
  expect(json.spec).toMatchObject({ username: 'asker', groups: ['system:authenticated'] });
  expect(json.status).toEqual({});
});

it('who may act for its signer approves it, and it stays approved', async () => {
  await ask('two');
  const refused = await write('two/approval', approved, 'reader');
  expect([refused.status, refused.json.message]).toEqual([
    403,
    'certificatesigningrequests.certificates.k8s.io "two" is forbidden: user not permitted to approve requests with signerName "example.com/sign"',
  ]);
  const done = await write('two/approval', { ...approved, certificate: 'eA==' }, 'approver');
  expect(done.status).toBe(200);
  expect(done.json.status).toEqual({
    conditions: [
      expect.objectContaining({ type: 'Approved', lastTransitionTime: expect.any(String) }),
    ],
  });
  const denied = { conditions: [{ type: 'Denied', status: 'True' }] };
  expect((await write('two/approval', denied)).status).toBe(422);
});

it('who may not sign hands out no certificate', async () => {
  await ask('three');
  const failed = { conditions: [{ type: 'Failed', status: 'True' }] };
  const refused = await write('three/status', failed, 'approver');
  expect([refused.status, refused.json.message]).toEqual([
    403,
    expect.stringContaining('user not permitted to sign requests'),
  ]);
  const asAdmin = await write('three/status', {
    conditions: [...approved.conditions, ...failed.conditions],
  });
  expect(asAdmin.json.status['conditions']).toEqual([expect.objectContaining({ type: 'Failed' })]);
});

it('an update changes neither spec nor status', async () => {
  const { json } = await ask('four');
  const changed = await api.call('PUT', `${REQUESTS}/four`, {
    body: { ...json, spec: { ...(json.spec as object), usages: ['signing'] }, status: approved },
  });
  expect(changed.json.spec).toEqual(json.spec);
  expect(changed.json.status).toEqual({});
});

it('requests are chosen by their signer', async () => {
  await ask('other', 'example.com/other');
  const chosen = await api.call(
    'GET',
    `${REQUESTS}?fieldSelector=spec.signerName=example.com/other`,
  );
  expect(chosen.json.items.map(({ metadata }) => metadata.name)).toEqual(['other']);
});
