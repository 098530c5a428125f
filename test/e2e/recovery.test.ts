// kill -9 of each process of a cluster: restarted, nothing written is lost, no container is touched, Services go on serving.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { configMap, webDeployment, webService } from '../clients/objects.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true });
  await cluster.kubectl.apply([webDeployment('web', 2), webService('web', 'NodePort')]);
  await cluster.kubectl.wait('--for=condition=Available', 'deploy/web');
});
afterAll(() => cluster?.stop());

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
  const service = await cluster.kubectl.json(['get', 'svc', 'web']);
  const url = `http://127.0.0.1:${service.spec.ports[0].nodePort}/`;
  const totals = { answered: 0, failed: [] as string[] };
  while (!signal.aborted) {
    const { status, error } = await cluster.request({ url, timeoutMs: 5_000 });
    if (status === 200) totals.answered += 1;
    else totals.failed.push(error ?? String(status));
  }
  return totals;
}

for (const name of ['control-plane', 'node'] as const)
  describe(`kill -9 of the ${name}`, () => {
    it('is healed, with Services serving meanwhile and no container touched', async () => {
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
      process.kill(pid ?? 0, 'SIGKILL');
      const killedAt = performance.now();
      await expect.poll(() => cluster.pidOf(name), { timeout: 10_000 }).not.toBe(pid);
      await expect
        .poll(() => cluster.kubectl.run(['get', '--raw', '/readyz']), { timeout: 20_000 })
        .toMatchObject({ stdout: 'ok' });
      expect(performance.now() - killedAt).toBeLessThan(15_000);
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
