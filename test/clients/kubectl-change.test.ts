// kubectl's commands that change what is there: by field, by file, by editor; what they say, and what the server then keeps.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { documentsOf, KUBECTL_VERSIONS } from '../support/kubectl.ts';
import { configMap, webDeployment, webService } from './objects.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

describe.each(KUBECTL_VERSIONS)('kubectl $version', ({ binary, word }) => {
  const ns = `change-${word}`;
  const k = () => cluster.kubectl.with({ binary });
  /** In the namespace of this version; a space parts arguments. */
  const run = (typed: string, ...more: string[]) =>
    k().run(['-n', ns, ...typed.split(' '), ...more]);
  const ok = (typed: string, ...more: string[]) => k().ok(['-n', ns, ...typed.split(' '), ...more]);
  const json = (typed: string) => k().json([...typed.split(' '), '-n', ns]);
  const given = (typed: string, ...objects: readonly object[]) =>
    k().run([...typed.split(' '), '-n', ns, '-f', '-'], { input: documentsOf(objects) });
  /** The body is sent as it is, so it is JSON. */
  const sent = (typed: string, body: object) =>
    k().run([...typed.split(' '), '-f', '-'], { input: JSON.stringify(body) });
  const edit = (typed: string, script: string) =>
    k().run([...typed.split(' '), '-n', ns], { env: { KUBE_EDITOR: `sed -i '${script}'` } });
  const file = () => join(cluster.dataDir, 'home', `${ns}.yaml`);
  const written = (...objects: readonly object[]) => writeFileSync(file(), documentsOf(objects));

  beforeAll(async () => {
    await k().ok(['create', 'namespace', ns]);
  });
  afterEach(() => rmSync(file(), { force: true }));

  it('annotate and label: add, refuse, overwrite, remove, list, all, by label, by version', async () => {
    await given('apply', configMap('noted'), configMap('other'));
    for (const [verb, done, word_] of [
      ['annotate', 'annotated', 'annotation'],
      ['label', 'labeled', 'label'],
    ] as const) {
      expect(await ok(`${verb} cm noted k=1 l=2`)).toBe(`configmap/noted ${done}\n`);
      const refused = await run(`${verb} cm noted k=3`);
      expect(refused.code).toBe(1);
      if (verb === 'annotate') expect(refused.stderr).toContain(`declared ${word_}(s): 'k'`);
      else expect(refused.stderr).toContain("'k' already has a value (1)");
      await ok(`${verb} cm noted k=3 --overwrite`);
      const listed = (await ok(`${verb} cm noted --list`)).split('\n');
      expect(listed).toEqual(expect.arrayContaining(['k=3', 'l=2']));
      await ok(`${verb} cm noted k- l-`);
      expect(await ok(`${verb} cm -l app=other m=1`)).toBe(`configmap/other ${done}\n`);
      expect(await ok(`${verb} cm --all n=1 --dry-run=server`)).toContain(
        `configmap/noted ${done} (server dry run)\n`,
      );
      const stale = await run(`${verb} cm noted k=4 --resource-version=1`);
      expect(stale.stderr).toMatch(
        /^Error from server \(Conflict\): Operation cannot be fulfilled on configmaps "noted": the object has been modified/,
      );
    }
    const { labels, annotations } = (await json('get cm noted')).metadata;
    expect(labels).toEqual({ app: 'noted' });
    expect(Object.keys(annotations)).toEqual(['kubectl.kubernetes.io/last-applied-configuration']);
  });

  it('apply keeps, sets and edits what was last applied', async () => {
    await given('apply', configMap('kept'));
    const last = async () =>
      JSON.parse(await ok('apply view-last-applied cm kept -o json')) as { data: object };
    expect((await last()).data).toEqual({ a: '1' });
    const set = await given('apply set-last-applied', configMap('kept', { a: '2' }));
    expect(set.stdout).toBe('configmap/kept configured\n');
    expect((await last()).data).toEqual({ a: '2' });
    const edited = await edit('apply edit-last-applied cm/kept', 's/a: "2"/a: "3"/');
    expect(edited.stdout).toBe('configmap/kept edited\n');
    expect((await last()).data).toEqual({ a: '3' });
    await ok('create cm bare');
    const none = await given('apply set-last-applied', configMap('bare'));
    expect(none.stderr).toContain('no last-applied-configuration annotation found');
    const made = await given('apply set-last-applied --create-annotation', configMap('bare'));
    expect(made.stdout).toBe('configmap/bare configured\n');
  });

  it('apply --prune deletes what is no longer there, of the kinds it is told', async () => {
    const labelled = (object: ReturnType<typeof configMap>) => ({
      ...object,
      metadata: { ...object.metadata, labels: { part: 'pruned' } },
    });
    const service = { ...webService('p3'), metadata: { name: 'p3', labels: { part: 'pruned' } } };
    const all = [labelled(configMap('p1')), labelled(configMap('p2')), service];
    await given('apply', ...all);
    const [first] = all as [object];
    const prune = 'apply --prune -l part=pruned';
    const preview = await given(`${prune} --dry-run=server`, first);
    expect(preview.stdout).toContain('configmap/p2 pruned (server dry run)\n');
    const some = await given(`${prune} --prune-allowlist=core/v1/ConfigMap`, first);
    expect(some.stdout).toBe('configmap/p1 unchanged\nconfigmap/p2 pruned\n');
    expect((await given(prune, first)).stdout).toContain('service/p3 pruned\n');
    expect(await ok('get cm,svc -l part=pruned -o name')).toBe('configmap/p1\n');
  });

  it('apply and create check fields as strictly as they are told', async () => {
    const wrong = (name: string) => ({ ...configMap(name), dada: {} });
    for (const verb of ['create', 'apply']) {
      const strict = await given(`${verb} --validate=strict`, wrong(`${verb}-s`));
      expect(strict.code).toBe(1);
      expect(strict.stderr).toContain('strict decoding error: unknown field "dada"');
      const warned = await given(`${verb} --validate=warn`, wrong(`${verb}-w`));
      expect(warned).toMatchObject({
        code: 0,
        stderr: 'Warning: unknown field "dada"\n',
        stdout: `configmap/${verb}-w created\n`,
      });
      const ignored = await given(`${verb} --validate=ignore`, wrong(`${verb}-i`));
      expect(ignored).toMatchObject({ code: 0, stderr: '' });
    }
    expect((await run('get cm apply-s create-s')).stderr.match(/NotFound/g)).toHaveLength(2);
    expect(await json('get cm apply-i')).not.toHaveProperty('dada');
  });

  it('dry runs change nothing, on either side', async () => {
    await given('apply', configMap('dry'));
    const changed = configMap('dry', { a: '9' });
    for (const [flag, said] of [
      ['client', 'configmap/dry configured (dry run)\n'],
      ['server', 'configmap/dry configured (server dry run)\n'],
    ])
      expect((await given(`apply --dry-run=${flag}`, changed)).stdout).toBe(said);
    expect((await given('replace --dry-run=server', changed)).stdout).toBe(
      'configmap/dry replaced (server dry run)\n',
    );
    const patched = await run(
      'patch cm dry --dry-run=server -o jsonpath={.data}',
      '-p',
      '{"data":{"b":"1"}}',
    );
    expect(JSON.parse(patched.stdout)).toEqual({ a: '1', b: '1' });
    expect(await ok('delete cm dry --dry-run=server')).toMatch(
      /^configmap "dry" deleted.*\(server dry run\)\n$/,
    );
    expect((await json('get cm dry')).data).toEqual({ a: '1' });
  });

  it('patch: three types, subresources, files, and what cannot be applied', async () => {
    await given('apply', configMap('patched'), webDeployment('patched', 0));
    const patch = (what: string, body: unknown) =>
      run(`patch ${what}`, '-p', typeof body === 'string' ? body : JSON.stringify(body));
    expect((await patch('cm patched', { data: { a: '1' } })).stdout).toBe(
      'configmap/patched patched (no change)\n',
    );
    const scaled = await patch('deploy patched --subresource=scale --type=merge', {
      spec: { replicas: 2 },
    });
    expect(scaled.stdout).toBe('scale.autoscaling/patched patched\n');
    expect((await json('get deploy patched')).spec.replicas).toBe(2);
    const condition = { type: 'Told', status: 'True', reason: 'Test', message: 'by hand' };
    await patch('deploy patched --subresource=status --type=strategic', {
      spec: { replicas: 7 },
      status: { conditions: [condition] },
    });
    const { spec, status } = await json('get deploy patched');
    expect(spec.replicas).toBe(2);
    expect(status.conditions).toContainEqual(expect.objectContaining(condition));
    const tested = await patch('cm patched --type=json', [
      { op: 'test', path: '/data/a', value: '9' },
    ]);
    expect(tested.stderr).toMatch(/^The request is invalid: the server rejected our request/);
    expect((await patch('cm patched', { data: { a: 1 } })).code).toBe(1);
    expect((await patch('cm patched --type=merge', '[]')).stderr).toContain('BadRequest');
    written(configMap('patched'));
    expect((await run('patch', '-f', file(), '-p', '{"data":{"f":"1"}}')).stdout).toBe(
      'configmap/patched patched\n',
    );
    expect((await json('get cm patched')).data).toEqual({ a: '1', f: '1' });
    await ok('delete deploy patched');
  });

  it('replace: by file, by force, by path, and only of the version that was read', async () => {
    const before = configMap('replaced');
    expect((await given('replace', before)).stderr).toMatch(/NotFound/);
    await given('create', before);
    const read = await json('get cm replaced');
    expect((await given('replace', configMap('replaced', { b: '2' }))).stdout).toBe(
      'configmap/replaced replaced\n',
    );
    expect((await given('replace', read)).stderr).toMatch(/Conflict.*the object has been modified/);
    const { uid } = (await json('get cm replaced')).metadata;
    written(configMap('replaced', { c: '3' }));
    await ok('replace --force', '-f', file());
    const now = await json('get cm replaced');
    expect([now.metadata.uid === uid, now.data]).toEqual([false, { c: '3' }]);
    const path = `/api/v1/namespaces/${ns}/configmaps/replaced`;
    const raw = await sent(`replace --raw ${path}`, { ...now, data: { d: '4' } });
    expect(JSON.parse(raw.stdout).data).toEqual({ d: '4' });
    const posted = await sent(`create --raw ${path.replace(/\/[^/]+$/, '')}`, configMap('raw'));
    expect(JSON.parse(posted.stdout).metadata.uid).toMatch(/-/);
    expect(JSON.parse(await ok(`delete --raw ${path}`))).toMatchObject({ status: 'Success' });
  });

  it('edit: a change, no change, what is refused, a subresource, and on creating', async () => {
    await given('apply', configMap('edited'), webDeployment('edited', 0));
    expect((await edit('edit cm edited', 's/a: "1"/a: "2"/')).stdout).toBe(
      'configmap/edited edited\n',
    );
    expect((await edit('edit cm edited', 's/nothing/more/')).stderr).toBe(
      'Edit cancelled, no changes made.\n',
    );
    const refused = await edit('edit deploy edited', 's/replicas: 0/replicas: -3/');
    expect(refused.stderr).toContain('error: deployments.apps "edited" is invalid');
    const status = await edit(
      'edit deploy edited --subresource=status',
      's/observedGeneration: .*/observedGeneration: 77/',
    );
    expect(status.stdout).toBe('deployment.apps/edited edited\n');
    expect((await json('get cm edited')).data).toEqual({ a: '2' });
    written(configMap('from-editor'));
    const made = await k().run(['create', '--edit', '-f', file(), '-n', ns], {
      env: { KUBE_EDITOR: `sed -i 's/a: "1"/a: "5"/'` },
    });
    expect(made.stdout).toBe('configmap/from-editor created\n');
    expect((await json('get cm from-editor')).data).toEqual({ a: '5' });
    await ok('delete deploy edited');
  });

  it('diff: nothing, a change, what would be pruned, on the server', async () => {
    await given('apply', configMap('seen'), configMap('gone'));
    expect(await given('diff', configMap('seen'))).toMatchObject({ code: 0, stdout: '' });
    const changed = await given('diff', configMap('seen', { a: '2' }));
    expect(changed.code).toBe(1);
    expect(changed.stdout).toMatch(/^-  a: "1"\n\+  a: "2"$/m);
    const added = await given('diff --server-side', configMap('unseen'));
    expect([added.code, added.stdout]).toEqual([1, expect.stringMatching(/^\+ {2}name: unseen$/m)]);
    const pruned = await given('diff --prune -l app=gone --prune-allowlist=core/v1/ConfigMap', {
      ...configMap('seen'),
      metadata: { name: 'seen', labels: { app: 'gone' } },
    });
    expect(pruned.stdout).toMatch(/^-\s+name: gone$/m);
  });

  it('delete: cascading three ways, by selectors, by file, all, and waiting or not', async () => {
    const remains = (what: string) => ok(`get ${what} -o name`);
    for (const [cascade, kept] of [
      ['orphan', true],
      ['background', false],
      ['foreground', false],
    ] as const) {
      const name = `c-${cascade}`;
      await given('apply', webDeployment(name, 1));
      await ok(`wait --for=create rs -l app=${name} --timeout=60s`);
      await ok(`wait --for=create pod -l app=${name} --timeout=60s`);
      expect(await ok(`delete deploy ${name} --cascade=${cascade} --timeout=60s`)).toMatch(
        new RegExp(`^deployment.apps "${name}" deleted`),
      );
      if (kept) expect(await remains(`rs -l app=${name}`)).toMatch(/^replicaset/);
      else await ok(`wait --for=delete rs,pod -l app=${name} --timeout=60s`);
      await ok(`delete rs -l app=${name} --now --wait`);
      await ok(`wait --for=delete pod -l app=${name} --timeout=60s`);
    }
    await given('apply', ...['d1', 'd2', 'd3', 'd4'].map((name) => configMap(name)));
    expect(await ok('delete cm -l app=d1')).toMatch(/^configmap "d1" deleted/);
    expect(await ok('delete secret --field-selector metadata.name=none')).toBe(
      'No resources found\n',
    );
    expect(await ok('delete cm/d2 cm/none --ignore-not-found --wait=false -o name')).toBe(
      'configmap/d2\n',
    );
    expect((await given('delete', configMap('d3'))).stdout).toMatch(/^configmap "d3" deleted/);
    expect((await run('delete cm none')).stderr).toBe(
      'Error from server (NotFound): configmaps "none" not found\n',
    );
    expect((await run('delete nothing x')).stderr).toBe(
      'error: the server doesn\'t have a resource type "nothing"\n',
    );
    await ok('run bare --image=none:1 --restart=Never');
    expect((await run('delete pod bare --force --grace-period=0')).stdout).toMatch(
      /^pod "bare" force deleted/,
    );
    await ok('delete cm --all');
    expect(await remains('cm')).not.toContain('d4');
  });

  it('run and expose: pods and the services before them', async () => {
    const said = await ok(
      'run web --image=w:1 --labels=app=web,t=x --env=A=B --port=80 --expose --restart=Never --annotations=n=1 --command -- sleep 9',
    );
    expect(said).toBe('service/web created\npod/web created\n');
    const pod = await json('get pod web');
    expect(pod.metadata).toMatchObject({ labels: { app: 'web', t: 'x' }, annotations: { n: '1' } });
    expect(pod.spec).toMatchObject({ restartPolicy: 'Never' });
    expect(pod.spec.containers).toMatchObject([
      { command: ['sleep', '9'], env: [{ name: 'A', value: 'B' }], ports: [{ containerPort: 80 }] },
    ]);
    const shaped = await run(
      'run shaped --image=w:1 --dry-run=server -o jsonpath={.spec.hostNetwork}',
      '--overrides={"spec":{"hostNetwork":true}}',
    );
    expect(shaped.stdout).toBe('true');
    await given('apply', webDeployment('front', 0));
    await ok(
      'expose deploy front --port=80 --target-port=http --type=NodePort --name=out --session-affinity=ClientIP',
    );
    expect((await json('get svc out')).spec).toMatchObject({
      type: 'NodePort',
      sessionAffinity: 'ClientIP',
      selector: { app: 'front' },
      ports: [{ port: 80, targetPort: 'http' }],
    });
    expect(await ok('expose svc out --port=81 --name=again')).toBe('service/again exposed\n');
    expect(await ok('expose pod web --port=82 --name=one')).toBe('service/one exposed\n');
    await ok('delete pod/web svc/web svc/out svc/again svc/one deploy/front --now');
  });
});
