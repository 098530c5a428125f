// Real kubectl and server-side apply: managers, conflicts, force, migration from client-side apply, diff, edit.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { KUBECTL_VERSIONS } from '../support/kubectl.ts';
import { ownersOf } from '../support/applying.ts';
import { configMap, webDeployment, webService } from './objects.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

for (const { version, binary, word } of KUBECTL_VERSIONS)
  describe(`kubectl ${version}`, () => {
    const k = () => cluster.kubectl.with({ binary });
    const ns = `applied-${word}`;
    const run = (object: object, ...args: readonly string[]) =>
      k().run([...args, '-n', ns, '-f', '-'], { input: JSON.stringify(object) });
    const apply = (object: object, ...args: readonly string[]) =>
      run(object, 'apply', '--server-side', ...args);
    const json = (what: string) => k().json(['get', what, '-n', ns, '--show-managed-fields']);
    beforeAll(async () => {
      await k().ok(['create', 'namespace', ns]);
    });

    it('applies on the server, and owns what it applied', async () => {
      expect(await apply(configMap('one'))).toMatchObject({
        code: 0,
        stdout: 'configmap/one serverside-applied\n',
      });
      const before = await json('cm/one');
      expect(ownersOf(before)).toEqual({
        'kubectl Apply': {
          'f:data': { 'f:a': {} },
          'f:metadata': { 'f:labels': { 'f:app': {} } },
        },
      });
      expect((await apply(configMap('one'))).code).toBe(0);
      expect(await json('cm/one')).toEqual(before);
      await apply({ ...configMap('one'), data: { b: '2' } });
      expect((await json('cm/one')).data).toEqual({ b: '2' });
    });

    it('shows owners only where it is asked to', async () => {
      const yaml = (...args: string[]) =>
        k().ok(['get', 'cm/one', '-n', ns, '-o', 'yaml', ...args]);
      expect(await yaml()).not.toContain('managedFields');
      expect(await yaml('--show-managed-fields')).toContain('manager: kubectl\n');
    });

    it('tells whose fields it would change, and takes them when it is forced to', async () => {
      const other = ['--field-manager', 'other'];
      await apply(configMap('two', { a: '1', b: '1' }));
      const refused = await apply(configMap('two', { a: '2', b: '1' }), ...other);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain(
        'error: Apply failed with 1 conflict: conflict with "kubectl": .data.a\n' +
          'Please review the fields above',
      );
      expect((await apply(configMap('two', { a: '2', b: '2' }), ...other)).stderr).toContain(
        'error: Apply failed with 2 conflicts: conflicts with "kubectl":\n- .data.a\n- .data.b\n',
      );
      const forced = await apply(
        configMap('two', { a: '2', b: '1' }),
        ...other,
        '--force-conflicts',
      );
      expect(forced.code).toBe(0);
      expect(ownersOf(await json('cm/two'))).toMatchObject({
        'kubectl Apply': { 'f:data': { 'f:b': {} } },
        'other Apply': { 'f:data': { 'f:a': {}, 'f:b': {} } },
      });
    });

    it('says who updated a field meanwhile', async () => {
      await apply(webDeployment('web', 1));
      await k().ok(['scale', 'deployment/web', '-n', ns, '--replicas=3']);
      const refused = await apply(webDeployment('web', 1));
      expect(refused.stderr).toContain(
        'conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas',
      );
      await k().ok(['annotate', 'deployment/web', '-n', ns, 'note=mine']);
      const edit = { EDITOR: 'sed -i s/note:.mine/note:\\ edited/' };
      await k().ok(['edit', 'deployment/web', '-n', ns], { env: edit });
      const owners = ownersOf(await json('deployment/web'));
      expect(Object.keys(owners)).toEqual(
        expect.arrayContaining(['kubectl Apply', 'kubectl Update/scale', 'kubectl-edit Update']),
      );
      expect(owners['kubectl-edit Update']).toEqual({
        'f:metadata': { 'f:annotations': { 'f:note': {} } },
      });
    });

    it('moves from client-side to server-side apply and back', async () => {
      expect((await run(configMap('moved', { a: '1', b: '1' }), 'apply')).code).toBe(0);
      expect(Object.keys(ownersOf(await json('cm/moved')))).toEqual([
        'kubectl-client-side-apply Update',
      ]);
      expect(await apply(configMap('moved', { a: '2' }))).toMatchObject({ code: 0 });
      const moved = await json('cm/moved');
      expect(moved.data).toEqual({ a: '2' });
      expect(ownersOf(moved)['kubectl Apply']).toMatchObject({ 'f:data': { 'f:a': {} } });
      const last = await k().ok(['apply', 'view-last-applied', 'cm/moved', '-n', ns, '-o', 'json']);
      expect(JSON.parse(last).data).toEqual({ a: '2' });
      expect((await run(configMap('moved', { c: '3' }), 'apply')).code).toBe(0);
      expect((await json('cm/moved')).data).toEqual({ c: '3' });
    });

    it('moves what pinnace applied, without a conflict', async () => {
      const file = join(cluster.dataDir, `${ns}.json`);
      const made = configMap('ours', { a: '1' });
      writeFileSync(
        file,
        JSON.stringify({ ...made, metadata: { ...made.metadata, namespace: ns } }),
      );
      const { kubeconfig } = cluster;
      const applied = await cluster.pinnace(['apply', '-f', file, '--kubeconfig', kubeconfig]);
      rmSync(file);
      expect(applied).toMatchObject({ code: 0 });
      expect(await apply(configMap('ours', { a: '2' }))).toMatchObject({ code: 0 });
      expect((await json('cm/ours')).data).toEqual({ a: '2' });
    });

    it('shows what would change', async () => {
      await apply(configMap('seen', { a: '1' }));
      const same = await run(configMap('seen', { a: '1' }), 'diff', '--server-side');
      expect(same).toMatchObject({ code: 0, stdout: '' });
      const diff = await run(configMap('seen', { a: '2' }), 'diff', '--server-side');
      expect(diff.code).toBe(1);
      expect(diff.stdout).toMatch(/^-  a: "1"$/m);
      expect(diff.stdout).toMatch(/^\+  a: "2"$/m);
      const dry = await apply(configMap('seen', { a: '3' }), '--dry-run=server');
      expect(dry.stdout).toBe('configmap/seen serverside-applied (server dry run)\n');
      expect((await json('cm/seen')).data).toEqual({ a: '1' });
    });

    it('is told of fields that there are not', async () => {
      const refused = await apply({ ...configMap('wrong'), dada: {} });
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('.dada: field not declared in schema');
    });

    it('applies to status alone', async () => {
      await apply(webService('partial'));
      const loadBalancer = { ingress: [{ ip: '192.0.2.1' }] };
      const status = { ...webService('partial', 'NodePort'), status: { loadBalancer } };
      const manager = ['--subresource=status', '--field-manager=me'];
      expect(await apply(status, ...manager)).toMatchObject({ code: 0 });
      const partial = await json('service/partial');
      expect([partial.spec.type, partial.status]).toEqual(['ClusterIP', { loadBalancer }]);
      expect(ownersOf(partial)['me Apply/status']).toEqual({
        'f:status': { 'f:loadBalancer': { 'f:ingress': {} } },
      });
    });
  });

describe('The parts of the cluster', () => {
  it('write under the names that every cluster knows', async () => {
    const { kubectl } = cluster;
    await kubectl.apply(webDeployment('known', 1));
    await kubectl.run(['wait', '--for=create', 'rs', '-l', 'app=known', '--timeout=60s']);
    const { items } = await kubectl.json(['get', 'rs', '-l', 'app=known', '--show-managed-fields']);
    expect(Object.keys(ownersOf(items[0]))).toContain('kube-controller-manager Update');
  });
});
