// What else kubectl can be told: sets of applied objects that prune themselves, users with ids and extras, drains that delete
// rather than evict, and whole requests that wait no longer than asked.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { documentsOf, KUBECTL_VERSIONS } from '../support/kubectl.ts';
import { configMap } from './objects.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

describe.each(KUBECTL_VERSIONS)('kubectl $version', ({ binary, version, word }) => {
  const ns = `further-${word}`;
  const k = () => cluster.kubectl.with({ binary });

  beforeAll(async () => {
    await k().ok(['create', 'namespace', ns]);
  });

  it('apply --applyset: what is no longer in the set goes, what another applied stays', async () => {
    const inSet = cluster.kubectl.with({ binary, env: { KUBECTL_APPLYSET: 'true' } });
    const apply = (...names: string[]) =>
      inSet.ok(['apply', '-n', ns, '--prune', '--applyset=together', '-f', '-'], {
        input: documentsOf(names.map((name) => configMap(name))),
      });
    await k().apply({ ...configMap('beside'), metadata: { name: 'beside', namespace: ns } });
    expect(await apply('one', 'two')).toMatch(/configmap\/one created\nconfigmap\/two created\n/);
    const parent = await k().json(['get', 'secret', 'together', '-n', ns]);
    expect(parent.metadata.annotations).toMatchObject({
      'applyset.kubernetes.io/contains-group-kinds': 'ConfigMap',
    });
    const id = parent.metadata.labels['applyset.kubernetes.io/id'] as string;
    const members = ['get', 'cm', '-n', ns, '-l', `applyset.kubernetes.io/part-of=${id}`];
    expect(await k().ok([...members, '-o', 'name'])).toBe('configmap/one\nconfigmap/two\n');
    expect(await apply('two')).toContain('configmap/one pruned\n');
    expect(await k().ok([...members, '-o', 'name'])).toBe('configmap/two\n');
    expect(await k().ok(['get', 'cm', 'beside', '-n', ns, '-o', 'name'])).toBe(
      'configmap/beside\n',
    );
  });

  it('acts as a user with an id, groups and extras', async () => {
    const as = ['--as=ann', '--as-uid=u-1', '--as-group=a', '--as-group=b'];
    // Older ones cannot be told of extras.
    const extra = version === '1.35' ? ['--as-user-extra=team=red'] : [];
    const { status } = JSON.parse(await k().ok(['auth', 'whoami', '-o', 'json', ...as, ...extra]));
    expect(status.userInfo).toEqual({
      username: 'ann',
      uid: 'u-1',
      groups: ['a', 'b', 'system:authenticated'],
      ...(extra.length > 0 && { extra: { team: ['red'] } }),
    });
  });

  it('drain --disable-eviction deletes pods that their budget keeps from being evicted', async () => {
    const node = `drained-${word}`;
    const labels = { app: 'kept' };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'kept', namespace: ns, labels },
      spec: { nodeName: node, containers: [{ name: 'c', image: 'none:1' }] },
    };
    await k().apply([
      { apiVersion: 'v1', kind: 'Node', metadata: { name: node } },
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'kept', namespace: ns },
        spec: { minAvailable: 1, selector: { matchLabels: labels } },
      },
      pod,
    ]);
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    const patch = ['patch', 'pod', 'kept', '-n', ns, '--subresource=status'];
    await k().ok([...patch, '-p', JSON.stringify({ status })]);
    await k().wait('pdb/kept', '-n', ns, '--for=jsonpath={.status.currentHealthy}=1');
    const drain = ['drain', node, '--force', '--grace-period=0', '--timeout=60s'];
    const kept = await k().run([...drain, '--timeout=8s']);
    expect([kept.code, kept.stderr]).toEqual([1, expect.stringContaining('disruption budget')]);
    expect(await k().ok([...drain, '--disable-eviction'])).toContain(`pod/kept deleted\n`);
    expect((await k().run(['get', 'pod', 'kept', '-n', ns])).stderr).toContain('not found');
    expect((await k().json(['get', 'node', node])).spec.unschedulable).toBe(true);
    await k().ok(['delete', 'node', node]);
  });

  it('waits no longer than --request-timeout for an answer', async () => {
    const args = ['get', '--raw', `/api/v1/namespaces/${ns}/configmaps?watch=1`];
    const { code, stderr } = await k().run([...args, '--request-timeout=1s']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/Client.Timeout|deadline exceeded/)]);
  });
});
