// Our own commands, for a host without kubectl: what the README shows, against a real cluster with the shop on it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import type { Outcome } from '../../tools/host-namespace.ts';

const MANIFESTS = 'manifests/shop';
let cluster: TestCluster;
const pinnace = (...args: string[]): Promise<Outcome> =>
  cluster.pinnace(args, { env: { KUBECONFIG: cluster.kubeconfig } });
const ok = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await pinnace(...args);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout;
};

beforeAll(async () => {
  cluster = await startTestCluster({ node: true });
  expect(await ok('image', 'build-shop', '--data-dir', cluster.dataDir)).toContain(
    'built shop/payment:1',
  );
  expect(await ok('apply', '-f', MANIFESTS)).toContain('deployment.apps/catalog created');
  await cluster.kubectl.ok(['rollout', 'status', 'deploy/catalog', '-n', 'shop', '--timeout=60s'], {
    timeoutMs: 65_000,
  });
});
afterAll(() => cluster?.stop());

describe('pinnace', () => {
  it('lists images', async () => {
    expect(await ok('image', 'ls', '--data-dir', cluster.dataDir)).toContain('shop/catalog:1');
  });

  it('applies again and changes nothing', async () => {
    const lines = (await ok('apply', '-f', MANIFESTS)).trim().split('\n');
    expect(lines).toHaveLength(8);
    expect(lines.filter((line) => !line.endsWith(' unchanged'))).toEqual([]);
  });

  it("takes a kind of its user's own, and objects that keep its rules, as the README shows", async () => {
    const said = await ok('apply', '-f', 'crds/lane.yaml');
    expect(said).toBe(
      'customresourcedefinition.apiextensions.k8s.io/lanes.traffic.example.com created\n',
    );
    expect(await ok('apply', '-f', 'crds/lane.right.yaml')).toMatch(/^lane.*\/\w+ created\n$/);
    const wrong = await pinnace('apply', '-f', 'crds/lane.wrong-rules.yaml');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('two of 2 listeners share port and protocol');
    expect(wrong.stderr).toContain('tls is needed for HTTPS');
    expect(await ok('get', 'lanes')).toMatch(/^NAME/);
  });

  it('gets tables, with every namespace, wide, by label', async () => {
    const table = await ok('get', 'pods', '-A', '-l', 'app=catalog');
    expect(table).toMatch(/^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE\n/);
    expect(table.match(/^shop +catalog-\S+ +1\/1 +Running/gm)).toHaveLength(2);
    expect(await ok('get', 'deploy', '-n', 'shop', '-o', 'wide')).toContain('CONTAINERS');
    expect(await ok('get', 'deploy/catalog', '-n', 'shop', '-o', 'name')).toBe(
      'deployment.apps/catalog\n',
    );
  });

  it('gets objects as JSON and YAML', async () => {
    const json = JSON.parse(await ok('get', 'svc', 'catalog', '-n', 'shop', '-o', 'json')) as {
      spec: { ports: { port: number }[] };
    };
    expect(json.spec.ports[0]?.port).toBe(80);
    expect(await ok('get', 'svc', 'catalog', '-n', 'shop', '-o', 'yaml')).toContain(
      'kind: Service\n',
    );
  });

  it('describes an object with its events', async () => {
    const text = () => ok('describe', 'deploy', 'catalog', '-n', 'shop');
    expect(await text()).toContain('Name:         catalog');
    await expect.poll(text).toContain('ScalingReplicaSet');
  });

  it('prints logs and figures', async () => {
    const [pod = ''] = (
      await ok('get', 'pods', '-n', 'shop', '-l', 'app=catalog', '-o', 'name')
    ).split('\n');
    expect(await ok('logs', pod, '-n', 'shop', '--tail', '1')).toContain(
      'catalog serves on port 8080',
    );
    // Two measurements make a figure, and on a slow host they lie seconds apart.
    await expect
      .poll(() => ok('top', 'nodes'))
      .toMatch(
        /^NAME +CPU\(cores\) +CPU\(%\) +MEMORY\(bytes\) +MEMORY\(%\)\n\S+ +\d+m +\d+% +\d+Mi +\d+%\n$/,
      );
    await expect.poll(() => ok('top', 'pods', '-n', 'shop')).toMatch(/^catalog-\S+ +\d+m +\d+Mi$/m);
  });

  it('says in one line what is wrong, and applies what is right', async () => {
    const file = join(cluster.dataDir, 'mixed.yaml');
    const config = (name: string) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
    writeFileSync(
      file,
      `${config('first')}---\nkind: [broken\n---\n${config('Bad_Name')}---\n${config('last')}`,
    );
    const { code, stdout, stderr } = await pinnace('apply', '-f', file);
    expect(code).toBe(1);
    expect(stdout).toBe('configmap/first created\nconfigmap/last created\n');
    expect(stderr).toContain('mixed.yaml: line 7');
    expect(stderr).toContain('ConfigMap "Bad_Name" is invalid: metadata.name');
    expect(stderr).not.toContain('    at ');
    for (const args of [
      ['get', 'nonsense'],
      ['get', 'pods', '-o', 'no'],
      ['apply', '-f', '/no/such'],
    ]) {
      const wrong = await pinnace(...args);
      expect(wrong.code).toBe(1);
      expect(wrong.stderr.trim().split('\n')).toHaveLength(1);
    }
  });

  it('deletes, and waits until it is gone', async () => {
    expect(await ok('delete', 'deploy', 'catalog', '-n', 'shop')).toBe(
      'deployment.apps "catalog" deleted from shop namespace\n',
    );
    expect((await pinnace('get', 'deploy', 'catalog', '-n', 'shop')).stderr).toContain('not found');
  });
});

describe('manifests/shop', () => {
  it('is plain Kubernetes YAML: nothing in it names this project', () => {
    const text = readdirSync(MANIFESTS).map((name) => readFileSync(join(MANIFESTS, name), 'utf8'));
    expect(text.join('\n').toLowerCase()).not.toContain('pinnace');
  });
});
