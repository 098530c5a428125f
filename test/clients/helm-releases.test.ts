// Real helm and releases without pods: what each verb leaves in the cluster, and where releases are recorded.
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { chart, type Helm, helmFor, recordedRelease } from '../support/helm.ts';
import type { Kubectl } from '../support/kubectl.ts';

const CHART = chart('settings');
/** A Secret's data may take this many bytes. */
const SECRET_BYTES = 1024 * 1024;

let cluster: TestCluster;
let k: Kubectl;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
  k = cluster.kubectl;
});
afterAll(() => cluster?.stop());

const get = (helm: Helm, what: string) => k.json(['get', what, '-n', helm.namespace]);
const dataOf = async (helm: Helm, name: string) => (await get(helm, `cm/${name}`)).data;
const names = async (helm: Helm, kinds: string, ...args: string[]) => {
  const text = await k.ok(['get', kinds, '-n', helm.namespace, '-o', 'name', ...args]);
  return text.split('\n').filter((name) => name !== '' && !/kube-root-ca|\/default$/.test(name));
};

describe('a release through its life', () => {
  let helm: Helm;
  let password: string;
  const passwordNow = async () => (await get(helm, 'secret/shop-password')).data.password;
  beforeAll(() => {
    helm = helmFor(cluster, { namespace: 'life' });
  });

  it('is installed into a namespace that is made for it', async () => {
    const release = await helm.json(['install', 'shop', CHART, '--create-namespace']);
    expect(release.info).toMatchObject({
      status: 'deployed',
      notes: 'Corner shop is open: revision 1 of shop.\n',
    });
    const settings = await get(helm, 'cm/shop-settings');
    expect(settings.data).toEqual({ title: 'Corner shop' });
    expect(settings.metadata.labels).toEqual({
      'app.kubernetes.io/instance': 'shop',
      'app.kubernetes.io/managed-by': 'Helm',
      'helm.sh/chart': 'settings-1.2.0',
    });
    expect(settings.metadata.annotations).toEqual({
      'meta.helm.sh/release-name': 'shop',
      'meta.helm.sh/release-namespace': 'life',
    });
    expect((await k.json(['get', 'ns/life'])).metadata.labels).toMatchObject({ name: 'life' });
    password = await passwordNow();
  });

  it('is recorded in a Secret of its own type', async () => {
    const secret = await get(helm, 'secret/sh.helm.release.v1.shop.v1');
    expect(secret.type).toBe('helm.sh/release.v1');
    expect(secret.metadata.labels).toMatchObject({
      name: 'shop',
      owner: 'helm',
      status: 'deployed',
      version: '1',
    });
    expect(recordedRelease(secret)).toMatchObject({ name: 'shop', version: 1 });
  });

  it('is upgraded by what changed, and looks up what it made before', async () => {
    const before = (await get(helm, 'sa/shop')).metadata.resourceVersion;
    const args = ['--set', 'title=Big shop,extra=true,settings.colour=red', '--wait'];
    await helm.ok(['upgrade', 'shop', CHART, ...args]);
    expect(await dataOf(helm, 'shop-settings')).toEqual({ title: 'Big shop', colour: 'red' });
    expect(await passwordNow()).toBe(password);
    expect((await get(helm, 'sa/shop')).metadata.resourceVersion).toBe(before);
    const namespaces = (await k.json(['get', 'ns'])).items.length;
    expect(await dataOf(helm, 'shop-extra')).toEqual({
      namespaces: String(namespaces),
      cluster: (await k.json(['version'])).serverVersion.gitVersion,
      autoscaling: 'true',
      'unheard-of': 'false',
    });
  });

  it('tells its values, manifest, hooks, notes and all of it', async () => {
    expect(await helm.json(['get', 'values', 'shop'])).toEqual({
      title: 'Big shop',
      extra: true,
      settings: { colour: 'red' },
    });
    expect((await helm.json(['get', 'values', 'shop', '--all']))['padding']).toBe('');
    expect(await helm.json(['get', 'values', 'shop', '--revision', '1'])).toBeNull();
    expect(await helm.ok(['get', 'manifest', 'shop'])).toContain('name: shop-extra\n');
    expect(await helm.ok(['get', 'hooks', 'shop'])).toContain('helm.sh/hook: pre-upgrade\n');
    expect(await helm.ok(['get', 'notes', 'shop'])).toContain('Big shop is open: revision 2');
    const all = await helm.ok(['get', 'all', 'shop']);
    for (const part of ['COMPUTED VALUES:', 'HOOKS:', 'MANIFEST:', 'NOTES:', 'colour: red'])
      expect(all).toContain(part);
    expect(await helm.json(['get', 'metadata', 'shop'])).toMatchObject({
      revision: 2,
      namespace: 'life',
      applyMethod: 'ssa',
    });
  });

  it('shows its objects in its status, and stands in the list of every namespace', async () => {
    const status = await helm.ok(['status', 'shop']);
    expect(status).toMatch(/==> v1\/ConfigMap\nNAME +DATA +AGE\n/);
    expect(status).toMatch(/shop-settings +2 +/);
    expect(await helm.json(['list', '--all-namespaces', '--filter', '^shop$'])).toEqual([
      expect.objectContaining({ name: 'shop', namespace: 'life', revision: '2' }),
    ]);
  });

  it('goes back to an earlier revision, and drops what that one did not have', async () => {
    await helm.ok(['rollback', 'shop', '1', '--wait']);
    expect(await dataOf(helm, 'shop-settings')).toEqual({ title: 'Corner shop' });
    expect((await k.run(['get', 'cm/shop-extra', '-n', 'life'])).stderr).toContain('NotFound');
    expect(await passwordNow()).toBe(password);
    expect(await helm.revisions('shop')).toEqual(['1 superseded', '2 superseded', '3 deployed']);
    const labels = ['-L', 'status', '--no-headers', '-l', 'owner=helm'];
    const recorded = await k.ok(['get', 'secret', '-n', 'life', ...labels]);
    expect(recorded).toMatch(/v1 .*superseded\n.*v2 .*superseded\n.*v3 .*deployed\n/);
  });

  it('keeps as many revisions as it is told to', async () => {
    await helm.ok(['upgrade', 'shop', CHART, '--history-max', '2']);
    expect(await helm.revisions('shop')).toEqual(['3 superseded', '4 deployed']);
  });

  it('ran its hooks, those of an upgrade anew at each upgrade', async () => {
    expect(await dataOf(helm, 'shop-pre-install')).toEqual({ revision: '1' });
    expect(await dataOf(helm, 'shop-post-install')).toEqual({ revision: '1' });
    expect(await dataOf(helm, 'shop-pre-upgrade')).toEqual({ revision: '4' });
    expect(await dataOf(helm, 'shop-post-upgrade')).toEqual({ revision: '4' });
    // A rollback runs the hooks of the revision that it goes back to.
    expect(await dataOf(helm, 'shop-pre-rollback')).toEqual({ revision: '1' });
    const { managedFields } = (
      await k.json(['get', 'cm/shop-pre-upgrade', '-n', 'life', '--show-managed-fields'])
    ).metadata;
    expect(managedFields).toMatchObject([{ manager: 'helm', operation: 'Apply' }]);
  });

  it('keeps its history after an uninstall where it is asked to, and comes back from there', async () => {
    const said = await helm.ok(['uninstall', 'shop', '--keep-history', '--wait']);
    expect(said).toContain('[ServiceAccount] shop');
    expect(await helm.revisions('shop')).toEqual(['3 superseded', '4 uninstalled']);
    expect(await names(helm, 'cm,secret', '-l', 'owner!=helm')).not.toContain(
      'configmap/shop-settings',
    );
    await helm.ok(['rollback', 'shop', '3']);
    expect(await dataOf(helm, 'shop-settings')).toEqual({ title: 'Corner shop' });
  });

  it('goes with everything but its hooks and what it is to keep', async () => {
    await helm.ok(['uninstall', 'shop', '--wait']);
    expect(await names(helm, 'cm,secret,sa')).toEqual([
      'configmap/shop-post-delete',
      'configmap/shop-post-install',
      'configmap/shop-post-upgrade',
      'configmap/shop-pre-install',
      'configmap/shop-pre-rollback',
      'configmap/shop-pre-upgrade',
      'serviceaccount/shop',
    ]);
    expect(await helm.fails(['status', 'shop'])).toContain('release: not found');
    expect(await helm.fails(['uninstall', 'shop'])).toContain('not found');
  });
});

