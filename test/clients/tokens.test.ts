// kubectl and tokens of ServiceAccounts: made by `create token`, used by `--token`, seen by `auth whoami`; and the aggregated
// roles that people give to accounts.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import type { Kubectl } from '../support/kubectl.ts';

let cluster: TestCluster;
let admin: Kubectl;
/** kubectl with a kubeconfig that names the cluster, and nobody. */
let nobody: Kubectl;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
  admin = cluster.kubectl;
  const kubeconfig = join(cluster.dataDir, 'nobody.kubeconfig');
  const ca = readFileSync(join(cluster.paths.pki, 'ca.crt'), 'utf8');
  const content = { name: 'c', server: cluster.url, ca, user: 'nobody' };
  writeFileSync(kubeconfig, writeKubeconfig(content));
  nobody = admin.with({ kubeconfig });
  await admin.ok(['create', 'serviceaccount', 'robot']);
});
afterAll(() => cluster?.stop());

const tokenOf = async (...args: string[]) =>
  (await admin.ok(['create', 'token', 'robot', ...args])).trim();
const whoami = async (token: string) =>
  JSON.parse(await nobody.ok(['--token', token, 'auth', 'whoami', '-o', 'json'])).status.userInfo;
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

it('a token from `kubectl create token` makes its holder the account', async () => {
  const token = await tokenOf();
  expect(await whoami(token)).toMatchObject({
    username: 'system:serviceaccount:default:robot',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=/)] },
  });
  const { code, stderr } = await nobody.run(['--token', token, 'get', 'secrets']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('robot" cannot list')]);
  const wrong = await nobody.run(['--token', `${token}x`, 'auth', 'whoami']);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('Unauthorized')]);
});

it('a token has the life, the audience and the tie that kubectl asks for', async () => {
  const { iat, exp, aud } = claimsOf(await tokenOf('--duration=2h', '--audience=vault'));
  expect([exp - iat, aud]).toEqual([7200, ['vault']]);
  await admin.ok(['create', 'secret', 'generic', 'tie']);
  const tied = await tokenOf('--bound-object-kind=Secret', '--bound-object-name=tie');
  expect((await whoami(tied)).username).toBe('system:serviceaccount:default:robot');
  await admin.ok(['delete', 'secret', 'tie']);
  expect((await nobody.run(['--token', tied, 'auth', 'whoami'])).code).toBe(1);
  const short = await admin.run(['create', 'token', 'robot', '--duration=1m']);
  expect(short.stderr).toContain('may not specify a duration less than 10 minutes');
  const missing = await admin.run(['create', 'token', 'nobody']);
  expect(missing.stderr).toContain('serviceaccounts "nobody" not found');
});

it('a token counts after the control plane has started again', async () => {
  const token = await tokenOf();
  const before = cluster.pidOf('control-plane') ?? Number.NaN;
  process.kill(before, 'SIGKILL');
  await expect
    .poll(async () => (await nobody.run(['--token', token, 'auth', 'whoami'])).code, {
      timeout: 60_000,
    })
    .toBe(0);
  expect(cluster.pidOf('control-plane')).not.toBe(before);
  expect((await whoami(token)).username).toBe('system:serviceaccount:default:robot');
});

it('a Secret for a token is filled, counts, and ends with the account', async () => {
  await admin.ok(['create', 'serviceaccount', 'old']);
  await admin.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/service-account-token',
    metadata: { name: 'kept', annotations: { 'kubernetes.io/service-account.name': 'old' } },
  });
  const filled = ['--for=jsonpath={.data.token}', 'secret/kept'];
  await admin.wait(...filled);
  const { data } = await admin.json(['get', 'secret', 'kept']);
  const token = Buffer.from(data.token, 'base64').toString();
  expect(Buffer.from(data['ca.crt'], 'base64').toString()).toContain('BEGIN CERTIFICATE');
  expect((await whoami(token)).username).toBe('system:serviceaccount:default:old');
  expect(await admin.ok(['describe', 'secret', 'kept'])).toContain('service-account.name: old');
  await admin.ok(['delete', 'serviceaccount', 'old']);
  await admin.wait('--for=delete', 'secret/kept');
  expect((await nobody.run(['--token', token, 'auth', 'whoami'])).code).toBe(1);
});

it('an account that may edit may also what is added to view by label', async () => {
  await admin.ok([
    'create',
    'rolebinding',
    'e',
    '--clusterrole=edit',
    '--serviceaccount=default:robot',
  ]);
  const may = async (verb: string, what: string) =>
    (await nobody.run(['--token', await tokenOf(), 'auth', 'can-i', verb, what])).stdout.trim();
  expect(await may('create', 'deployments')).toBe('yes');
  expect(await may('list', 'nodes')).toBe('no');
  await admin.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name: 'quotas',
      labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' },
    },
    rules: [{ apiGroups: [''], resources: ['podtemplates'], verbs: ['list'] }],
  });
  await expect.poll(() => may('list', 'podtemplates')).toBe('yes');
});

it('the issuer’s documents are read by accounts, and not by anybody', async () => {
  const token = await tokenOf();
  const raw = ['get', '--raw', '/openid/v1/jwks'];
  const { keys } = JSON.parse(await nobody.ok(['--token', token, ...raw]));
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
  expect(keys.map((each: { kid: string }) => each.kid)).toEqual([kid]);
  expect((await nobody.run(raw)).code).toBe(1);
});
