// kill -9 of each process of a cluster: restarted, nothing written is lost, no container is touched, Services go on serving.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { configMap, shellPod, webDeployment, webService } from '../clients/objects.ts';
import { cutNetwork } from '../support/restless/network-cut.ts';
import { runningContainers } from '../support/restless/strikes.ts';
import { until } from '../support/until.ts';

/** How long the API server is away, and how soon after that statuses are to be right. */
const AWAY_MS = 5_000;
const RIGHT_GOAL_MS = 2_000;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true });
  await cluster.kubectl.apply([webDeployment('web', 2), webService('web', 'NodePort')]);
  await cluster.kubectl.wait('--for=condition=Available', 'deploy/web');
  // A pod that is ready is in the Service's table a moment later.
  const url = await webUrl();
  await until(async () => (await cluster.request({ url })).status === 200);
});
afterAll(() => cluster?.stop());

/** The Service by its node port. */
async function webUrl(): Promise<string> {
  const service = await cluster.kubectl.json(['get', 'svc', 'web']);
  return `http://127.0.0.1:${service.spec.ports[0].nodePort}/`;
}

/** What must not change: pods, their containers, when they started, how often. */
const containers = async () => {
  const { items } = (await cluster.kubectl.json(['get', 'pods', '-l', 'app=web'])) as {
    items: Pod[];
  };
  return items
    .map(({ metadata, status }) => {
      const [container] = status?.containerStatuses ?? [];
      return [
        metadata.name,
        container?.containerID,
        container?.restartCount,
        JSON.stringify(container?.state),
      ];
    })
    .toSorted((a, b) => String(a).localeCompare(String(b)));
};

async function serving(signal: AbortSignal): Promise<{ answered: number; failed: string[] }> {
  const url = await webUrl();
  const totals = { answered: 0, failed: [] as string[] };
  while (!signal.aborted) {
    const { status, error } = await cluster.request({ url, timeoutMs: 30_000 });
    if (status === 200) totals.answered += 1;
    else totals.failed.push(error ?? String(status));
  }
  return totals;
}

for (const name of ['control-plane', 'node'] as const)
  describe(`kill -9 of the ${name}`, () => {
    it('is healed, with Services serving meanwhile and no container touched', {
      timeout: 300_000,
    }, async () => {
      const before = await containers();
      expect(before).toHaveLength(2);
      const pid = cluster.pidOf(name);
      const load = new AbortController();
      const served = serving(load.signal);
      const written: string[] = [];
      for (let i = 0; i < 5; i += 1) {
        await cluster.kubectl.apply(configMap(`${name}-${i}`));
        written.push(`configmap/${name}-${i}`);
      }
      process.kill(pid ?? Number.NaN, 'SIGKILL');
      const killedAt = performance.now();
      await expect.poll(() => cluster.pidOf(name), { timeout: 60_000 }).not.toBe(pid);
      await expect
        .poll(() => cluster.kubectl.run(['get', '--raw', '/readyz']), { timeout: 60_000 })
        .toMatchObject({ stdout: 'ok' });
      const backMs = performance.now() - killedAt;
      process.stdout.write(`the ${name} was back after ${(backMs / 1000).toFixed(1)} s (goal 5)\n`);
      expect(backMs).toBeLessThan(40_000);
      const labels = written.map((one) => one.slice('configmap/'.length)).join(',');
      const found = await cluster.kubectl.ok([
        'get',
        'cm',
        '-l',
        `app in (${labels})`,
        '-o',
        'name',
      ]);
      expect(found.trim().split('\n').toSorted()).toEqual(written.toSorted());
      // A pod made after the death runs, so the whole chain works again.
      const replicas = name === 'node' ? 3 : 2;
      await cluster.kubectl.ok(['scale', 'deploy/web', `--replicas=${replicas}`]);
      await cluster.kubectl.wait(
        `--for=jsonpath={.status.readyReplicas}=${replicas}`,
        'deploy/web',
      );
      load.abort();
      const totals = await served;
      expect(totals.failed).toEqual([]);
      expect(totals.answered).toBeGreaterThan(5);
      expect(await containers()).toEqual(expect.arrayContaining(before));
      expect(await containers()).toHaveLength(replicas);
    });
  });

for (const how of ['reset', 'silent'] as const)
  describe(`an API server that is away (${how}) while containers die`, () => {
    it('has the right statuses soon after its return, and the node did not wait for it', {
      timeout: 300_000,
    }, async () => {
      const { kubectl } = cluster;
      const [dies, ends] = [`dies-${how}`, `ends-${how}`];
      await kubectl.apply([
        shellPod(dies, 'while :; do sleep 1; done'),
        shellPod(ends, 'while [ ! -e /tmp/end ]; do sleep 0.1; done', {
          spec: { restartPolicy: 'Never' },
        }),
      ]);
      await kubectl.wait('--for=condition=Ready', `pod/${dies}`, `pod/${ends}`);
      const uidOf = async (name: string) => (await kubectl.json(['get', 'pod', name])).metadata.uid;
      const [diesUid, endsUid] = [await uidOf(dies), await uidOf(ends)];
      const alive = (uid: string) => runningContainers(cluster).find((c) => c.podUid === uid);
      const first = alive(diesUid);
      const mend = await cutNetwork(cluster, how);
      const cutAt = performance.now();
      process.kill(first?.init?.pid ?? Number.NaN, 'SIGKILL');
      process.kill(alive(endsUid)?.init?.pid ?? Number.NaN, 'SIGKILL');
      await until(() => (alive(diesUid)?.id ?? first?.id) !== first?.id);
      const second = alive(diesUid)?.id;
      await until(() => performance.now() - cutAt > AWAY_MS);
      await mend();
      const mendedAt = performance.now();
      const [path, phase] = ['.status.containerStatuses[0].containerID', '.status.phase'];
      await Promise.all([
        kubectl.wait(`--for=jsonpath={${path}}=runc://${second}`, `pod/${dies}`),
        kubectl.wait(`--for=jsonpath={${phase}}=Failed`, `pod/${ends}`),
      ]);
      const ms = Math.round(performance.now() - mendedAt);
      process.stdout.write(`statuses right after ${ms} ms (goal: ${RIGHT_GOAL_MS})\n`);
      const { status } = await kubectl.json(['get', 'pod', dies]);
      expect(status.containerStatuses).toMatchObject([{ restartCount: 1, ready: true }]);
      await kubectl.ok(['delete', 'pod', dies, ends, '--grace-period=0', '--force']);
    });
  });
