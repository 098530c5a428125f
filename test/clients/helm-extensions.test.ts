// Real helm and a chart as operators ship them: definitions, objects of theirs, webhooks in a pod, and an API behind the API server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { chart, type Helm, helmFor } from '../support/helm.ts';
import type { Kubectl } from '../support/kubectl.ts';

const CHART = chart('pantry');
const WAIT = ['--wait', '--timeout', '90s'];
const N = ['-n', 'kitchen'];

let cluster: TestCluster;
let k: Kubectl;
let helm: Helm;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true });
  k = cluster.kubectl;
  helm = helmFor(cluster, { namespace: 'kitchen' });
});
afterAll(() => cluster?.stop());

const aJar = (name: string, spec: object) => ({
  apiVersion: 'kitchen.example.com/v1',
  kind: 'Jar',
  metadata: { name, namespace: 'kitchen' },
  spec,
});
const refused = async (object: object) =>
  (await k.run(['apply', '-f', '-'], { input: JSON.stringify(object) })).stderr;
const missing = async (...what: string[]) =>
  (await k.run(['get', ...what])).stderr.includes('(NotFound)');

describe('an install', () => {
  it('brings definitions and objects of theirs, with what the definitions add', async () => {
    await helm.ok(['install', 'pan', CHART, '--create-namespace', ...WAIT]);
    expect((await k.json(['get', 'jar', 'pan', ...N])).spec).toEqual({
      contents: 'plums',
      litres: 1,
    });
    expect(await k.ok(['get', 'jr', 'pan', ...N])).toMatch(/NAME +CONTENTS\npan +plums/);
    expect(await k.ok(['get', 'crd', '-o', 'name'])).toBe(
      'customresourcedefinition.apiextensions.k8s.io/jars.kitchen.example.com\n' +
        'customresourcedefinition.apiextensions.k8s.io/lids.kitchen.example.com\n',
    );
  });

  it('brings webhooks whose pod is asked by the Service that the chart names', async () => {
    expect((await k.json(['get', 'jar', 'pan-tried', ...N])).metadata.labels).toEqual({
      labelled: 'yes',
    });
    const applied = await k.run(['apply', '-f', '-'], {
      input: JSON.stringify(aJar('pears', { contents: 'pears' })),
    });
    expect(applied.stderr).toContain('Warning: tastes well');
    expect((await k.json(['get', 'jar', 'pears', ...N])).metadata.labels).toEqual({
      labelled: 'yes',
    });
    expect(await refused(aJar('mould', { contents: 'mould' }))).toContain(
      'admission webhook "taste.pantry.example.com" denied the request: nobody keeps mould',
    );
    expect(await refused(aJar('barrel', { contents: 'wine', litres: 200 }))).toContain(
      'spec: Invalid value: no jar holds more than five litres',
    );
  });

  it('brings an API whose server is told who asks', async () => {
    await k.wait('--for=condition=Available', 'apiservice', 'v1.pantry.example.com');
    const served = ['api-resources', '--api-group=pantry.example.com', '-o', 'name'];
    await expect.poll(() => k.ok(served)).toBe('shelves.pantry.example.com\n');
    const [me] = (
      await k.ok(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'])
    ).split('\n');
    const { items } = await k.json(['get', 'shelves']);
    const seen = items.map(({ metadata }: { metadata: object }) => metadata);
    expect(seen).toMatchObject([
      { name: 'high', annotations: { 'pantry.example.com/seen-by': me } },
      { name: 'low', annotations: { 'pantry.example.com/seen-by': me } },
    ]);
    expect(await missing('shelf', 'middle')).toBe(true);
  });
});

describe('an upgrade', () => {
  it('changes the definition that is a template, its objects, and the program with its certificates', async () => {
    await k.apply({
      apiVersion: 'kitchen.example.com/v1',
      kind: 'Lid',
      metadata: { name: 'wide' },
      spec: { width: 9 },
    });
    expect((await k.json(['get', 'lid', 'wide'])).spec).toEqual({ width: 9 });
    const set = ['--set', 'coloured=true,contents=quinces'];
    await helm.ok(['upgrade', 'pan', CHART, ...set, ...WAIT]);
    expect((await k.json(['get', 'lid', 'wide'])).spec).toEqual({ width: 9, colour: 'red' });
    const jars = await k.json(['get', 'jars', ...N, '-l', 'app.kubernetes.io/managed-by=Helm']);
    expect(jars.items).toMatchObject([
      { metadata: { name: 'pan' }, spec: { contents: 'quinces' } },
    ]);
    expect(await refused(aJar('mould', { contents: 'mould' }))).toContain('nobody keeps mould');
    await k.wait('--for=condition=Available', 'apiservice', 'v1.pantry.example.com');
    // Available may have been said of the one before.
    await expect
      .poll(() => k.ok(['get', 'shelves', '-o', 'name']))
      .toContain('shelf.pantry.example.com/low');
  });

  it('can be taken back', async () => {
    await helm.ok(['rollback', 'pan', '1', ...WAIT]);
    expect((await k.json(['get', 'jar', 'pan', ...N])).spec.contents).toBe('plums');
    expect((await k.json(['get', 'lid', 'wide'])).spec).toEqual({ width: 9 });
  });
});

describe('an uninstall', () => {
  it('takes everything along but the definitions of crds/ and objects that others made', async () => {
    await helm.ok(['uninstall', 'pan', ...WAIT]);
    expect(await missing('crd', 'lids.kitchen.example.com')).toBe(true);
    expect(await missing('apiservice', 'v1.pantry.example.com')).toBe(true);
    expect(await missing('mutatingwebhookconfiguration', 'pan')).toBe(true);
    expect(await missing('jar', 'pan', ...N)).toBe(true);
    expect((await k.json(['get', 'jar', 'pears', ...N])).spec.contents).toBe('pears');
    expect(await k.ok(['api-resources', '--api-group=pantry.example.com', '-o', 'name'])).toBe('');
    await k.ok(['delete', 'ns', 'kitchen', '--timeout=60s']);
    await k.ok(['delete', 'crd', 'jars.kitchen.example.com', '--timeout=60s']);
    expect(await k.ok(['api-resources', '--api-group=kitchen.example.com', '-o', 'name'])).toBe('');
  });
});
