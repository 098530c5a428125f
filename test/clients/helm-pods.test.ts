// Real helm and a chart with pods: waiting, hooks, tests, and a change that never gets ready.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../support/api-caller.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { chart, type Helm, helmFor } from '../support/helm.ts';
import type { Kubectl } from '../support/kubectl.ts';
import { until } from '../support/until.ts';

const CHART = chart('payment');
const WAIT = ['--wait', '--timeout', '60s'];
const LABELS = {
  'app.kubernetes.io/name': 'payment',
  'app.kubernetes.io/instance': 'pay',
  'app.kubernetes.io/version': '1',
  'app.kubernetes.io/managed-by': 'Helm',
};
const KINDS = [
  'deployment',
  'service',
  'configmap',
  'secret',
  'hpa',
  'pdb',
  'ingress',
  'serviceaccount',
  'role',
  'rolebinding',
];

let cluster: TestCluster;
let k: Kubectl;
let helm: Helm;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true });
  k = cluster.kubectl;
  helm = helmFor(cluster, { namespace: 'pay' });
});
afterAll(() => cluster?.stop());

const get = (what: string) => k.json(['get', what, '-n', 'pay']);
const missing = async (what: string) =>
  (await k.run(['get', what, '-n', 'pay'])).stderr.includes('NotFound');
const paymentPods = async (): Promise<Json[]> => {
  const selector = ['-l', 'app.kubernetes.io/name=payment'];
  return (await k.json(['get', 'pods', '-n', 'pay', ...selector])).items;
};
interface EndedPod {
  readonly status: {
    readonly containerStatuses: readonly [
      { readonly state: { readonly terminated: { readonly finishedAt: string } } },
    ];
  };
}
const endedAt = (pod: EndedPod) => pod.status.containerStatuses[0].state.terminated.finishedAt;

describe('an install that waits', () => {
  it('answers once every pod is ready', async () => {
    await helm.ok(['install', 'pay', CHART, '--create-namespace', ...WAIT]);
    expect((await get('deploy/pay')).status).toMatchObject({ readyReplicas: 2, replicas: 2 });
    for (const kind of KINDS)
      expect((await get(`${kind}/pay`)).metadata).toMatchObject({
        labels: LABELS,
        annotations: { 'meta.helm.sh/release-name': 'pay' },
      });
    expect((await get('pdb/pay')).spec.selector.matchLabels).toMatchObject({
      'app.kubernetes.io/instance': 'pay',
    });
    const asked = ['auth', 'can-i', 'list', 'configmaps', '-n', 'pay'];
    expect(await k.ok([...asked, '--as', 'system:serviceaccount:pay:pay'])).toBe('yes\n');
  });

  it('ran its hooks before, the lighter first, and took away the one that is to go', async () => {
    const [first, second] = [await get('pod/pay-prepare'), await get('pod/pay-migrate')];
    for (const pod of [first, second]) expect(pod.status.phase).toBe('Succeeded');
    const made = second.metadata.creationTimestamp;
    expect(Date.parse(endedAt(first))).toBeLessThanOrEqual(Date.parse(made));
    const deployed = (await get('deploy/pay')).metadata.creationTimestamp;
    expect(Date.parse(endedAt(second))).toBeLessThanOrEqual(Date.parse(deployed));
    expect(await k.ok(['logs', 'pay-prepare', '-n', 'pay'])).toBe('database made\n');
    expect(await missing('pod/pay-greet')).toBe(true);
    const events = ['events', '-n', 'pay', '--for', 'pod/pay-greet'];
    await expect.poll(() => k.ok(events)).toMatch(/Started/);
  });
});

describe('a test of a release', () => {
  it('runs its pod against the service, and shows what it said', async () => {
    const said = await helm.ok(['test', 'pay', '--logs', '--timeout', '60s']);
    expect(said).toMatch(/TEST SUITE: +pay-answers\n[^]*Phase: +Succeeded/);
    expect(said).toContain('POD LOGS: pay-answers\nanswered 200 pod\n');
    expect((await get('pod/pay-answers')).status.phase).toBe('Succeeded');
  });
});