describe('a dry run', () => {
  it('on the server renders with its objects and versions, and leaves nothing', async () => {
    const helm = helmFor(cluster, { namespace: 'default' });
    const asked = ['dry', CHART, '--dry-run=server', '--set', 'extra=true'];
    const rendered = await helm.ok(['install', ...asked]);
    expect(rendered).toContain('autoscaling: "true"');
    expect(rendered).not.toContain('namespaces: "0"');
    for (const how of ['--dry-run=server', '--validate'])
      expect(await helm.ok(['template', 'dry', CHART, how, '--set', 'extra=true'])).toMatch(
        /namespaces: "[1-9]"[^]*autoscaling: "true"/,
      );
    expect(await helm.ok(['install', 'dry', CHART, '--dry-run=client'])).toContain('MANIFEST:');
    expect(await names(helm, 'cm,secret,sa')).toEqual([]);
    expect(await helm.json(['list'])).toEqual([]);
  });
});

describe('where releases are recorded', () => {
  it('may be ConfigMaps, which a Secret-minded helm does not see', async () => {
    const helm = helmFor(cluster, { namespace: 'mapped', driver: 'configmap' });
    await helm.ok(['install', 'shop', CHART, '--create-namespace']);
    await helm.ok(['upgrade', 'shop', CHART, '--set', 'title=Mapped']);
    expect(await names(helm, 'cm,secret', '-l', 'owner=helm')).toEqual([
      'configmap/sh.helm.release.v1.shop.v1',
      'configmap/sh.helm.release.v1.shop.v2',
    ]);
    expect(await helm.revisions('shop')).toEqual(['1 superseded', '2 deployed']);
    const other = helmFor(cluster, { namespace: 'mapped' });
    expect(await other.json(['list'])).toEqual([]);
    await helm.ok(['uninstall', 'shop']);
    expect(await names(helm, 'cm', '-l', 'owner=helm')).toEqual([]);
  });

  it('takes a release that nearly fills a Secret, and refuses a larger one', async () => {
    const helm = helmFor(cluster, { namespace: 'large' });
    const file = join(cluster.dataDir, 'padding');
    const install = (release: string, bytes: number) => {
      writeFileSync(file, randomBytes(Math.floor(bytes / 4) * 3).toString('base64'));
      return ['install', release, CHART, '--create-namespace', '--set-file', `padding=${file}`];
    };
    const padding = Math.floor(SECRET_BYTES * 0.24) * 4;
    await helm.ok(install('shop', padding));
    const secret = await get(helm, 'secret/sh.helm.release.v1.shop.v1');
    const bytes = Buffer.from(secret.data.release, 'base64').length;
    expect(bytes).toBeGreaterThan(SECRET_BYTES * 0.95);
    expect(recordedRelease(secret).config['padding']).toHaveLength(padding);
    expect(await dataOf(helm, 'shop-padding')).toEqual({ length: String(padding) });
    expect(await helm.fails(install('huge', SECRET_BYTES * 1.04))).toMatch(
      /Secret "sh.helm.release.v1.huge.v1" is invalid: data: Too long/,
    );
    rmSync(file);
    expect(await names(helm, 'cm,secret')).not.toContain('configmap/huge-settings');
    await helm.ok(['uninstall', 'shop', '--wait']);
  });
});
