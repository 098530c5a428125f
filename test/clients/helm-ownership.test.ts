// Real helm and who owns what: applies on the server and on the client, conflicts, objects of others, failures and what they leave.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownersOf } from '../support/applying.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { chart, type Helm, helmFor } from '../support/helm.ts';
import type { Kubectl } from '../support/kubectl.ts';

const CHART = chart('settings');

let cluster: TestCluster;
let k: Kubectl;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
  k = cluster.kubectl;
});
afterAll(() => cluster?.stop());

const settingsOf = (helm: Helm, release: string) =>
  k.json(['get', `cm/${release}-settings`, '-n', helm.namespace, '--show-managed-fields']);
const namespaced = async (namespace: string) => {
  await k.ok(['create', 'namespace', namespace]);
  return helmFor(cluster, { namespace });
};

describe('applied on the server', () => {
  let helm: Helm;
  beforeAll(async () => {
    helm = await namespaced('server-side');
    await helm.ok(['upgrade', '--install', 'shop', CHART, '--set', 'settings.colour=red']);
  });

  it('makes helm the owner of what the chart says, by name', async () => {
    expect(ownersOf(await settingsOf(helm, 'shop'))).toEqual({
      'helm Apply': {
        'f:data': { 'f:title': {}, 'f:colour': {} },
        'f:metadata': {
          'f:annotations': {
            'f:meta.helm.sh/release-name': {},
            'f:meta.helm.sh/release-namespace': {},
          },
          'f:labels': {
            'f:app.kubernetes.io/instance': {},
            'f:app.kubernetes.io/managed-by': {},
            'f:helm.sh/chart': {},
          },
        },
      },
    });
  });

  it('keeps what others added, and refuses to change what they changed, until forced', async () => {
    const patch = JSON.stringify({ data: { colour: 'blue', hours: '9-17' } });
    const target = ['patch', 'cm/shop-settings', '-n', helm.namespace, '--type=merge'];
    await k.ok([...target, '-p', patch, '--field-manager=keeper']);
    const upgrade = ['upgrade', '--install', 'shop', CHART, '--set', 'settings.colour=green'];
    expect(await helm.fails(upgrade)).toContain(
      'Apply failed with 1 conflict: conflict with "keeper" using v1: .data.colour',
    );
    expect((await settingsOf(helm, 'shop')).data).toMatchObject({ colour: 'blue' });
    expect(await helm.revisions('shop')).toEqual(['1 deployed', '2 failed']);
    await helm.ok([...upgrade, '--force-conflicts']);
    const after = await settingsOf(helm, 'shop');
    expect(after.data).toEqual({ title: 'Corner shop', colour: 'green', hours: '9-17' });
    expect(ownersOf(after)).toMatchObject({ 'keeper Update': { 'f:data': { 'f:hours': {} } } });
    expect(ownersOf(after)['keeper Update']).not.toHaveProperty(['f:data', 'f:colour']);
  });
});

describe('applied on the client', () => {
  it('is an update, and may move to the server and back', async () => {
    const helm = await namespaced('client-side');
    const upgrade = (serverSide: boolean, size: number) =>
      helm.ok([
        'upgrade',
        '--install',
        'shop',
        CHART,
        `--server-side=${serverSide}`,
        '--set',
        `settings.size=${size}`,
      ]);
    const methods = async () => Object.keys(ownersOf(await settingsOf(helm, 'shop')));
    await upgrade(false, 1);
    expect(await methods()).toEqual(['helm Update']);
    await k.ok(['label', 'cm/shop-settings', '-n', helm.namespace, 'seen=yes']);
    await upgrade(false, 2);
    const merged = await settingsOf(helm, 'shop');
    expect(merged.data).toMatchObject({ size: '2' });
    expect(merged.metadata.labels).toMatchObject({ seen: 'yes' });
    await upgrade(true, 3);
    expect(await methods()).toEqual(['helm Apply', 'kubectl-label Update']);
    await helm.ok(['upgrade', 'shop', CHART, '--reset-values']);
    expect((await settingsOf(helm, 'shop')).data).toEqual({ title: 'Corner shop' });
    await upgrade(false, 4);
    expect((await settingsOf(helm, 'shop')).data).toMatchObject({ size: '4' });
    expect((await helm.json(['get', 'metadata', 'shop']))['applyMethod']).toBe('csa');
  });
});

