// Real kubectl and an aggregated API server in a pod: its kind is used as any other is, and missed as upstream's kubectl says it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { buildKitchenImage, kitchenObjects } from '../support/kitchen-image.ts';
import type { Kubectl } from '../support/kubectl.ts';
import { until } from '../support/until.ts';

const API_SERVICE = 'apiservice/v1alpha1.kitchen.example.com';

let cluster: TestCluster;
let kubectl: Kubectl;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true });
  ({ kubectl } = cluster);
  await buildKitchenImage(cluster.host.system, cluster.paths.images);
  await kubectl.apply(await kitchenObjects());
  await kubectl.wait('--for=condition=Available', API_SERVICE);
  // What it serves, and how it describes that, is asked for when it can be reached.
  for (const [path, named] of [
    ['/apis', 'kitchen.example.com'],
    ['/openapi/v3', 'apis/kitchen.example.com/v1alpha1'],
  ] as const)
    await until(async () => (await kubectl.ok(['get', '--raw', path])).includes(named));
});
afterAll(() => cluster?.stop());

const aRecipe = (name: string, minutes = 20) => ({
  apiVersion: 'kitchen.example.com/v1alpha1',
  kind: 'Recipe',
  metadata: { name },
  spec: { dish: name, minutes },
});

describe('kubectl and a kind of an aggregated API server', () => {
  it('shows the APIService, and the kind among the others', async () => {
    const services = await kubectl.ok(['get', 'apiservices']);
    expect(services).toMatch(/v1alpha1\.kitchen\.example\.com +kube-system\/kitchen +True/);
    expect(services).toMatch(/v1\.apps +Local +True/);
    const described = await kubectl.ok(['describe', API_SERVICE]);
    expect(described).toMatch(/Reason: +Passed/);
    expect(await kubectl.ok(['api-resources', '--api-group=kitchen.example.com'])).toMatch(
      /recipes +rcp +kitchen\.example\.com\/v1alpha1 +true +Recipe/,
    );
    expect(await kubectl.ok(['api-versions'])).toContain('kitchen.example.com/v1alpha1');
  });

  it('applies, gets, describes, patches, edits labels of and deletes its objects', async () => {
    expect(await kubectl.apply(aRecipe('soup'))).toContain(
      'recipe.kitchen.example.com/soup created',
    );
    expect(await kubectl.apply(aRecipe('soup', 30))).toContain('configured');
    expect((await kubectl.json(['get', 'recipe', 'soup'])).spec).toEqual({
      dish: 'soup',
      minutes: 30,
    });
    expect(await kubectl.ok(['get', 'rcp'])).toMatch(/NAME +AGE\nsoup +/);
    expect(await kubectl.ok(['describe', 'rcp', 'soup'])).toMatch(/Dish: +soup/);
    await kubectl.ok(['patch', 'rcp', 'soup', '--type=merge', '-p', '{"spec":{"minutes":5}}']);
    await kubectl.ok(['label', 'rcp', 'soup', 'course=first']);
    const { spec, metadata } = await kubectl.json(['get', 'rcp', 'soup']);
    expect([spec.minutes, metadata.labels.course]).toEqual([5, 'first']);
    expect(metadata.annotations['kitchen.example.com/created-by']).toBe('kubernetes-admin');
    expect(await kubectl.ok(['delete', 'rcp', 'soup'])).toContain('deleted');
  });

  it('explains it', async () => {
    expect(await kubectl.ok(['explain', 'recipes.spec'])).toMatch(
      /minutes\s+<integer>\s+How long it takes\./,
    );
  });

  it('watches it', async () => {
    const follower = kubectl.follow(['get', 'rcp', '-w', '--output-watch-events']);
    await kubectl.apply(aRecipe('stew'));
    await follower.says(/ADDED +stew/);
    await kubectl.ok(['delete', 'rcp', 'stew']);
    await follower.says(/DELETED +stew/);
    await follower.stop();
  });

  it('is let in by RBAC as to any other kind', async () => {
    const jane = kubectl.with({ kubeconfig: await cluster.userKubeconfig('jane') });
    const refused = await jane.run(['get', 'recipes']);
    expect(refused.stderr).toContain(
      'recipes.kitchen.example.com is forbidden: User "jane" cannot list resource "recipes" in API group "kitchen.example.com" in the namespace "default"',
    );
    await kubectl.ok([
      'create',
      'role',
      'cook',
      '--verb=get,list,create',
      '--resource=recipes.kitchen.example.com',
    ]);
    await kubectl.ok(['create', 'rolebinding', 'cook', '--role=cook', '--user=jane']);
    // Its schema does not say that it checks fields, and jane may not look whether a definition does.
    const input = JSON.stringify(aRecipe('pie'));
    await jane.ok(['create', '--validate=false', '-f', '-'], { input });
    const made = await jane.json(['get', 'rcp', 'pie']);
    expect(made.metadata.annotations['kitchen.example.com/created-by']).toBe('jane');
    expect(await jane.ok(['auth', 'can-i', 'create', 'recipes.kitchen.example.com'])).toBe('yes\n');
  });

  it('says that the server is away, shows the rest, and finds it again', async () => {
    await kubectl.ok(['scale', 'deployment/kitchen', '-n', 'kube-system', '--replicas=0']);
    await kubectl.wait('--for=condition=Available=false', API_SERVICE);
    // One that is asked while it ends does not answer as it should: there is nobody to ask a moment later.
    await expect.poll(() => kubectl.ok(['get', API_SERVICE])).toContain('False (MissingEndpoints)');
    const path = '/apis/kitchen.example.com/v1alpha1/namespaces/default/recipes';
    const refused = await kubectl.run(['get', '--raw', path]);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      'Error from server (ServiceUnavailable): the server is currently unable to handle the request\n',
    ]);
    expect(await kubectl.ok(['api-resources'])).toContain('deployments');
    expect(await kubectl.ok(['get', 'pods', '-A'])).not.toContain('error');
    await kubectl.ok(['scale', 'deployment/kitchen', '-n', 'kube-system', '--replicas=1']);
    await kubectl.wait('--for=condition=Available', API_SERVICE);
    expect(await kubectl.ok(['get', 'recipes'])).toBe('');
  });
});
