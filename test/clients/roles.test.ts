// Who sees what: users with certificates and service accounts, held to their roles.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

it('a user with a role in one namespace reads what the role names, there alone', async () => {
  const admin = cluster.kubectl;
  await admin.ok(['create', 'namespace', 'team']);
  await admin.ok(['create', 'configmap', 'plan', '-n', 'team', '--from-literal=a=b']);
  await admin.ok([
    'create',
    'role',
    'reader',
    '-n',
    'team',
    '--verb=get,list',
    '--resource=configmaps',
  ]);
  await admin.ok(['create', 'rolebinding', 'ann', '-n', 'team', '--role=reader', '--user=ann']);
  const ann = admin.with({ kubeconfig: await cluster.userKubeconfig('ann', ['people']) });
  expect(await ann.ok(['auth', 'whoami'])).toMatch(/ann[^]*people/);
  expect(await ann.ok(['get', 'cm', 'plan', '-n', 'team', '-o', 'name'])).toBe('configmap/plan\n');
  for (const refused of [
    ['get', 'secrets', '-n', 'team'],
    ['get', 'cm', '-n', 'default'],
    ['get', 'nodes'],
    ['delete', 'cm', 'plan', '-n', 'team'],
  ]) {
    const { code, stderr } = await ann.run(refused);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error from server \(Forbidden\): .*User "ann" cannot/);
  }
});

it('a service account, impersonated, has what its group is given', async () => {
  const admin = cluster.kubectl;
  await admin.ok(['create', 'clusterrole', 'nodes', '--verb=list', '--resource=nodes']);
  const group = '--group=system:serviceaccounts:default';
  await admin.ok(['create', 'clusterrolebinding', 'nodes', '--clusterrole=nodes', group]);
  const as = '--as=system:serviceaccount:default:robot';
  expect(
    await admin.ok(['get', 'nodes', as, '--as-group=system:serviceaccounts:default', '-o', 'name']),
  ).toBe('');
  expect((await admin.run(['get', 'pods', as])).stderr).toContain('Forbidden');
});

it('nobody gives away more than they have', async () => {
  const admin = cluster.kubectl;
  await admin.ok(['create', 'role', 'maker', '--verb=create', '--resource=roles']);
  await admin.ok(['create', 'rolebinding', 'bob', '--role=maker', '--user=bob']);
  const bob = admin.with({ kubeconfig: await cluster.userKubeconfig('bob') });
  const { code, stderr } = await bob.run([
    'create',
    'role',
    'all',
    '--verb=get',
    '--resource=secrets',
  ]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/attempting to grant RBAC permissions not currently held/);
});