describe('an object that another made', () => {
  it('is left alone, unless helm is told to take it', async () => {
    const helm = await namespaced('taken');
    const made = ['create', 'cm', 'shop-settings', '-n', helm.namespace];
    await k.ok([...made, '--from-literal=title=Mine']);
    const { uid } = (await settingsOf(helm, 'shop')).metadata;
    expect(await helm.fails(['install', 'shop', CHART])).toContain(
      'ConfigMap "shop-settings" in namespace "taken" exists and cannot be imported',
    );
    expect((await settingsOf(helm, 'shop')).data).toEqual({ title: 'Mine' });
    const take = ['upgrade', '--install', 'shop', CHART, '--take-ownership'];
    expect(await helm.fails(take)).toContain(
      'conflict with "kubectl-create" using v1: .data.title',
    );
    await helm.ok([...take, '--force-conflicts']);
    const taken = await settingsOf(helm, 'shop');
    expect(taken.data).toEqual({ title: 'Corner shop' });
    expect(taken.metadata.uid).toBe(uid);
    expect(taken.metadata.annotations).toMatchObject({ 'meta.helm.sh/release-name': 'shop' });
    expect(ownersOf(taken)).toMatchObject({ 'helm Apply': { 'f:data': { 'f:title': {} } } });
  });
});

describe('a failing upgrade', () => {
  let helm: Helm;
  const exists = async (name: string) =>
    (await k.run(['get', 'cm', name, '-n', helm.namespace])).code === 0;
  beforeAll(async () => {
    helm = await namespaced('failing');
    await helm.ok(['install', 'shop', CHART]);
  });
  const failing = ['upgrade', 'shop', CHART, '--set', 'wrong=wrong_name,extra=true'];

  it('says what the server said, and leaves what it had made', async () => {
    expect(await helm.fails(failing)).toMatch(
      /ConfigMap "wrong_name" is invalid: metadata.name: Invalid value: "wrong_name"/,
    );
    expect(await exists('shop-extra')).toBe(true);
    expect(await helm.revisions('shop')).toEqual(['1 deployed', '2 failed']);
    const { info } = await helm.json(['status', 'shop']);
    expect(info).toMatchObject({ status: 'failed' });
    await helm.ok(['rollback', 'shop']);
    expect(await exists('shop-extra')).toBe(false);
  });

  it('takes back what it had made where it is asked to', async () => {
    await helm.fails([...failing, '--cleanup-on-fail']);
    expect(await exists('shop-extra')).toBe(false);
  });

  it('goes back by itself where it is asked to', async () => {
    const rolledBack = ['--set', 'title=Never', '--rollback-on-failure', '--timeout', '30s'];
    expect(await helm.fails([...failing, ...rolledBack])).toContain('has been rolled back');
    expect(await helm.revisions('shop')).toEqual([
      '1 superseded',
      '2 failed',
      '3 superseded',
      '4 failed',
      '5 failed',
      '6 deployed',
    ]);
    expect((await settingsOf(helm, 'shop')).data).toEqual({ title: 'Corner shop' });
    expect(await exists('shop-extra')).toBe(false);
  });

  it('of a field that the server does not know names the field', async () => {
    expect(await helm.fails(['upgrade', 'shop', CHART, '--set', 'unknown.colour=red'])).toContain(
      '.colour: field not declared in schema',
    );
    const values = ['--set', 'title='];
    expect(await helm.fails(['upgrade', 'shop', CHART, ...values])).toContain("at '/title'");
  });

  it('of an install that is to undo itself leaves no release', async () => {
    const install = ['install', 'other', CHART, '--set', 'wrong=wrong_name'];
    expect(await helm.fails([...install, '--rollback-on-failure', '--timeout', '30s'])).toContain(
      'has been uninstalled',
    );
    expect(await helm.json(['list', '--filter', 'other'])).toEqual([]);
    expect(await exists('other-settings')).toBe(false);
  });
});

describe('somebody who may only', () => {
  it('read is told what is forbidden, and somebody who may edit a namespace installs there', async () => {
    const admin = await namespaced('others');
    const user = async (name: string, role: string) => {
      const binding = ['create', 'rolebinding', name, '-n', admin.namespace];
      await k.ok([...binding, `--clusterrole=${role}`, `--user=${name}`]);
      const kubeconfig = await cluster.userKubeconfig(name);
      return helmFor(cluster, { namespace: admin.namespace, kubeconfig });
    };
    const viewer = await user('viewer', 'view');
    const editor = await user('editor', 'edit');
    await editor.ok(['install', 'shop', CHART]);
    expect(await editor.revisions('shop')).toEqual(['1 deployed']);
    expect(await viewer.fails(['list'])).toContain(
      'secrets is forbidden: User "viewer" cannot list resource "secrets" in API group "" in the namespace "others"',
    );
  });
});
