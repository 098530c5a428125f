// Real kubectl against a cluster without a node: reading, writing and describing objects.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { KUBECTL_VERSIONS } from '../support/kubectl.ts';
import { configMap, webDeployment, webService } from './objects.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

for (const { version, binary, word } of KUBECTL_VERSIONS)
  describe(`kubectl ${version}`, () => {
    const k = () => cluster.kubectl.with({ binary });
    const ns = word;

    it('creates, changes and leaves alone what is applied', async () => {
      await k().ok(['create', 'namespace', ns]);
      const apply = (data: Record<string, string>) =>
        k().ok(['apply', '-n', ns, '-f', '-'], { input: JSON.stringify(configMap('one', data)) });
      expect(await apply({ a: '1', b: '2' })).toBe('configmap/one created\n');
      expect(await apply({ a: '1', b: '2' })).toBe('configmap/one unchanged\n');
      expect(await apply({ a: '3' })).toBe('configmap/one configured\n');
      expect((await k().json(['get', 'cm', 'one', '-n', ns])).data).toEqual({ a: '3' });
    });

    it('gets in every output format', async () => {
      await k().ok(['create', 'configmap', 'two', '-n', ns, '--from-literal=key=value']);
      const get = (output: string) => k().ok(['get', 'cm', 'two', '-n', ns, '-o', output]);
      expect(await k().ok(['get', 'cm', 'two', '-n', ns])).toMatch(
        /^NAME +DATA +AGE\ntwo +1 +\d+s\n$/,
      );
      expect(await get('wide')).toMatch(/^NAME/);
      expect(await get('name')).toBe('configmap/two\n');
      expect(await get('yaml')).toContain('  key: value\n');
      expect(JSON.parse(await get('json')).data.key).toBe('value');
      expect(await get('jsonpath={.data.key}')).toBe('value');
      expect(await get('go-template={{.data.key}}')).toBe('value');
      expect(await get('custom-columns=N:.metadata.name,K:.data.key')).toMatch(
        /^N +K\ntwo +value\n$/,
      );
    });

    it('chooses by label, by field and over all namespaces', async () => {
      const names = (...args: string[]) => k().ok(['get', 'cm', '-o', 'name', ...args]);
      await k().ok(['label', 'cm', 'two', '-n', ns, 'tier=front']);
      expect(await names('-n', ns, '-l', 'tier=front')).toBe('configmap/two\n');
      expect(await names('-n', ns, '-l', 'tier in (front,back),app!=x')).toBe('configmap/two\n');
      expect(await names('-n', ns, '--field-selector', 'metadata.name=one')).toBe(
        'configmap/one\n',
      );
      expect(await k().ok(['get', 'cm', '-A'])).toMatch(
        new RegExp(`^NAMESPACE +NAME +DATA +AGE\\n[^]*${ns} +two`),
      );
    });

    it('watches', async () => {
      const watch = k().follow(['get', 'cm', '-n', ns, '-w', '--output-watch-events']);
      await watch.says(/two/);
      await k().ok(['create', 'cm', 'seen', '-n', ns]);
      await watch.says(/ADDED +seen/);
      await k().ok(['label', 'cm', 'seen', '-n', ns, 'x=y']);
      await watch.says(/MODIFIED +seen/);
      await k().ok(['delete', 'cm', 'seen', '-n', ns]);
      await watch.says(/DELETED +seen/);
      await watch.stop();
    });

    it('patches in three ways', async () => {
      const patch = async (type: string, body: unknown) => {
        const what = ['deploy', 'patched', '-n', ns, '--type', type, '-p', JSON.stringify(body)];
        return JSON.parse(await k().ok(['patch', ...what, '-o', 'json']));
      };
      await k().ok(['apply', '-n', ns, '-f', '-'], {
        input: JSON.stringify(webDeployment('patched', 1)),
      });
      const json = await patch('json', [{ op: 'replace', path: '/spec/replicas', value: 2 }]);
      expect(json.spec.replicas).toBe(2);
      const merge = await patch('merge', { metadata: { labels: { app: null, m: '1' } } });
      expect(merge.metadata.labels).toEqual({ m: '1' });
      const containers = [{ name: 'web', env: [{ name: 'A', value: 'b' }] }];
      const strategic = await patch('strategic', { spec: { template: { spec: { containers } } } });
      expect(strategic.spec.template.spec.containers).toHaveLength(1);
      expect(strategic.spec.template.spec.containers[0]).toMatchObject({
        image: 'test/web:1',
        env: [{ name: 'A', value: 'b' }],
      });
    });

    it('labels, annotates, scales, sets an image and autoscales', async () => {
      const on = ['deploy', 'patched', '-n', ns];
      await k().ok(['label', ...on, 'a=b']);
      await k().ok(['label', ...on, 'a-']);
      await k().ok(['annotate', ...on, 'note=hello']);
      await k().ok(['scale', ...on, '--replicas=3']);
      await k().ok(['set', 'image', 'deploy/patched', 'web=test/web:2', '-n', ns]);
      await k().ok(['autoscale', ...on, '--min=1', '--max=4', '--cpu-percent=50']);
      const found = await k().json(['get', ...on]);
      expect(found.metadata.annotations.note).toBe('hello');
      expect(found.metadata.labels.a).toBeUndefined();
      expect(found.spec.replicas).toBe(3);
      expect(found.spec.template.spec.containers[0].image).toBe('test/web:2');
      expect(await k().ok(['get', 'hpa', '-n', ns])).toMatch(
        /patched +Deployment\/patched +cpu: <unknown>\/50% +1 +4/,
      );
      expect(await k().ok(['describe', 'hpa', 'patched', '-n', ns])).toMatch(/Max replicas: +4/);
    });

    it('describes a deployment and a service', async () => {
      await k().ok(['apply', '-n', ns, '-f', '-'], { input: JSON.stringify(webService('shop')) });
      expect(await k().ok(['describe', 'deploy', 'patched', '-n', ns])).toMatch(
        /Replicas: +3 desired/,
      );
      const service = await k().ok(['describe', 'svc', 'shop', '-n', ns]);
      expect(service).toMatch(/Selector: +app=shop/);
      expect(service).toMatch(/TargetPort: +8080\/TCP/);
    });

    it('edits with an editor', async () => {
      const KUBE_EDITOR = "sed -i 's/key: value/key: edited/'";
      const said = await k().ok(['edit', 'cm', 'two', '-n', ns], { env: { KUBE_EDITOR } });
      expect(said).toContain('configmap/two edited');
      expect((await k().json(['get', 'cm', 'two', '-n', ns])).data.key).toBe('edited');
    });

    it('shows what apply would change', async () => {
      const input = JSON.stringify(configMap('one', { a: '4' }));
      const { code, stdout, stderr } = await k().run(['diff', '-n', ns, '-f', '-'], { input });
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
      expect(stdout).toMatch(/^-\s+a: "3"$/m);
      expect(stdout).toMatch(/^\+\s+a: "4"$/m);
    });

    it('deletes by name, by label, and a namespace with all in it', async () => {
      await k().ok(['delete', 'cm', '-n', ns, '-l', 'tier=front', '--wait']);
      const { code, stderr } = await k().run(['get', 'cm', 'two', '-n', ns]);
      expect(code).toBe(1);
      expect(stderr).toBe('Error from server (NotFound): configmaps "two" not found\n');
      await k().ok(['delete', 'namespace', ns, '--wait']);
      expect((await k().run(['get', 'namespace', ns])).stderr).toContain('not found');
    });

    it('explains, and lists what is served', async () => {
      expect(await k().ok(['explain', 'pod.spec.containers.livenessProbe'])).toMatch(
        /FIELD: livenessProbe <Probe>/,
      );
      expect(await k().ok(['explain', 'deploy', '--recursive'])).toMatch(
        /minReadySeconds\t<integer>/,
      );
      const resources = await k().ok(['api-resources']);
      for (const kind of ['Pod', 'Deployment', 'HorizontalPodAutoscaler', 'EndpointSlice', 'Lease'])
        expect(resources).toMatch(new RegExp(`\\s${kind}\\n`));
      expect(await k().ok(['api-versions'])).toMatch(/^apps\/v1$/m);
      expect(await k().ok(['version'])).toMatch(/Server Version: v1\./);
      expect(await k().ok(['cluster-info'])).toContain(cluster.url);
      expect(await k().ok(['config', 'view', '--minify'])).toContain(cluster.url);
    });

    it('says who one is and what one may do', async () => {
      expect(await k().ok(['auth', 'whoami'])).toMatch(/Username +kubernetes-admin/);
      expect(await k().ok(['auth', 'can-i', 'delete', 'nodes'])).toBe('yes\n');
      const other = await k().run(['auth', 'can-i', 'get', 'pods', '--as', 'nobody']);
      expect(other).toMatchObject({ code: 1, stdout: 'no\n' });
    });
  });
