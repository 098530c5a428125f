// kubectl's commands for workloads: scale, autoscale, every `set`, every `rollout`. Without a node: the Deployments want no pods, so that a rollout is over at once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { documentsOf, KUBECTL_VERSIONS } from '../support/kubectl.ts';
import { until } from '../support/until.ts';
import { webDeployment, webService } from './objects.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

describe.each(KUBECTL_VERSIONS)('kubectl $version', ({ version, binary, word }) => {
  const ns = `work-${word}`;
  const k = () => cluster.kubectl.with({ binary });
  const run = (typed: string) => k().run(['-n', ns, ...typed.split(' ')]);
  const ok = (typed: string) => k().ok(['-n', ns, ...typed.split(' ')]);
  const json = (typed: string) => k().json(['-n', ns, ...typed.split(' ')]);
  const apply = (...objects: readonly object[]) =>
    k().ok(['-n', ns, 'apply', '-f', '-'], { input: documentsOf(objects) });
  const rolledOut = (name: string) => ok(`rollout status ${name} --timeout=60s`);
  const containerOf = async (name: string) =>
    (await json(`get ${name}`)).spec.template.spec.containers[0];

  beforeAll(async () => {
    await k().ok(['create', 'namespace', ns]);
  });

  it('scale: to a number, only from a number or version, many at once, and what cannot be scaled', async () => {
    await apply(webDeployment('s1', 0), webDeployment('s2', 0));
    expect((await run('scale deploy s1 --replicas=3 --current-replicas=1')).stderr).toContain(
      'Expected replicas to be 1, was 0',
    );
    expect(await ok('scale deploy s1 --replicas=1 --current-replicas=0')).toBe(
      'deployment.apps/s1 scaled\n',
    );
    const old = await run('scale deploy s1 --replicas=2 --resource-version=1');
    expect(old.stderr).toMatch(/Expected resource version to be 1, was \d+/);
    expect(await ok('scale deploy/s1 deploy/s2 --replicas=0 --timeout=60s')).toBe(
      'deployment.apps/s1 scaled\ndeployment.apps/s2 scaled\n',
    );
    expect(await ok('scale --all deploy --replicas=0')).toContain('deployment.apps/s2 scaled\n');
    await ok('create cm s3');
    const none = await run('scale cm s3 --replicas=1');
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringContaining('the server could not find the requested resource'),
    ]);
    expect((await run('scale deploy s1 --replicas=-1')).stderr).toContain('--replicas');
  });

  it('autoscale makes an autoscaler by the flags of its version', async () => {
    await apply(webDeployment('auto', 0));
    const target = version === '1.32' ? '--cpu-percent=70' : '--cpu=70% --memory=100Mi';
    expect(await ok(`autoscale deploy auto --min=1 --max=4 ${target} --name=named`)).toBe(
      'horizontalpodautoscaler.autoscaling/named autoscaled\n',
    );
    const { spec } = await json('get hpa.v2.autoscaling named');
    expect(spec).toMatchObject({
      minReplicas: 1,
      maxReplicas: 4,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'auto' },
    });
    expect(spec.metrics).toContainEqual({
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
    });
    expect((await run(`autoscale deploy none --max=4 ${target}`)).stderr).toContain('NotFound');
    await ok('delete hpa named');
  });

  it('set: env, image, resources, selector, serviceaccount and subject', async () => {
    await apply(webDeployment('set', 0), webService('set'));
    await ok('create secret generic set --from-literal=key=value');
    await ok('set env deploy/set A=B C=D');
    await ok('set env deploy/set C- --containers=web');
    await ok('set env deploy/set --from=secret/set --prefix=X_');
    expect((await containerOf('deploy/set')).env).toEqual([
      { name: 'A', value: 'B' },
      {
        name: 'X_KEY',
        valueFrom: { secretKeyRef: { name: 'set', key: 'key' } },
      },
    ]);
    expect(await ok('set env deploy/set --list --resolve')).toContain('A=B\nX_KEY=value\n');
    await ok('set image deploy/set *=other:3');
    expect((await run('set image deploy/set none=x')).stderr).toBe(
      'error: unable to find container named "none"\n',
    );
    await ok('set resources deploy set --limits=cpu=200m,memory=64Mi --requests=cpu=100m');
    await ok('set serviceaccount deploy set robot');
    expect(await containerOf('deploy/set')).toMatchObject({
      image: 'other:3',
      resources: { limits: { cpu: '200m', memory: '64Mi' }, requests: { cpu: '100m' } },
    });
    expect((await json('get deploy set')).spec.template.spec).toMatchObject({
      serviceAccountName: 'robot',
      serviceAccount: 'robot',
    });
    await ok('set selector svc set a=b,c=d');
    expect((await json('get svc set')).spec.selector).toEqual({ a: 'b', c: 'd' });
    await ok('create rolebinding set --clusterrole=view --user=ann');
    await ok(`set subject rolebinding set --user=bob --group=team --serviceaccount=${ns}:robot`);
    expect(await ok('get rolebinding set -o wide')).toMatch(
      new RegExp(`ann, bob +team +${ns}/robot`),
    );
    const dry = await ok('set image deploy/set web=dry:1 --dry-run=server -o jsonpath={..image}');
    expect(dry).toBe('dry:1');
  });

  it('rollout: history, undo to a revision, pause and resume, restart, status', async () => {
    await apply(webDeployment('roll', 0));
    for (const image of ['w:1', 'w:2', 'w:3']) {
      await ok(`set image deploy/roll web=${image}`);
      expect(await rolledOut('deploy/roll')).toContain(
        'deployment "roll" successfully rolled out\n',
      );
    }
    await ok('annotate deploy/roll kubernetes.io/change-cause=third');
    const table =
      /^deployment.apps\/roll ?\nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n3 +<none>\n4 +third\n/;
    await until(async () => table.test(await ok('rollout history deploy/roll')));
    expect(await ok('rollout history deploy/roll --revision=2')).toMatch(
      /with revision #2\nPod Template:\n[^]*Image:\s+w:1\n/,
    );
    expect(await ok('rollout undo deploy/roll --to-revision=2')).toBe(
      'deployment.apps/roll rolled back\n',
    );
    expect((await containerOf('deploy/roll')).image).toBe('w:1');
    expect((await run('rollout undo deploy/roll --to-revision=77')).stderr).toBe(
      'error: unable to find specified revision 77 in history\n',
    );
    await ok('rollout pause deploy/roll');
    expect((await run('rollout pause deploy/roll')).stderr).toContain('is already paused');
    expect((await run('rollout restart deploy/roll')).stderr).toContain('run rollout resume first');
    expect((await run('rollout undo deploy/roll')).stderr).toContain('paused');
    await ok('set image deploy/roll web=w:9');
    const before = await ok('get rs -l app=roll -o name');
    await ok('rollout resume deploy/roll');
    await rolledOut('deploy/roll');
    const after = await ok('get rs -l app=roll -o name');
    expect(after.split('\n').length).toBe(before.split('\n').length + 1);
    expect(await ok('rollout restart deploy -l app=roll')).toBe('deployment.apps/roll restarted\n');
    expect(await rolledOut('deploy/roll')).toContain('successfully rolled out\n');
    const { annotations } = (await json('get deploy roll')).spec.template.metadata;
    expect(Object.keys(annotations)).toEqual(['kubectl.kubernetes.io/restartedAt']);
    expect((await run('rollout status deploy/none')).stderr).toMatch(/NotFound/);
    expect((await run('rollout history cm/kube-root-ca.crt')).stderr).toContain(
      'error retrieving history for "ConfigMap"',
    );
  });
});