describe('an upgrade that waits', () => {
  it('answers once the new pods are there and the old ones are not', async () => {
    const before = (await get('deploy/pay')).status.observedGeneration;
    const set = ['--set', 'currency=USD,tests.failing=true'];
    await helm.ok(['upgrade', 'pay', CHART, ...set, ...WAIT]);
    const { status } = await get('deploy/pay');
    expect(status).toMatchObject({ readyReplicas: 2, updatedReplicas: 2, replicas: 2 });
    expect(status.observedGeneration).toBeGreaterThan(before);
    // Pods that are ending are counted no more, and may be there still.
    await until(async () => (await paymentPods()).length === 2);
    const env = ['exec', '-n', 'pay', 'deploy/pay', '--', 'env'];
    expect(await k.ok(env)).toMatch(/^CURRENCY=USD$/m);
    expect(await missing('pod/pay-backup')).toBe(true);
  });

  it('brings a test that fails, whose pod and words stay', async () => {
    const { code, stdout, stderr } = await helm.run(['test', 'pay', '--logs']);
    expect(code).toBe(1);
    expect(stderr).toContain('pod pay-refuses failed');
    expect(stdout).toMatch(/TEST SUITE: +pay-answers\n[^]*Phase: +Succeeded/);
    expect(stdout).toMatch(/TEST SUITE: +pay-refuses\n[^]*Phase: +Failed/);
    expect(stdout).toContain('POD LOGS: pay-refuses\nnothing is refused\n');
    const { hooks } = await helm.json(['status', 'pay']);
    expect(
      (hooks as Json[]).find(({ name }) => name === 'pay-refuses')?.['last_run'],
    ).toMatchObject({ phase: 'Failed' });
    const only = await helm.ok(['test', 'pay', '--filter', 'name=pay-answers']);
    expect(only).toMatch(/Phase: +Succeeded/);
  });
});

describe('an upgrade that fails', () => {
  it('by its hook changes nothing', async () => {
    const before = (await get('deploy/pay')).metadata.generation;
    const set = ['--set', 'hooks.preUpgrade=4,currency=GBP'];
    expect(await helm.fails(['upgrade', 'pay', CHART, ...set, '--timeout', '60s'])).toContain(
      'pre-upgrade hooks failed: resource Pod/pay/pay-backup not ready. status: Failed',
    );
    expect((await get('pod/pay-backup')).status.containerStatuses?.[0]?.state).toMatchObject({
      terminated: { exitCode: 4 },
    });
    expect((await get('deploy/pay')).metadata.generation).toBe(before);
    expect((await get('cm/pay')).data).toEqual({ CURRENCY: 'USD' });
    expect((await helm.revisions('pay')).at(-1)).toBe('3 failed');
  });

  it('by pods that never get ready goes back, and the old pods answered throughout', async () => {
    const old = new Set((await paymentPods()).map(({ metadata }) => metadata.uid));
    expect(old.size).toBe(2);
    const upgrade = ['upgrade', 'pay', CHART, '--set', 'sick=true', '--rollback-on-failure'];
    expect(await helm.fails([...upgrade, '--timeout', '15s'])).toMatch(
      /has been rolled back [^]*Deployment\/pay\/pay not ready. status: InProgress/,
    );
    expect((await helm.revisions('pay')).slice(-2)).toEqual(['4 failed', '5 deployed']);
    const { spec, status } = await get('deploy/pay');
    expect(spec.template.spec.containers[0].readinessProbe.httpGet.port).toBe(8080);
    expect(status).toMatchObject({ readyReplicas: 2, updatedReplicas: 2 });
    const now = (await paymentPods()).filter(({ metadata }) => !metadata.deletionTimestamp);
    expect(new Set(now.map(({ metadata }) => metadata.uid))).toEqual(old);
  });
});

describe('an uninstall that waits', () => {
  it('runs its last hook, and leaves hooks only', async () => {
    await helm.ok(['uninstall', 'pay', ...WAIT]);
    for (const kind of KINDS) expect(await missing(`${kind}/pay`)).toBe(true);
    expect((await get('pod/pay-farewell')).status.phase).toBe('Succeeded');
    expect(await k.ok(['get', 'secret', '-n', 'pay', '-o', 'name'])).toBe('');
    await k.wait('--for=delete', 'pod', '-n', 'pay', '-l', 'app.kubernetes.io/name=payment');
  });
});

describe('an install that is to undo itself', () => {
  it('leaves nothing of the release where its pods never get ready', async () => {
    const install = ['install', 'ill', CHART, '--set', 'sick=true,replicas=1'];
    expect(await helm.fails([...install, '--rollback-on-failure', '--timeout', '15s'])).toContain(
      'has been uninstalled',
    );
    expect(await missing('deploy/ill')).toBe(true);
    expect(await helm.json(['list'])).toEqual([]);
  });
});
