// kubectl's commands that read: every output of get, watches, waiting, events, discovery, access, completion, proxy, dumps.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { documentsOf, KUBECTL_VERSIONS } from '../support/kubectl.ts';
import { configMap, webDeployment } from './objects.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

describe.each(KUBECTL_VERSIONS)('kubectl $version', ({ version, binary, word }) => {
  const ns = `read-${word}`;
  const k = () => cluster.kubectl.with({ binary });
  const run = (typed: string, ...more: string[]) =>
    k().run(['-n', ns, ...typed.split(' '), ...more]);
  const ok = (typed: string, ...more: string[]) => k().ok(['-n', ns, ...typed.split(' '), ...more]);
  const home = () => join(cluster.dataDir, 'home');

  beforeAll(async () => {
    await k().ok(['create', 'namespace', ns]);
    const objects = [
      configMap('a', { size: '2' }),
      configMap('b', { size: '1', more: 'x' }),
      webDeployment('web', 0),
    ];
    await k().ok(['apply', '-n', ns, '-f', '-'], { input: documentsOf(objects) });
  });

  describe('get', () => {
    const both = 'get cm a b';

    it.each([
      [`${both} -o name`, /^configmap\/a\nconfigmap\/b\n$/],
      [`${both} --no-headers`, /^a +1 +\d+s\nb +2 +\d+s\n$/],
      [
        `${both} --show-labels --show-kind -L app`,
        /^NAME +DATA +AGE +APP +LABELS\nconfigmap\/a +1 +\d+s +a +app=a\n/,
      ],
      ['get cm -l app --sort-by=.data.size', /^NAME[^\n]*\nb .*\na /],
      ['get cm -l app --sort-by={.metadata.name} -o wide', /^NAME[^\n]*\na .*\nb /],
      ['get cm -l app --chunk-size=1', /^NAME[^\n]*\na .*\nb .*\n$/],
      [
        'get cm -l app -o custom-columns=N:.metadata.name,M:.data.more',
        /^N +M\na +<none>\nb +x\n$/,
      ],
      [`${both} -o jsonpath={.items[*].data.size}`, /^2 1$/],
      ['get cm a -o jsonpath-as-json={.data}', /^\[\s+\{\s+"size": "2"\s+\}\s+\]\n$/],
      [`${both} -o go-template={{range.items}}{{.data.size}},{{end}}`, /^2,1,$/],
      ['get cm b -o yaml', /^apiVersion: v1\ndata:\n {2}more: x\n {2}size: "1"\nkind: ConfigMap\n/],
      ['get cm a --server-print=false', /^NAME +AGE\na +\d+s\n$/],
      ['get cm none --ignore-not-found', /^$/],
      ['get cm a -o yaml --show-managed-fields', /manager: kubectl-client-side-apply\n/],
      ['get cm -A -l app=a --field-selector=metadata.name=a', new RegExp(`${ns} +a +1 `)],
      ['get deployments.v1.apps/web -o name', /^deployment.apps\/web\n$/],
      ['get deploy,cm -l app -o name', /^deployment.apps\/web\nconfigmap\/a\nconfigmap\/b\n$/],
      ['get deploy web --subresource=status -o jsonpath={.kind}', /^Deployment$/],
      [
        'get deploy web --subresource=scale -o jsonpath={.kind},{.status.selector}',
        /^Scale,app=web$/,
      ],
      ['get deploy web --subresource=scale', /^NAME +DESIRED +AVAILABLE +AGE\nweb +0 +0 +\d+s\n$/],
      ['get pods', /^$/],
    ])('%s', async (typed, expected) => {
      expect(await ok(typed)).toMatch(expected);
    });

    it('prints by templates and columns kept in files, and the objects of a file', async () => {
      const file = join(home(), `${ns}.txt`);
      const from = async (text: string, typed: string) => {
        writeFileSync(file, text);
        return ok(typed.replace('FILE', file));
      };
      expect(await from('{.data.size}', 'get cm a -o jsonpath-file=FILE')).toBe('2');
      expect(await from('{{.data.size}}', 'get cm a -o go-template-file=FILE')).toBe('2');
      const columns = 'SIZE\n.data.size\n';
      expect(await from(columns, 'get cm a -o custom-columns-file=FILE')).toBe('SIZE\n2\n');
      expect(await from(documentsOf(configMap('b')), 'get -f FILE -o name')).toBe('configmap/b\n');
      rmSync(file);
    });

    it.each([
      ['get nothing', /^error: the server doesn't have a resource type "nothing"\n$/],
      ['get cm none', /^Error from server \(NotFound\): configmaps "none" not found\n$/],
      [
        'get cm --field-selector=a=b',
        /: "a" is not a known field selector: only "metadata.name", "metadata.namespace"\n$/,
      ],
      ['get pods --field-selector=a=b', /field label not supported: a\n$/],
      ['get cm -l a=b=c', /unable to parse requirement|found '=/],
      ['get cm a --resource-version=9', /unknown flag/],
    ])('%s: says what is wrong', async (typed, expected) => {
      const { code, stdout, stderr } = await run(typed);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(expected);
    });

    it('watches: from the list on, changes alone, by name, with what happened', async () => {
      const watches = {
        list: k().follow(['-n', ns, 'get', 'cm', '-l', 'w=1', '-w', '--output-watch-events']),
        only: k().follow(['-n', ns, 'get', 'cm', '--watch-only', '-o', 'name']),
        one: k().follow(['-n', ns, 'get', 'cm', 'a', '-w', '-o', 'jsonpath={.data.size};']),
      };
      await watches.one.says(/^2;/);
      await ok('patch cm a -p {"data":{"size":"3"}}');
      await watches.one.says(/^2;3;/);
      // A watch that lists nothing says nothing until there is something: what comes first depends on when it began.
      for (let turn = 0; !watches.only.text().includes('configmap/turn'); turn += 1)
        await ok(`create cm turn-${turn}`);
      await ok('create cm shown');
      await ok('label cm shown w=1');
      await watches.list.says(/ADDED +shown/);
      await ok('annotate cm shown x=y');
      await watches.list.says(/MODIFIED +shown/);
      await ok('label cm shown w-');
      await watches.list.says(/DELETED +shown/);
      await watches.only.says(/configmap\/shown\n/);
      expect(watches.only.text()).not.toContain('configmap/b\n');
      await Promise.all(Object.values(watches).map((watch) => watch.stop()));
      await ok('patch cm a -p {"data":{"size":"2"}}');
    });
  });

  it('wait: for a value, for any value, for creation, for deletion, for a condition, and in vain', async () => {
    const wait = (typed: string) => run(`wait --timeout=60s ${typed}`);
    expect((await wait('cm/a --for=jsonpath={.data.size}=2')).stdout).toBe(
      'configmap/a condition met\n',
    );
    expect((await wait('cm/a --for=jsonpath={.data.size}')).code).toBe(0);
    expect((await wait('deploy --all --for=condition=Available')).stdout).toBe(
      'deployment.apps/web condition met\n',
    );
    const made = wait('cm/late --for=create');
    await ok('create cm late --from-literal=n=1');
    expect((await made).code).toBe(0);
    const value = wait('cm/late --for=jsonpath={.data.n}=2');
    await ok('patch cm late -p {"data":{"n":"2"}}');
    expect((await value).code).toBe(0);
    const gone = wait('cm/late --for=delete');
    await ok('delete cm late');
    expect((await gone).code).toBe(0);
    // Long enough for the object to be read once: who has not even read it says something else.
    const vain = await run('wait --timeout=8s deploy/web --for=condition=Nothing');
    expect([vain.code, vain.stderr]).toEqual([
      1,
      'error: timed out waiting for the condition on deployments/web\n',
    ]);
  });

  it('events: of one object, of a type, as they come, and over all namespaces', async () => {
    const event = (name: string, type: string) => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: ns },
      involvedObject: { kind: 'ConfigMap', namespace: ns, name: 'a', apiVersion: 'v1' },
      reason: `Reason${type}`,
      message: `all is ${type}`,
      type,
      firstTimestamp: '2026-01-02T03:04:05Z',
      lastTimestamp: '2026-01-02T03:04:05Z',
      count: 3,
    });
    const send = (object: object) =>
      k().ok(['create', '-f', '-'], { input: JSON.stringify(object) });
    await send(event('first', 'Normal'));
    const line = /Normal +ReasonNormal +ConfigMap\/a +all is Normal\n/;
    expect(await ok('events --for cm/a')).toMatch(line);
    expect(await ok('events --types=Warning')).not.toMatch(line);
    expect(await ok('events -A')).toMatch(new RegExp(`${ns} +.*ReasonNormal`));
    expect(JSON.parse(await ok('events -o json')).items).toHaveLength(1);
    const watch = k().follow(['-n', ns, 'events', '--watch']);
    await watch.says(line);
    await send(event('second', 'Warning'));
    await watch.says(/Warning +ReasonWarning/);
    await watch.stop();
  });

  it('api-resources, api-versions, version and cluster-info say what is served, and where', async () => {
    expect(await ok('api-resources --api-group=apps -o name')).toBe(
      'controllerrevisions.apps\ndaemonsets.apps\ndeployments.apps\nreplicasets.apps\nstatefulsets.apps\n',
    );
    const some = await ok('api-resources --namespaced=false --verbs=create,list -o name');
    expect(some.split('\n')).toEqual(expect.arrayContaining(['namespaces', 'nodes']));
    expect(some).not.toMatch(/^(componentstatuses|pods)$/m);
    expect(await ok('api-resources --categories=all -o name')).toMatch(/^deployments.apps$/m);
    const kinds = (await ok('api-resources --sort-by=kind --no-headers'))
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/ +/).at(-1) ?? '');
    expect(kinds).toEqual(kinds.toSorted((a, b) => (a < b ? -1 : 1)));
    expect((await ok('api-versions')).trim().split('\n')).toEqual(
      expect.arrayContaining(['apps/v1', 'autoscaling/v1', 'autoscaling/v2', 'v1']),
    );
    const { clientVersion, serverVersion } = JSON.parse(await ok('version -o json'));
    expect(clientVersion.gitVersion).toMatch(new RegExp(`^v${version.replace('.', '\\.')}\\.`));
    expect(serverVersion).toMatchObject({ major: '1', minor: '36', platform: 'linux/amd64' });
    const colours = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*m`, 'g');
    expect((await ok('cluster-info')).replaceAll(colours, '')).toContain(
      `Kubernetes control plane is running at ${cluster.url}\n`,
    );
  });

  it('cluster-info dump writes what a namespace holds into files', async () => {
    const folder = join(home(), `dump-${word}`);
    await ok(`cluster-info dump --namespaces=${ns} --output-directory=${folder}`);
    expect(readdirSync(join(folder, ns))).toEqual(
      expect.arrayContaining(['deployments.json', 'events.json', 'pods.json', 'services.json']),
    );
    const { items } = JSON.parse(readFileSync(join(folder, ns, 'deployments.json'), 'utf8'));
    expect(items).toMatchObject([{ metadata: { name: 'web' } }]);
    rmSync(folder, { recursive: true });
  });

  it('auth: who one is, what one may do, and roles made as a file says', async () => {
    expect(JSON.parse(await ok('auth whoami -o json')).status.userInfo).toMatchObject({
      username: 'kubernetes-admin',
      groups: ['system:masters', 'system:authenticated'],
    });
    expect(await ok('auth can-i --list')).toMatch(/^\*\.\* +\[\] +\[\] +\[\*\]$/m);
    expect(await ok('auth can-i get pods --subresource=log -A')).toBe('yes\n');
    const nobody = await run('auth can-i get /metrics --as=nobody');
    expect([nobody.code, nobody.stdout]).toEqual([1, 'no\n']);
    const group = 'rbac.authorization.k8s.io';
    const made = (kind: string, more: object) => ({
      apiVersion: `${group}/v1`,
      kind,
      metadata: { name: 'told', namespace: ns },
      ...more,
    });
    const rule = (verb: string) => ({ apiGroups: [''], resources: ['secrets'], verbs: [verb] });
    const binding = (role: string) =>
      made('RoleBinding', {
        roleRef: { apiGroup: group, kind: 'Role', name: role },
        subjects: [{ apiGroup: group, kind: 'User', name: 'ann' }],
      });
    const reconcile = (objects: object[], ...more: string[]) =>
      k().ok(['auth', 'reconcile', '-f', '-', ...more], { input: documentsOf(objects) });
    const first = [made('Role', { rules: [rule('get')] }), binding('told')];
    expect(await reconcile(first)).toContain(`role.${group}/told reconciled\n`);
    expect(await ok('auth can-i --list --as=ann')).toMatch(/^secrets +\[\] +\[\] +\[get\]$/m);
    await reconcile([made('Role', { rules: [rule('list')] })]);
    expect(await ok('auth can-i get secrets --as=ann')).toBe('yes\n');
    const exact = ['--remove-extra-permissions', '--remove-extra-subjects'];
    await reconcile([made('Role', { rules: [rule('list')] })], ...exact);
    expect((await run('auth can-i get secrets --as=ann')).stdout).toBe('no\n');
    await reconcile([binding('other')]);
    expect(await ok('get rolebinding told -o jsonpath={.roleRef.name}')).toBe('other');
  });

  it('completes kinds, names, namespaces and what a command can act on', async () => {
    const completed = async (...args: string[]) =>
      (await k().ok(['__complete', ...args])).split('\n').slice(0, -2);
    expect(await completed('get', 'cm', '-n', ns, '')).toEqual(expect.arrayContaining(['a', 'b']));
    expect(await completed('describe', `--namespace=${ns}`, 'deploy', 'w')).toEqual(['web']);
    expect(await completed('get', 'deploy')).toEqual(['deployments.apps']);
    expect(await completed('-n', 'read-')).toContain(ns);
    expect(await completed('rollout', 'restart', '-n', ns, 'deployment/')).toEqual([
      'deployment/web',
    ]);
    expect(await completed('get', 'cm', '-n', ns, 'a', 'b')).toEqual(['b']);
  });

  it('proxy hands requests on in the name of its user, without what it is told to keep back', async () => {
    const proxy = k().follow(['proxy', '--port=0', '--reject-paths=^/apis/batch']);
    const said = await proxy.says(/Starting to serve on 127\.0\.0\.1:\d+/);
    const url = `http://${said.split(' ').at(-1)}`;
    const get = (path: string) => cluster.request({ url: url + path });
    const answer = await get(`/api/v1/namespaces/${ns}/configmaps/a`);
    expect([answer.status, JSON.parse(answer.text).data.size]).toEqual([200, '2']);
    expect((await get('/apis/batch/v1/jobs')).status).toBe(403);
    expect((await get('/version')).status).toBe(200);
    await proxy.stop();
  });
});
