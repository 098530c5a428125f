// A cluster that runs pods: how soon the first is Ready, what the processes need when nothing happens, how soon further pods are.
// Invariant: idleness begins when what the start left to do is done.
import { performance } from 'node:perf_hooks';
import { Pods } from '../../api/kinds.ts';
import { systemClock } from '../../base/clock.ts';
import type { RunningCluster } from '../../cli/serve/up.ts';
import { pidOf, prepareImages, withCluster } from './bench-cluster.ts';
import { nodeReady, podReadyMs } from './bench-pod.ts';
import { median, type Note, type Part } from './part.ts';
import { usageOf } from './process-usage.ts';

const STARTS = 5;
const SETTLE_MS = 10_000;
const IDLE_MS = 30_000;
const PODS = 20;

async function starts(dataDir: string, note: Note): Promise<void> {
  const ready: number[] = [];
  const firstPod: number[] = [];
  for (let i = 0; i < STARTS; i++)
    await withCluster(dataDir, async (cluster, client) => {
      const readyAt = performance.now();
      ready.push(cluster.readyMs);
      await podReadyMs(client, `start-${i}`);
      firstPod.push(performance.now() - readyAt);
      const name = { namespace: 'default', name: `start-${i}` };
      await client.resource(Pods).delete(name, { gracePeriodSeconds: 0 });
    });
  const what = 'control plane process spawned to /readyz, directory used before';
  note({ what, value: median(ready), unit: 'ms' });
  const first = 'first pod Ready after /readyz, image present';
  note({ what: first, value: median(firstPod), unit: 'ms', goal: '< 2000' });
}

const PROCESSES = [
  { name: 'control-plane', what: 'control plane', goal: '< 150' },
  { name: 'node', what: 'node agent', goal: '< 80' },
] as const;

async function idle(cluster: RunningCluster, note: Note): Promise<void> {
  await systemClock.sleep(SETTLE_MS);
  const usages = () => PROCESSES.map(({ name }) => usageOf(pidOf(cluster, name)));
  const before = usages();
  await systemClock.sleep(IDLE_MS);
  let cpu = 0;
  usages().forEach((now, i) => {
    const { what = '', goal = '' } = PROCESSES[i] ?? {};
    const used = now.cpuMs - (before[i]?.cpuMs ?? 0);
    cpu += used;
    note({ what: `${what}, idle, resident`, value: now.rssMb, unit: 'MB', goal });
    note({ what: `${what}, idle, proportional share`, value: now.pssMb, unit: 'MB' });
    note({ what: `${what}, idle`, value: (100 * used) / IDLE_MS, unit: '% of a core' });
  });
  const share = (100 * cpu) / IDLE_MS;
  note({ what: 'both processes, idle', value: share, unit: '% of a core', goal: '< 1' });
}

/** Starts, idleness and pods. */
export const cluster: Part = {
  name: 'cluster',
  async measure(note, directory) {
    await prepareImages(directory);
    await starts(directory, note);
    await withCluster(directory, async (running, client) => {
      await nodeReady(client);
      await idle(running, note);
      const times: number[] = [];
      for (let i = 0; i < PODS; i++) times.push(await podReadyMs(client, `one-${i}`));
      const what = `pod created to Ready, median of ${PODS} in a row`;
      note({ what, value: median(times), unit: 'ms', goal: '< 1000' });
      const { rssMb } = usageOf(pidOf(running, 'node'));
      note({ what: `node agent with ${PODS} pods, resident`, value: rssMb, unit: 'MB' });
    });
  },
};
