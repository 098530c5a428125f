// What test clusters leave behind, which is nothing; and many of them, one after another and at once.
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ConfigMaps, Deployments, Pods } from '../../api/kinds.ts';
import { loadKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import type { ControllerFactory } from '../../controllers/framework/reconciler.ts';
import { MAX_TURNS_AT_A_MOMENT } from '../../testing/cluster/endless-work.ts';
import { eventuallyList, startCluster, VirtualClock } from '../../testing/index.ts';
import { aDeployment } from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

/** Longer than by default: hosts are slow, and six clusters at once are much for one. */
const PATIENCE = { timeoutMs: 60_000 };

const aConfigMap = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
});

/** Never comes to an end, whatever its signal says; `begun` is told that it has begun. */
const stubborn = (begun: () => void) =>
  controllerFor(ConfigMaps)
    .where(({ metadata }) => metadata.name === 'one')
    .reconcile(() => {
      begun();
      return new Promise(() => undefined);
    });

/** Bytes in use once everything unused is collected. */
async function heapBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return process.memoryUsage().heapUsed;
}

describe('a cluster that cannot be started', () => {
  it('says why, and leaves no timer', async () => {
    const clock = new VirtualClock();
    const twice = { clock, nodes: [{ name: 'one' }, { name: 'one' }] };
    await expect(startCluster(twice)).rejects.toThrow('there is a fake node one already');
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a closed cluster', () => {
  it('leaves no handle, no file and no timer', async () => {
    const before = process.getActiveResourcesInfo();
    /** Beyond those from before; the runner has some of its own. */
    const added = () => {
      const known = [...before];
      return process.getActiveResourcesInfo().filter((resource) => {
        const at = known.indexOf(resource);
        if (at >= 0) known.splice(at, 1);
        return at < 0;
      });
    };
    const clock = new VirtualClock();
    for (const options of [{}, { clock }]) {
      const cluster = await startCluster(options);
      const { kubeconfig } = await cluster.listen();
      const http = createHttpTransport((await loadKubeconfig(kubeconfig)).transport);
      const seen = Promise.withResolvers<void>();
      const watching = (async () => {
        for await (const _events of createClient(http).resource(Pods).watch()) seen.resolve();
      })().catch(() => undefined);
      await cluster.client.resource(Deployments).create(aDeployment('web'));
      await eventuallyList(cluster.client, Pods, { labelSelector: 'app=web' }, 1, PATIENCE);
      await seen.promise;
      await cluster.close();
      await watching;
      http.close();
      expect(existsSync(kubeconfig)).toBe(false);
    }
    expect(clock.pendingTimers).toBe(0);
    await until(() => added().length === 0);
  });

  it('leaves no memory: fifty in a row', async () => {
    const some = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const cluster = await startCluster();
        await cluster.apply(aConfigMap('one'));
        await cluster.close();
      }
    };
    await some(5);
    const before = await heapBytes();
    await some(50);
    const grownMb = ((await heapBytes()) - before) / 2 ** 20;
    process.stdout.write(`fifty clusters: the heap has grown by ${grownMb.toFixed(2)} MB\n`);
    // One cluster that is kept alive is about half a megabyte.
    expect(grownMb).toBeLessThan(10);
  });

  it('has ended programs that do not stop, on either clock, and names them', async () => {
    for (const clock of ['system', 'virtual'] as const) {
      const cluster = await startCluster({ clock, controllers: 'none', scheduler: false });
      const begun = Promise.withResolvers<void>();
      const program = cluster.run([stubborn(begun.resolve)], { name: 'the-stubborn' });
      await program.synced;
      await cluster.apply(aConfigMap('one'));
      await begun.promise;
      const closing = expect(cluster.close()).rejects;
      await closing.toThrow('the program the-stubborn did not stop within 5000 ms');
      await program.done;
    }
  });

  it('is closed once, however often it is asked to, and runs nothing more', async () => {
    const cluster = await startCluster({ controllers: 'none' });
    await Promise.all([cluster.close(), cluster.close()]);
    await cluster[Symbol.asyncDispose]();
    expect(() => cluster.run([stubborn(() => undefined)])).toThrow('the cluster is closed');
  });
});

describe('a program that is at fault', () => {
  it('by waking itself while time stands still is ended, and told; the test would hang without a word', async () => {
    const cluster = await startCluster({ clock: 'virtual', controllers: 'none', nodes: 0 });
    const metadata = { namespace: 'default', name: 'counted' };
    let turns = 0;
    const counting = controllerFor(ConfigMaps)
      .named('counting')
      .where(({ metadata: { name } }) => name === 'counted')
      .reconcile(async (_, { resource }) => {
        await resource.patch(metadata, { type: 'merge', body: { data: { turns: `${++turns}` } } });
      });
    const program = cluster.run([counting]);
    await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
    await cluster.advance(1);
    const why = `controller counting reconciled default/counted ${MAX_TURNS_AT_A_MOMENT} times while time stood still`;
    await expect(program.done).rejects.toThrow(why);
    await expect(cluster.close()).rejects.toThrow(why);
    expect(turns).toBe(MAX_TURNS_AT_A_MOMENT);
  });

  it('by having a builder for a controller is told how to end it', async () => {
    const cluster = await startCluster({ clock: 'virtual', controllers: 'none', nodes: 0 });
    const builder = controllerFor(ConfigMaps).named('builder') as unknown as ControllerFactory;
    const why = 'controller 1 of the list is no controller: end its builder with .reconcile(…)';
    await expect(cluster.run([builder]).done).rejects.toThrow(why);
    await expect(cluster.close()).rejects.toThrow(why);
  });
});

it('several clusters at once know nothing of each other', async () => {
  const clocks = ['system', 'virtual', 'system', 'virtual', 'system', 'virtual'] as const;
  const clusters = await Promise.all(clocks.map((clock) => startCluster({ clock })));
  await Promise.all(
    clusters.map(async ({ client }, at) => {
      await client.resource(Deployments).create(aDeployment('web', { replicas: at + 1 }));
      await eventuallyList(client, Pods, { labelSelector: 'app=web' }, at + 1, PATIENCE);
    }),
  );
  const counts = clusters.map(
    async ({ client }) => (await client.resource(Pods).list()).items.length,
  );
  expect(await Promise.all(counts)).toEqual([1, 2, 3, 4, 5, 6]);
  await Promise.all(clusters.map((cluster) => cluster.close()));
});
